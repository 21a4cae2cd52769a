//! What a check of a log finds.

use super::chain::Head;
use super::words::words;

words! {
    /// What was done to a log.
    Kind {
        /// A record does not say what it said when it was sealed.
        Edited = "edited",
        /// A record was taken out.
        Missing = "missing",
        /// A record stands in the place of another.
        Swapped = "swapped",
        /// There is a record that was never sealed here.
        Inserted = "inserted",
        /// A record bears another number than that of its place.
        Renumbered = "renumbered",
        /// Records at the end were taken away.
        Cut = "cut",
        /// The log fits in itself, but it is not the log that was signed.
        Forked = "forked",
        /// A checkpoint is none, or is signed by nobody known.
        Signature = "signature",
    }
}

/// The first thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// The place in the log. Whatever stands before it fits.
    pub sequence: u64,
    /// What was done there, as far as it can be told.
    pub kind: Kind,
    /// Why, in a sentence.
    pub says: String,
}

impl Discrepancy {
    /// A doubt about a place.
    pub fn new(sequence: u64, kind: Kind, says: impl Into<String>) -> Self {
        Self {
            sequence,
            kind,
            says: says.into(),
        }
    }
}

/// What came out of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many lines there were, with those that do not fit.
    pub records: u64,
    /// Behind which record they begin; 0 where none was left out, and of chosen lines.
    pub start: u64,
    /// How many checkpoints agree.
    pub checkpoints: u64,
    /// The end of what fits.
    pub head: Head,
    /// The first record that was erased and that no other names. Of a whole log that is doubtful;
    /// a copy may end before it comes to that.
    pub unnamed: Option<u64>,
    /// What does not fit.
    pub first_discrepancy: Option<Discrepancy>,
}
