//! Terminal output, without control characters from the server.

pub mod moment;
mod table;
mod width;
mod wrap;

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::terminal::Screen;
use domain::is_disguise;
pub use table::{Column, table};
pub use wrap::wrap_line;

/// Text of the server that is safe to show: without control characters, which could move the
/// cursor or change terminal settings, and without text-direction characters and invisible
/// separators, which could disguise a name. Other users choose the names.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(is_disguise) {
        Cow::Owned(text.chars().filter(|c| !is_disguise(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON that is also safe on a terminal: the same document, with the characters that [`plain`]
/// removes written as escapes.
fn plain_json(document: &impl Serialize) -> io::Result<String> {
    let json = serde_json::to_string_pretty(document)?;
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        // Line breaks separate members; inside strings they are already escaped.
        if c != '\n' && is_disguise(c) {
            write!(escaped, "\\u{:04x}", u32::from(c)).map_err(io::Error::other)?;
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// The output of a command: results on standard output, with `--json` as a document, and all text
/// for the user on standard error.
pub struct Output {
    json: bool,
    screen: Screen,
}

impl Output {
    /// The streams of this process.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            screen: Screen::of_process(),
        }
    }

    /// What standard error can show.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Writes text that the user must see to standard error, at once.
    pub fn say(&self, text: impl Display) -> io::Result<()> {
        let columns = self.screen.size.map(|(columns, _)| columns);
        let text = fit(text.to_string(), columns);
        io::stderr().write_all(format!("{text}\n").as_bytes())
    }

    /// Writes an error or a note to standard error. A write error is ignored.
    pub fn note(&self, text: impl Display) {
        let _ = self.say(text);
    }

    /// Writes the result: the document with `--json`, else the text. A closed pipe is not an
    /// error.
    pub fn answer(&self, document: &impl Serialize, text: impl Display) -> io::Result<()> {
        let result = if self.json {
            plain_json(document)?
        } else {
            fit(text.to_string(), self.columns())
        };
        match writeln!(io::stdout(), "{result}") {
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Reports what a command did: the text on standard error and, with `--json`, the document on
    /// standard output.
    pub fn report(&self, document: &impl Serialize, text: impl Display) -> io::Result<()> {
        self.note(text);
        self.document(document)
    }

    /// Writes an event of a running command as one line of JSON, with `--json` only.
    pub fn event(&self, event: &impl Serialize) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        // Line breaks separate members; inside strings they are already escaped.
        let line = plain_json(event)?
            .lines()
            .map(str::trim_start)
            .collect::<String>();
        writeln!(io::stdout(), "{line}")
    }

    /// Writes the document, with `--json` only.
    pub fn document(&self, document: &impl Serialize) -> io::Result<()> {
        if self.json {
            self.answer(document, "")?;
        }
        Ok(())
    }

    /// The columns for a table: those of the terminal. `None` if there is no limit.
    pub fn columns(&self) -> Option<usize> {
        width::of_standard_output()
    }
}

/// The least width of a terminal that a text is fitted to.
const NARROWEST: usize = 20;

/// A text for a terminal with so many columns, if it is one.
fn fit(text: String, columns: Option<usize>) -> String {
    match columns {
        Some(columns) if columns >= NARROWEST => wrap::wrap(&text, columns),
        _ => text,
    }
}

/// A duration in the largest unit that is at least two, rounded up: "2 minutes", "90 seconds".
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    match units.into_iter().find(|(size, _)| seconds >= 2 * size) {
        Some((size, unit)) => format!("{} {unit}", seconds.div_ceil(size)),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_server_cannot_control_the_terminal() {
        for (text, shown) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("Zoë 张伟 🦀", "Zoë 张伟 🦀"),
            ("علی\u{200c}رضا 👩\u{200d}💻", "علی\u{200c}رضا 👩\u{200d}💻"),
            ("a\x1b[2J\x1b]0;title\x07b", "a[2J]0;titleb"),
            ("line\r\nother\ttab\x7f", "lineothertab"),
            ("c1 \u{9b}31m", "c1 31m"),
            ("exe\u{202e}gpj.\u{200b}x", "exegpj.x"),
        ] {
            assert_eq!(plain(text), shown, "{text:?}");
        }
    }

    #[test]
    fn json_stays_the_same_document() {
        let document =
            serde_json::json!({ "name": "a\u{9b}31m\x1b\x7f\u{202e}\n\"é", "n": [1, 2] });
        let written = plain_json(&document).unwrap();
        assert!(
            !written.chars().any(|c| c != '\n' && is_disguise(c)),
            "{written:?}"
        );
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read, document);
    }

    #[test]
    fn a_duration_is_rounded_up_in_a_fitting_unit() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (599, "10 minutes"),
            (600, "10 minutes"),
            (7_201, "3 hours"),
            (86_400, "24 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(duration(Duration::from_millis(599_900)), "10 minutes");
    }
}
