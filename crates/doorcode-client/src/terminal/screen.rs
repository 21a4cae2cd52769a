//! What standard error can show.

use std::ffi::OsString;

use console::Term;

/// What standard error can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns and rows; `None` without a terminal.
    pub size: Option<(usize, usize)>,
    /// Whether the terminal supports control sequences. False without a terminal, without `TERM`
    /// on Unix, and with `TERM=dumb`.
    pub escapes: bool,
    /// Whether the terminal supports colours and `NO_COLOR` is not set.
    pub colour: bool,
    /// Whether the locale is UTF-8; else only ASCII is safe to show.
    pub unicode: bool,
    /// Whether this is a CI job, whose log shows each redrawn line again.
    pub job: bool,
}

impl Screen {
    /// Standard error of this process.
    pub fn of_process() -> Self {
        let size = Term::stderr().size_checked();
        let size = size.map(|(rows, columns)| (usize::from(columns), usize::from(rows)));
        Self::read(size, |name| std::env::var_os(name))
    }

    fn read(size: Option<(usize, usize)>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| value.to_string_lossy().to_lowercase())
        };
        let dumb = set("TERM").map_or(cfg!(unix), |term| term == "dumb");
        let escapes = size.is_some() && !dumb;
        // The first of these variables that is set decides (POSIX); without any, the locale is C.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let unicode = locale.map_or(cfg!(not(unix)), |name| {
            name.contains("utf-8") || name.contains("utf8")
        });
        Self {
            size,
            escapes,
            colour: escapes && set("NO_COLOR").is_none(),
            unicode,
            job: set("CI").is_some_and(|value| value != "false" && value != "0"),
        }
    }

    /// Whether a line can be drawn again and again.
    pub fn redraws(&self) -> bool {
        self.escapes && !self.job
    }

    /// The text in bold, if the terminal supports it.
    pub fn bold(&self, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[1m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn screen(variables: &[(&str, &str)]) -> Screen {
        Screen::read(Some((80, 24)), |name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_locale_decides_on_characters_beyond_ascii() {
        for (variables, unicode) in [
            (&[("LANG", "en_US.UTF-8")][..], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "de_DE@euro")], false),
            (&[], false),
            (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], false),
            (&[("LC_ALL", ""), ("LANG", "en_US.UTF-8")], true),
            (&[("LC_CTYPE", "UTF-8"), ("LANG", "C")], true),
        ] {
            assert_eq!(screen(variables).unicode, unicode, "{variables:?}");
        }
    }

    #[test]
    fn control_sequences_need_a_terminal_that_supports_them() {
        for (variables, escapes, colour) in [
            (&[("TERM", "xterm")][..], true, true),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], true, false),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], true, true),
            (&[("TERM", "dumb")], false, false),
            (&[], false, false),
        ] {
            let found = screen(variables);
            assert_eq!(
                (found.escapes, found.colour),
                (escapes, colour),
                "{variables:?}"
            );
        }
        let piped = Screen::read(None, |_| Some("xterm".into()));
        assert!(!piped.escapes && !piped.colour && !piped.redraws());
    }

    #[test]
    fn a_job_gets_no_redrawn_lines() {
        for (value, redraws) in [("true", false), ("1", false), ("false", true), ("", true)] {
            let found = screen(&[("TERM", "xterm"), ("CI", value)]);
            assert_eq!(found.redraws(), redraws, "{value:?}");
        }
    }
}
