//! Lines of a text that fit a terminal.

use console::measure_text_width;

/// The text, with lines that are wider than `columns` broken between words. A command
/// in backquotes stays whole, since it is copied; so does a column of aligned text.
pub fn wrap(text: &str, columns: usize) -> String {
    let lines = text
        .split('\n')
        .map(|line| wrap_line(line, columns).join("\n"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines of a line; at least one. Only a word alone can be wider than the columns.
pub fn wrap_line(line: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(line) {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if measure_text_width(last) + 1 + measure_text_width(word) <= columns => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The pieces between spaces that are outside of backquotes and behind a label.
fn words(line: &str) -> Vec<&str> {
    // A label and the space after it stay beside their value.
    let label = line.rfind("  ").map_or(0, |at| at + 2);
    let mut words = Vec::new();
    let (mut from, mut is_quoted) = (0, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'`' => is_quoted = !is_quoted,
            b' ' if !is_quoted && at > label.max(from) => {
                words.push(&line[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[from..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrap_line("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap_line("longer-than-the-line a", 5),
            ["longer-than-the-line", "a"]
        );
        assert_eq!(wrap_line("", 5), [""]);
        assert_eq!(
            wrap("one two\n\nthree four\n", 7),
            "one two\n\nthree\nfour\n"
        );
    }

    #[test]
    fn commands_and_columns_stay_whole() {
        assert_eq!(
            wrap_line("Run `acme login --yes`. Then stop", 12),
            ["Run", "`acme login --yes`.", "Then stop"]
        );
        assert_eq!(
            wrap_line("Kept in:     /a/b c", 12),
            ["Kept in:     /a/b", "c"]
        );
        assert_eq!(wrap_line("    http://x/y", 8), ["    http://x/y"]);
        assert_eq!(
            wrap_line("an odd ` is a quote", 10),
            ["an odd", "` is a quote"]
        );
    }
}
