//! Exports: a log, or lines chosen from it, as a file that proves itself.

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

/// The version of the form, which the header names.
const VERSION: u64 = 1;
/// The longest line that is read; details are short.
const LONGEST: usize = 1024 * 1024;

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which log.
    pub origin: Origin,
    /// Which part of it.
    pub part: Part,
}

/// What an export holds of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Every record behind this head.
    After(Head),
    /// Chosen records, each with the hash before it.
    Filtered,
}

/// The header as it is written.
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
    /// The line, without its end.
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

    /// Reads the line.
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

/// A line of a whole export, without its end.
pub fn line(sealed: &Sealed) -> String {
    canonical::write(sealed)
}

/// Reads a line of a whole export, without its end.
pub fn parse_line(line: &[u8]) -> Result<Sealed, Unreadable> {
    canonical::read(line)
}

/// A line of a filtered export: a record, its hash, and the hash before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpted {
    /// The record and its hash.
    #[serde(flatten)]
    pub sealed: Sealed,
    /// The hash of the record before it in the log.
    pub previous: Hash,
}

impl Excerpted {
    /// The line, without its end.
    pub fn line(&self) -> String {
        canonical::write(self)
    }
}

/// Why an export cannot be checked at all.
#[derive(Debug)]
pub enum ExportFault {
    /// It does not begin with the header of an export.
    NoHeader,
    /// It cannot be read to its end.
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

/// Checks an export of either kind, in constant memory. Where keys are known, only what they have
/// signed names what was erased.
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
                let says = "The header does not name the hash that this log begins with.";
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

/// The next line, read as what it should be.
fn next<T: Serialize + for<'a> Deserialize<'a>>(
    reader: &mut impl BufRead,
) -> io::Result<Option<Result<T, Unreadable>>> {
    Ok(next_line(reader, LONGEST)?.map(|line| match line {
        Line::Whole(line) => canonical::read(&line),
        Line::TooLong => Err(Unreadable::TooLong),
    }))
}
