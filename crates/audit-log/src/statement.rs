//! Signed statements: claims of the log's owner about the log.
//!
//! An attacker who can write the log can recompute its hashes, remove records and erase texts.
//! Write access must not suffice for that, so such facts are signed with a key that is stored
//! elsewhere. The last line of a statement is its kind, so that no statement can pass for one of
//! another kind.

use super::canonical::moment;
use super::chain::Head;
use super::hash::Hash;
use super::note::{self, NoteFault, VerifierKey};
use super::origin::Origin;
use super::record::Record;
use crate::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

/// Key of the signed note in the detail of a record that has one.
pub(super) const NOTE: &str = "note";

/// The last line of each kind.
const CHECKPOINT: &str = "checkpoint";
const PRUNED: &str = "pruned";
const FORGOTTEN: &str = "forgotten";
const ERASED: &str = "erased";

/// A statement about a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The log.
    pub origin: Origin,
    /// The claim.
    pub claim: Claim,
}

/// The content of a statement. Times have millisecond precision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The log had this head at this time.
    Checkpoint {
        /// The head.
        head: Head,
        /// The time.
        at: Instant,
    },
    /// The records up to this head were pruned.
    Pruned {
        /// The head of the pruned part: the rest of the log follows it.
        head: Head,
        /// When that was stated.
        at: Instant,
    },
    /// Token uses were pruned.
    Forgotten {
        /// The batches recorded before this time.
        before: Instant,
    },
    /// Personal data was erased from records. A line feed in either text makes the statement
    /// invalid.
    Erased {
        /// The user's id.
        user: String,
        /// The sequences of the records, as the record of the erasure lists them.
        records: String,
    },
}

impl Statement {
    /// The text that is signed: the origin, the lines of the claim, and its kind.
    pub fn text(&self) -> String {
        let (lines, kind) = match &self.claim {
            Claim::Checkpoint { head, at } => (write_head(head, *at), CHECKPOINT),
            Claim::Pruned { head, at } => (write_head(head, *at), PRUNED),
            Claim::Forgotten { before } => (moment::write(*before), FORGOTTEN),
            Claim::Erased { user, records } => (format!("{user}\n{records}"), ERASED),
        };
        format!("{}\n{lines}\n{kind}\n", self.origin)
    }

    /// Parses exactly the output of [`Self::text`].
    pub fn parse(text: &str) -> Option<Self> {
        let lines: Vec<_> = text.strip_suffix('\n')?.split('\n').collect();
        let [origin, lines @ .., kind] = lines.as_slice() else {
            return None;
        };
        let claim = match (*kind, lines) {
            (CHECKPOINT, lines) => {
                let (head, at) = read_head(lines)?;
                Claim::Checkpoint { head, at }
            }
            (PRUNED, lines) => {
                let (head, at) = read_head(lines)?;
                Claim::Pruned { head, at }
            }
            (FORGOTTEN, [before]) => Claim::Forgotten {
                before: moment::read(before)?,
            },
            (ERASED, [user, records]) => Claim::Erased {
                user: (*user).to_owned(),
                records: (*records).to_owned(),
            },
            _ => return None,
        };
        let origin = Origin::parse(origin)?;
        let parsed = Self { origin, claim };
        (parsed.text() == text).then_some(parsed)
    }

    /// Signs the statement with a key that is named after the log; returns the signed note.
    pub fn sign(&self, pair: &Ed25519KeyPair) -> String {
        note::sign(&self.text(), &self.origin, pair)
    }

    /// The statement of a signed note, if one of these keys has signed it, and that key is named
    /// after the log: a key of one log cannot sign statements about another.
    ///
    /// # Errors
    ///
    /// [`NoteFault::Malformed`] if it is no signed statement, [`NoteFault::Unknown`] if no such key
    /// has signed it, and [`NoteFault::Forged`] if a signature by one of the keys is invalid.
    pub fn verify(note: &str, keys: &[VerifierKey]) -> Result<Self, NoteFault> {
        let (text, names) = note::verify(note, keys)?;
        let statement = Self::parse(text).ok_or(NoteFault::Malformed)?;
        let is_own = names.contains(&statement.origin);
        is_own.then_some(statement).ok_or(NoteFault::Unknown)
    }

    /// The statement in the detail of a record, if it has one that [`Self::verify`] accepts.
    pub(super) fn of_record(record: &Record, keys: &[VerifierKey]) -> Option<Self> {
        let note = record.detail.get(NOTE).and_then(Value::as_str)?;
        Self::verify(note, keys).ok()
    }
}

/// Sequence, hash in base64, and time: after the origin, the order of lines of a C2SP checkpoint.
fn write_head(Head { sequence, hash }: &Head, at: Instant) -> String {
    let hash = STANDARD.encode(hash.as_bytes());
    format!("{sequence}\n{hash}\n{}", moment::write(at))
}

fn read_head(lines: &[&str]) -> Option<(Head, Instant)> {
    let [sequence, hash, at] = lines else {
        return None;
    };
    let hash = STANDARD.decode(hash).ok()?.try_into().ok()?;
    let head = Head {
        sequence: sequence.parse().ok()?,
        hash: Hash::from_bytes(hash),
    };
    Some((head, moment::read(at)?))
}
