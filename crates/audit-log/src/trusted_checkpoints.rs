//! Trusted checkpoints, against which a log is verified.

use super::canonical::moment;
use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::discrepancy::{Discrepancy, Kind};
use super::note::NoteFault;
use super::origin::Origin;
use std::iter::Peekable;
use std::vec::IntoIter;

/// A checkpoint, or the fault of its note.
type Read = Result<Checkpoint, NoteFault>;

/// Checkpoints in the order of their sequences, compared with a log as it is read. They are few
/// compared with the records.
pub struct TrustedCheckpoints {
    origin: Origin,
    /// Each with the sequence that it covers.
    checkpoints: Peekable<IntoIter<(u64, Read)>>,
    /// The sequence of the last checkpoint.
    last: u64,
    agreed: u64,
    /// An invalid checkpoint. It concerns no record, so any other discrepancy has precedence.
    discarded: Option<Discrepancy>,
}

impl TrustedCheckpoints {
    /// The checkpoints of a log. Order and duplicates are irrelevant: each is sent at least once,
    /// and servers that share a log overtake each other.
    pub fn new(origin: Origin, checkpoints: impl Iterator<Item = Read>) -> Self {
        let mut sequence = 0;
        let mut all: Vec<_> = checkpoints
            .map(|read| {
                // An invalid checkpoint keeps the sequence of the one before it.
                if let Ok(signed) = &read
                    && signed.origin == origin
                {
                    sequence = signed.head.sequence;
                }
                (sequence, read)
            })
            .collect();
        all.sort_by_key(|(sequence, _)| *sequence);
        all.dedup();
        Self {
            origin,
            checkpoints: all.into_iter().peekable(),
            last: 0,
            agreed: 0,
            discarded: None,
        }
    }

    /// Compares the checkpoints up to a head with it. Those before the head are skipped: they
    /// belong to a part of the log that is not read.
    pub fn compare(&mut self, head: &Head) -> Result<(), Discrepancy> {
        while let Some(checkpoint) = self.next_up_to(head.sequence) {
            let sequence = checkpoint.head.sequence;
            let at = moment::write(checkpoint.at);
            if sequence == head.sequence && checkpoint.head != *head {
                let says = format!(
                    "The hashes up to here match, but the checkpoint of {at} has another: records \
                     between {} and {sequence} differ from those that were signed.",
                    self.last.saturating_add(1)
                );
                return Err(Discrepancy::new(sequence, Kind::Forked, says));
            }
            self.agreed += u64::from(sequence == head.sequence);
            self.last = sequence;
        }
        Ok(())
    }

    /// The next valid checkpoint up to a sequence.
    fn next_up_to(&mut self, sequence: u64) -> Option<Checkpoint> {
        loop {
            let (_, read) = self.checkpoints.next_if(|(at, _)| *at <= sequence)?;
            let why = match read {
                Ok(checkpoint) if checkpoint.origin == self.origin => return Some(checkpoint),
                Ok(checkpoint) => format!("it belongs to the log {}", checkpoint.origin),
                Err(fault) => fault.to_string(),
            };
            let last = self.last;
            self.discarded.get_or_insert_with(|| {
                let says =
                    format!("The checkpoint after that of record {last} does not count: {why}.");
                Discrepancy::new(last, Kind::Signature, says)
            });
        }
    }

    /// Checks that no checkpoint covers more records than the log has.
    pub fn reach_no_further(&mut self, head: &Head) -> Result<(), Discrepancy> {
        let Some(checkpoint) = self.next_up_to(u64::MAX) else {
            return Ok(());
        };
        let says = format!(
            "The checkpoint of {} covers {} records; those after {} are missing.",
            moment::write(checkpoint.at),
            checkpoint.head.sequence,
            head.sequence
        );
        Err(Discrepancy::new(head.next_sequence(), Kind::Cut, says))
    }

    /// The number of matching checkpoints, and the first invalid one.
    pub fn finish(mut self) -> (u64, Option<Discrepancy>) {
        while self.next_up_to(u64::MAX).is_some() {}
        (self.agreed, self.discarded)
    }
}
