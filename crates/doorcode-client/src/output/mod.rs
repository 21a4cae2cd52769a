//! Terminal output, without control characters from the server.

mod table;

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};

use console::Term;
use serde::Serialize;

use domain::is_disguise;
pub use table::table;

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

/// The output of a command. With `--json`, standard output contains only the resulting document,
/// and all text goes to standard error.
pub struct Output {
    json: bool,
    terminal: Term,
}

impl Output {
    /// The streams of this process.
    pub fn new(json: bool) -> Self {
        let terminal = if json { Term::stderr() } else { Term::stdout() };
        Self { json, terminal }
    }

    /// Writes text for the user.
    pub fn say(&self, text: impl Display) -> io::Result<()> {
        if self.json {
            writeln!(io::stderr(), "{text}")
        } else {
            writeln!(io::stdout(), "{text}")
        }
    }

    /// Writes an error or a note to standard error. A write error is ignored.
    pub fn note(&self, text: impl Display) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Writes the result: the document with `--json`, else the text. A closed pipe is not an
    /// error.
    pub fn answer(&self, document: &impl Serialize, text: impl Display) -> io::Result<()> {
        let result = if self.json {
            plain_json(document)?
        } else {
            text.to_string()
        };
        match writeln!(io::stdout(), "{result}") {
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// The width of the terminal, if there is one that supports and allows colours.
    pub fn colour_columns(&self) -> Option<usize> {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if unwanted || is_dumb() {
            return None;
        }
        let (_, columns) = self.terminal.size_checked()?;
        Some(usize::from(columns))
    }

    /// The text in bold, if the terminal supports it.
    pub fn bold(&self, text: &str) -> String {
        match self.colour_columns() {
            Some(_) => format!("\x1b[1m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }
}

/// Standard error, if a line there can be redrawn.
pub fn status_line() -> Option<Term> {
    let term = Term::stderr();
    (term.is_term() && !is_dumb()).then_some(term)
}

/// Whether the terminal supports no control sequences (`TERM=dumb`).
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Completes when the user presses Ctrl-C.
pub async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler, Ctrl-C ends the process.
        std::future::pending().await
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
}
