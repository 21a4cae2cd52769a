//! The check of a whole log, line by line and in constant memory.

use super::canonical::Unreadable;
use super::chain::{Head, Sealed};
use super::checkpoint::Checkpoint;
use super::diagnosis::Diagnosis;
use super::discrepancy::{Discrepancy, Report};
use super::erasure::Unnamed;
use super::note::{NoteFault, VerifierKey};
use super::origin::Origin;
use super::trusted_checkpoints::TrustedCheckpoints;

/// Reads a log and finds the first place that does not fit.
///
/// Whoever can write the log can also compute all hashes anew. Only checkpoints that are kept
/// elsewhere show that, and that the end is missing.
pub struct Verifier {
    /// The end of what fits.
    head: Head,
    start: u64,
    records: u64,
    trusted_checkpoints: TrustedCheckpoints,
    erased: Unnamed,
    finding: Finding,
}

enum Finding {
    /// Everything fits so far.
    Sound,
    /// A line did not fit; what follows tells what was done.
    Suspicious(Box<Diagnosis>),
    /// The log is not the one that was signed.
    Contradicted(Discrepancy),
}

impl Verifier {
    /// Begins behind a head: [`Head::genesis`], or where an export begins.
    pub fn new(
        origin: Origin,
        start: Head,
        checkpoints: impl Iterator<Item = Result<Checkpoint, NoteFault>>,
    ) -> Self {
        let mut verifier = Self {
            head: start,
            start: start.sequence,
            records: 0,
            trusted_checkpoints: TrustedCheckpoints::new(origin, checkpoints),
            erased: Unnamed::default(),
            finding: Finding::Sound,
        };
        verifier.compare();
        verifier
    }

    /// Lets only those name what was erased whose keys these are.
    pub fn trusting(self, keys: Vec<VerifierKey>) -> Self {
        let erased = Unnamed::by(keys);
        Self { erased, ..self }
    }

    /// Takes the next line.
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

    /// What was found, after the last line.
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
