//! The verifier of a whole log, line by line and in constant memory.

use super::canonical::Unreadable;
use super::chain::{Head, Sealed};
use super::checkpoint::Checkpoint;
use super::diagnosis::Diagnosis;
use super::discrepancy::{Discrepancy, Report};
use super::erasure::Unnamed;
use super::note::{NoteFault, VerifierKey};
use super::origin::Origin;
use super::trusted_checkpoints::TrustedCheckpoints;

/// Reads a log and finds its first discrepancy.
///
/// An attacker who can write the log can also recompute all hashes. Only checkpoints that are
/// stored elsewhere show that, and that the end is missing.
pub struct Verifier {
    origin: Origin,
    /// The head of the valid part.
    head: Head,
    start: u64,
    records: u64,
    trusted_checkpoints: TrustedCheckpoints,
    erased: Unnamed,
    finding: Finding,
}

enum Finding {
    /// No discrepancy so far.
    Sound,
    /// A line is invalid; the following lines show how the log was changed.
    Suspicious(Box<Diagnosis>),
    /// The log contradicts a checkpoint.
    Contradicted(Discrepancy),
}

impl Verifier {
    /// Starts after a head: [`Head::genesis`], or the start of an export.
    pub fn new(
        origin: Origin,
        start: Head,
        checkpoints: impl Iterator<Item = Result<Checkpoint, NoteFault>>,
    ) -> Self {
        let mut verifier = Self {
            head: start,
            start: start.sequence,
            records: 0,
            trusted_checkpoints: TrustedCheckpoints::new(origin.clone(), checkpoints),
            erased: Unnamed::new(origin.clone(), Vec::new()),
            origin,
            finding: Finding::Sound,
        };
        verifier.compare();
        verifier
    }

    /// Accepts only erasure records that are signed with one of these keys.
    pub fn trusting(self, keys: Vec<VerifierKey>) -> Self {
        let erased = Unnamed::new(self.origin.clone(), keys);
        Self { erased, ..self }
    }

    /// Verifies the next line.
    pub fn take(&mut self, line: Result<Sealed, Unreadable>) {
        self.records += 1;
        match (&mut self.finding, line) {
            (Finding::Contradicted(_), _) => {}
            (Finding::Suspicious(diagnosis), line) => diagnosis.examine(line.ok()),
            (Finding::Sound, Ok(line)) if self.head.is_followed_by(&line) => {
                self.head = line.head();
                self.erased.take(&line.record);
                self.compare();
            }
            (Finding::Sound, line) => {
                self.finding = Finding::Suspicious(Box::new(Diagnosis::new(self.head, line)));
            }
        }
    }

    fn compare(&mut self) {
        if let Err(discrepancy) = self.trusted_checkpoints.compare(&self.head) {
            self.finding = Finding::Contradicted(discrepancy);
        }
    }

    /// The result, after the last line.
    pub fn finish(mut self) -> Report {
        let discrepancy = match self.finding {
            Finding::Sound => self.trusted_checkpoints.reach_no_further(&self.head).err(),
            Finding::Suspicious(diagnosis) => Some(diagnosis.into_discrepancy()),
            Finding::Contradicted(discrepancy) => Some(discrepancy),
        };
        let (checkpoints, discarded) = self.trusted_checkpoints.finish();
        Report {
            records: self.records,
            start: self.start,
            checkpoints,
            head: self.head,
            unnamed: self.erased.first(),
            first_discrepancy: discrepancy.or(discarded),
        }
    }
}
