//! The check of a filtered export, line by line.

use super::canonical::Unreadable;
use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::discrepancy::{Discrepancy, Kind, Report};
use super::export::Excerpted;
use super::note::NoteFault;
use super::origin::Origin;
use super::trusted_checkpoints::TrustedCheckpoints;

/// Reads lines that were chosen from a log. Each bears the hash before it, so it proves itself
/// and, where a checkpoint touches it, that it is in the log. That none was left out cannot
/// be told from it.
pub struct ExcerptVerifier {
    /// The end of what fits.
    head: Head,
    records: u64,
    trusted_checkpoints: TrustedCheckpoints,
    discrepancy: Option<Discrepancy>,
}

impl ExcerptVerifier {
    /// Begins with the first line.
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

    /// Takes the next line.
    pub fn take(&mut self, line: Result<Excerpted, Unreadable>) {
        self.records += 1;
        if self.discrepancy.is_none() {
            self.discrepancy = self.check(line).err();
        }
    }

    fn check(&mut self, line: Result<Excerpted, Unreadable>) -> Result<(), Discrepancy> {
        let last = self.head.sequence;
        let Excerpted { sealed, previous } = line.map_err(|why| {
            let says = format!("Of the line after record {last}, {why}.");
            Discrepancy::new(self.head.next_sequence(), Kind::Edited, says)
        })?;
        let number = sealed.record.sequence;
        let discrepancy = |kind, says| Err(Discrepancy::new(number, kind, says));
        if !sealed.is_sealed_after(&previous) {
            let says = format!("The hash of record {number} does not follow from what it says.");
            return discrepancy(Kind::Edited, says);
        }
        if number <= last {
            return discrepancy(
                Kind::Swapped,
                format!("Record {number} comes after record {last}."),
            );
        }
        let before = Head {
            sequence: number - 1,
            hash: previous,
        };
        if before.sequence == last && before != self.head {
            let says = format!("Record {number} was sealed behind another than record {last}.");
            return discrepancy(Kind::Forked, says);
        }
        self.trusted_checkpoints.compare(&before)?;
        self.trusted_checkpoints.compare(&sealed.head())?;
        self.head = sealed.head();
        Ok(())
    }

    /// What was found, after the last line.
    pub fn finish(self) -> Report {
        let (checkpoints, discarded) = self.trusted_checkpoints.finish();
        Report {
            records: self.records,
            start: 0,
            checkpoints,
            head: self.head,
            // What names them may not have been chosen.
            unnamed: None,
            first_discrepancy: self.discrepancy.or(discarded),
        }
    }
}
