//! The verifier of a filtered export, line by line.

use super::canonical::{self, Unreadable};
use super::chain::{Head, Sealed};
use super::checkpoint::Checkpoint;
use super::discrepancy::{Discrepancy, Kind, Report};
use super::hash::Hash;
use super::note::NoteFault;
use super::origin::Origin;
use super::trusted_checkpoints::TrustedCheckpoints;
use serde::{Deserialize, Serialize};

/// A line of a filtered export: a record, its hash, and the previous hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpted {
    /// The record and its hash.
    #[serde(flatten)]
    pub sealed: Sealed,
    /// The hash of the previous record of the log.
    pub previous: Hash,
}

impl Excerpted {
    /// The line, without its line feed.
    pub fn line(&self) -> String {
        canonical::write(self)
    }
}

/// Verifies lines selected from a log. Each has the previous hash, so it is verified by itself; a
/// checkpoint of it or of the record before shows that it is in the log. Omitted lines cannot be
/// detected.
pub struct ExcerptVerifier {
    /// The head of the last valid line.
    head: Head,
    records: u64,
    trusted_checkpoints: TrustedCheckpoints,
    discrepancy: Option<Discrepancy>,
}

impl ExcerptVerifier {
    /// Starts with the first line.
    pub fn new(
        origin: Origin,
        checkpoints: impl Iterator<Item = Result<Checkpoint, NoteFault>>,
    ) -> Self {
        Self {
            head: Head::genesis(&origin),
            records: 0,
            trusted_checkpoints: TrustedCheckpoints::new(origin, checkpoints),
            discrepancy: None,
        }
    }

    /// Verifies the next line.
    pub fn take(&mut self, line: Result<Excerpted, Unreadable>) {
        self.records += 1;
        if self.discrepancy.is_none() {
            self.discrepancy = self.check(line).err();
        }
    }

    fn check(&mut self, line: Result<Excerpted, Unreadable>) -> Result<(), Discrepancy> {
        let last = self.head.sequence;
        let Excerpted { sealed, previous } = line.map_err(|why| {
            let says = format!("The line after record {last} is invalid: {why}.");
            Discrepancy::new(self.head.next_sequence(), Kind::Edited, says)
        })?;
        let number = sealed.record.sequence;
        let discrepancy = |kind, says| Err(Discrepancy::new(number, kind, says));
        if !sealed.is_sealed_after(&previous) {
            let says = format!("The hash of record {number} does not match its contents.");
            return discrepancy(Kind::Edited, says);
        }
        if number <= last {
            return discrepancy(
                Kind::Swapped,
                format!("Record {number} follows record {last}."),
            );
        }
        let before = Head {
            sequence: number - 1,
            hash: previous,
        };
        if before.sequence == last && before != self.head {
            let says = format!("Record {number} was sealed after another record {last}.");
            return discrepancy(Kind::Forked, says);
        }
        self.trusted_checkpoints.compare(&before)?;
        self.trusted_checkpoints.compare(&sealed.head())?;
        self.head = sealed.head();
        Ok(())
    }

    /// The result, after the last line.
    pub fn finish(self) -> Report {
        let (checkpoints, discarded) = self.trusted_checkpoints.finish();
        Report {
            records: self.records,
            start: 0,
            checkpoints,
            head: self.head,
            // The records that list erasures may not be selected.
            unnamed: None,
            first_discrepancy: self.discrepancy.or(discarded),
        }
    }
}
