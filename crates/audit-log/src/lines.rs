//! Lines of a file, one by one and with a limit to their length.

use std::io::{self, BufRead, Read as _};

/// A line of a file.
pub enum Line {
    /// The whole line, without its line feed.
    Whole(Vec<u8>),
    /// A line longer than the limit; it was skipped.
    TooLong,
}

/// The next line of at most `limit` bytes; `None` at the end.
pub fn next_line(reader: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let within = limit as u64 + 1;
    if reader.take(within).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > limit {
        reader.skip_until(b'\n')?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}
