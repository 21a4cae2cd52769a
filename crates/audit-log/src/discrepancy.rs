//! Results of the verification of a log.

use super::chain::Head;
use crate::words;

words! {
    /// The kind of a discrepancy.
    Kind {
        /// A record differs from what was sealed.
        Edited = "edited",
        /// A record was removed.
        Missing = "missing",
        /// A record is at the position of another.
        Swapped = "swapped",
        /// A record was never sealed here.
        Inserted = "inserted",
        /// The sequence of a record differs from its position.
        Renumbered = "renumbered",
        /// Records at the end were removed.
        Cut = "cut",
        /// The log is consistent, but differs from the signed one.
        Forked = "forked",
        /// A checkpoint is invalid, or its key is unknown.
        Signature = "signature",
    }
}

/// The first discrepancy of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// The position in the log. Everything before it is valid.
    pub sequence: u64,
    /// The kind, as far as it is known.
    pub kind: Kind,
    /// The explanation, in a sentence.
    pub says: String,
}

impl Discrepancy {
    /// A discrepancy at a position.
    pub fn new(sequence: u64, kind: Kind, says: impl Into<String>) -> Self {
        Self {
            sequence,
            kind,
            says: says.into(),
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The number of lines, with invalid ones.
    pub records: u64,
    /// The sequence before the first line; 0 for a whole log and for a filtered export.
    pub start: u64,
    /// The number of matching checkpoints.
    pub checkpoints: u64,
    /// The head of the valid part.
    pub head: Head,
    /// The first erased record that no erasure record lists. In a whole log that is a
    /// discrepancy; an export may end before the erasure record.
    pub unnamed: Option<u64>,
    /// The first discrepancy.
    pub first_discrepancy: Option<Discrepancy>,
}
