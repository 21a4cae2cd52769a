//! Lines of a file of any size, one at a time and none of them boundless.

use std::io::{self, BufRead, Read as _};

/// A line as it was found.
pub enum Line {
    /// The whole line, without its end.
    Whole(Vec<u8>),
    /// A line that was longer than wanted; it was passed over.
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
