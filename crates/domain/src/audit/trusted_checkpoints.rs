//! What is known of a log from outside: the checkpoints that it has to agree with.

use super::canonical::moment;
use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::discrepancy::{Discrepancy, Kind};
use super::note::NoteFault;
use super::origin::Origin;
use std::iter::Peekable;
use std::vec::IntoIter;

/// A checkpoint, or why a note is none.
type Read = Result<Checkpoint, NoteFault>;

/// Checkpoints in the order of what they sign, held against a log as it is read. They are few
/// beside the records.
pub struct TrustedCheckpoints {
    origin: Origin,
    /// Each with its place: up to where it goes.
    checkpoints: Peekable<IntoIter<(u64, Read)>>,
    /// The number up to which the last checkpoint went.
    last: u64,
    agreed: u64,
    /// A checkpoint that does not count. It tells of no record, so any other doubt says more.
    discarded: Option<Discrepancy>,
}

impl TrustedCheckpoints {
    /// Those of a log. They may come in any order, and one may come twice: each is sent at least
    /// once, and servers that share a log overtake each other.
    pub fn new(origin: Origin, checkpoints: impl Iterator<Item = Read>) -> Self {
        let mut sequence = 0;
        let mut all: Vec<_> = checkpoints
            .map(|read| {
                // What does not count stays behind what it came after.
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

    /// Holds the checkpoints up to a head against it. Of those before it nothing can be said
    /// any more: they belong to a part of the log that is not being read.
    pub fn compare(&mut self, head: &Head) -> Result<(), Discrepancy> {
        while let Some(checkpoint) = self.next_up_to(head.sequence) {
            let sequence = checkpoint.head.sequence;
            let at = moment::write(checkpoint.at);
            if sequence == head.sequence && checkpoint.head != *head {
                let says = format!(
                    "The hashes up to here fit, but the checkpoint of {at} names another: records \
                     between {} and {sequence} are not those that were signed.",
                    self.last.saturating_add(1)
                );
                return Err(Discrepancy::new(sequence, Kind::Forked, says));
            }
            self.agreed += u64::from(sequence == head.sequence);
            self.last = sequence;
        }
        Ok(())
    }

    /// The next checkpoint that counts, unless it lies further on.
    fn next_up_to(&mut self, sequence: u64) -> Option<Checkpoint> {
        loop {
            let (_, read) = self.checkpoints.next_if(|(at, _)| *at <= sequence)?;
            let why = match read {
                Ok(checkpoint) if checkpoint.origin == self.origin => return Some(checkpoint),
                Ok(checkpoint) => format!("it is of the log {}", checkpoint.origin),
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

    /// Whether the log ends where it may: checkpoints know of no more records.
    pub fn reach_no_further(&mut self, head: &Head) -> Result<(), Discrepancy> {
        let Some(checkpoint) = self.next_up_to(u64::MAX) else {
            return Ok(());
        };
        let says = format!(
            "The checkpoint of {} knows {} records; those after {} are gone.",
            moment::write(checkpoint.at),
            checkpoint.head.sequence,
            head.sequence
        );
        Err(Discrepancy::new(head.next_sequence(), Kind::Cut, says))
    }

    /// How many checkpoints agree, and what is wrong with one that does not count.
    pub fn finish(mut self) -> (u64, Option<Discrepancy>) {
        while self.next_up_to(u64::MAX).is_some() {}
        (self.agreed, self.discarded)
    }
}
