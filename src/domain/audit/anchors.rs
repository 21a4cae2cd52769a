//! What is known of a log from outside: the checkpoints that it has to agree with.

use super::canonical::moment;
use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::doubt::{Doubt, Kind};
use super::hash::Hash;
use super::note::NoteFault;
use super::origin::Origin;
use std::collections::BTreeMap;
use std::iter::Peekable;

/// Checkpoints in the order in which they were signed, held against a log as it is read.
pub struct Anchors<C: Iterator<Item = Result<Checkpoint, NoteFault>>> {
    origin: Origin,
    checkpoints: Peekable<C>,
    /// The number up to which the last checkpoint went.
    last: u64,
    /// What they said: each is sent at least once, and so may come again.
    seen: BTreeMap<u64, Hash>,
    agreed: u64,
    /// A checkpoint that does not count. It tells of no record, so any other doubt says more.
    discarded: Option<Doubt>,
}

impl<C: Iterator<Item = Result<Checkpoint, NoteFault>>> Anchors<C> {
    /// Those of a log.
    pub fn new(origin: Origin, checkpoints: C) -> Self {
        Self {
            origin,
            checkpoints: checkpoints.peekable(),
            last: 0,
            seen: BTreeMap::new(),
            agreed: 0,
            discarded: None,
        }
    }

    /// Holds the checkpoints up to a head against it. Of those before it nothing can be said
    /// any more: they belong to a part of the log that is not being read.
    pub fn compare(&mut self, head: &Head) -> Result<(), Doubt> {
        while let Some(checkpoint) = self.next_up_to(head.sequence) {
            let sequence = checkpoint.head.sequence;
            let at = moment::write(checkpoint.at);
            if sequence < self.last {
                let says = format!(
                    "The checkpoint of {at} knows {sequence} records, and one before it {}: the \
                     log went back in between.",
                    self.last
                );
                return Err(Doubt::new(sequence, Kind::Forked, says));
            }
            if sequence == head.sequence && checkpoint.head != *head {
                let says = format!(
                    "The hashes up to here fit, but the checkpoint of {at} names another: records \
                     between {} and {sequence} are not those that were signed.",
                    self.last.saturating_add(1)
                );
                return Err(Doubt::new(sequence, Kind::Forked, says));
            }
            self.agreed += u64::from(sequence == head.sequence);
            self.last = sequence;
        }
        Ok(())
    }

    /// The next checkpoint that counts and says something new, unless it lies further on.
    fn next_up_to(&mut self, sequence: u64) -> Option<Checkpoint> {
        loop {
            let is_due = |next: &Result<Checkpoint, NoteFault>| {
                let lies_ahead = |next: &Checkpoint| next.head.sequence > sequence;
                !next.as_ref().is_ok_and(lies_ahead)
            };
            let why = match self.checkpoints.next_if(is_due)? {
                Ok(checkpoint) if checkpoint.origin == self.origin => {
                    let Head { sequence, hash } = checkpoint.head;
                    match self.seen.insert(sequence, hash) == Some(hash) {
                        true => continue,
                        false => return Some(checkpoint),
                    }
                }
                Ok(checkpoint) => format!("it is of the log {}", checkpoint.origin),
                Err(fault) => fault.to_string(),
            };
            let last = self.last;
            self.discarded.get_or_insert_with(|| {
                let says =
                    format!("The checkpoint after that of record {last} does not count: {why}.");
                Doubt::new(last, Kind::Signature, says)
            });
        }
    }

    /// Whether the log ends where it may: checkpoints know of no more records.
    pub fn reach_no_further(&mut self, head: &Head) -> Result<(), Doubt> {
        let Some(checkpoint) = self.next_up_to(u64::MAX) else {
            return Ok(());
        };
        let says = format!(
            "The checkpoint of {} knows {} records; those after {} are gone.",
            moment::write(checkpoint.at),
            checkpoint.head.sequence,
            head.sequence
        );
        Err(Doubt::new(head.next_sequence(), Kind::Cut, says))
    }

    /// How many checkpoints agree, and what is wrong with one that does not count.
    pub fn finish(mut self) -> (u64, Option<Doubt>) {
        while self.next_up_to(u64::MAX).is_some() {}
        (self.agreed, self.discarded)
    }
}
