//! Exports: a log, or selected lines of it, as a verifiable file.

use super::canonical::{self, Unreadable};
use super::chain::{Head, Sealed};
use super::checkpoint::Checkpoint;
use super::discrepancy::{Discrepancy, Kind, Report};
use super::excerpt::ExcerptVerifier;
use super::hash::Hash;
use super::lines::{Line, next_line};
use super::note::{NoteFault, VerifierKey};
use super::origin::Origin;
use super::verifier::Verifier;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, BufRead};

/// The version of the format, as in the header.
const VERSION: u64 = 1;
/// The longest line that is read, in bytes; details are short.
const LONGEST: usize = 1024 * 1024;

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The log.
    pub origin: Origin,
    /// The part of the log.
    pub part: Part,
}

/// The part of a log that an export contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Every record after this head.
    After(Head),
    /// Selected records, each with the previous hash.
    Filtered,
}

/// The header as serialized.
#[derive(Serialize, Deserialize)]
struct Written {
    doorcode_audit: u64,
    origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filtered: Option<bool>,
}

impl Header {
    /// The line, without its line feed.
    pub fn line(&self) -> String {
        let (from, previous, filtered) = match self.part {
            Part::After(head) => (Some(head.next_sequence()), Some(head.hash), None),
            Part::Filtered => (None, None, Some(true)),
        };
        canonical::write(&Written {
            doorcode_audit: VERSION,
            origin: self.origin.clone(),
            from,
            previous,
            filtered,
        })
    }

    /// Parses the line.
    pub fn parse(line: &[u8]) -> Result<Self, Unreadable> {
        let written: Written = canonical::read(line)?;
        let part = match (written.from, written.previous, written.filtered) {
            (Some(from), Some(hash), None) => Part::After(Head {
                sequence: from.checked_sub(1).ok_or(Unreadable::Malformed)?,
                hash,
            }),
            (None, None, Some(true)) => Part::Filtered,
            _ => return Err(Unreadable::Malformed),
        };
        let origin = written.origin;
        let is_known = written.doorcode_audit == VERSION;
        is_known
            .then_some(Self { origin, part })
            .ok_or(Unreadable::Malformed)
    }
}

/// A line of a whole export, without its line feed.
pub fn line(sealed: &Sealed) -> String {
    canonical::write(sealed)
}

/// Parses a line of a whole export, without its line feed.
pub fn parse_line(line: &[u8]) -> Result<Sealed, Unreadable> {
    canonical::read(line)
}

/// Why an export cannot be verified.
#[derive(Debug)]
pub enum ExportFault {
    /// The first line is not the header of an export.
    NoHeader,
    /// The file cannot be read to its end.
    Io(io::Error),
}

impl fmt::Display for ExportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("it does not begin with the header of an export"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for ExportFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Verifies an export of either kind, in constant memory. If keys are known, only erasure records
/// that they signed count.
pub fn verify(
    mut reader: impl BufRead,
    checkpoints: impl Iterator<Item = Result<Checkpoint, NoteFault>>,
    keys: &[VerifierKey],
) -> Result<Report, ExportFault> {
    let Some(Line::Whole(first)) = next_line(&mut reader, LONGEST)? else {
        return Err(ExportFault::NoHeader);
    };
    let Header { origin, part } = Header::parse(&first).map_err(|_| ExportFault::NoHeader)?;
    match part {
        Part::After(start) => {
            let genesis = Head::genesis(&origin);
            let verifier = Verifier::new(origin, start, checkpoints);
            let mut verifier = verifier.trusting(keys.to_vec());
            while let Some(line) = next(&mut reader)? {
                verifier.take(line);
            }
            let mut report = verifier.finish();
            if start.sequence == 0 && start != genesis {
                let says = "The header does not have the genesis hash of this log.";
                report.first_discrepancy = Some(Discrepancy::new(1, Kind::Edited, says));
            }
            Ok(report)
        }
        Part::Filtered => {
            let mut verifier = ExcerptVerifier::new(origin, checkpoints);
            while let Some(line) = next(&mut reader)? {
                verifier.take(line);
            }
            Ok(verifier.finish())
        }
    }
}

/// Reads and parses the next line.
fn next<T: Serialize + for<'a> Deserialize<'a>>(
    reader: &mut impl BufRead,
) -> io::Result<Option<Result<T, Unreadable>>> {
    Ok(next_line(reader, LONGEST)?.map(|line| match line {
        Line::Whole(line) => canonical::read(&line),
        Line::TooLong => Err(Unreadable::TooLong),
    }))
}
