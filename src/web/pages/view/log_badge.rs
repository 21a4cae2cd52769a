//! What is known about the state of the audit log.

use super::Moment;

/// What is known about the state of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBadge {
    /// The result of the last verification.
    pub state: LogState,
    /// The last signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

/// The result of the last verification of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogState {
    /// At this time all records fitted; with their number.
    Verified(Moment, u64),
    /// At this time a record did not fit; with its sequence number.
    Contradicted(Moment, u64),
    /// It has not been verified.
    Unverified,
}

/// A signed checkpoint of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was signed.
    pub at: Moment,
    /// The last record that it covers.
    pub sequence: u64,
    /// The start and the end of the hash of that record.
    pub hash: String,
}
