//! Finds out how a log was changed, from the lines after the first invalid one.

use super::canonical::Unreadable;
use super::chain::{Head, Sealed};
use super::discrepancy::{Discrepancy, Kind};
use super::hash::Hash;

/// An invalid line and its discrepancy so far. A hash proves at which position a line was sealed,
/// so later lines can show what happened.
pub struct Diagnosis {
    /// The head before the invalid line.
    before: Head,
    /// The invalid line, if it can be read.
    line: Option<Sealed>,
    /// The hash in the line before the next one.
    latest: Option<Hash>,
    /// The number of lines since.
    since: u64,
    discrepancy: Discrepancy,
    /// Whether later lines cannot change the result.
    is_settled: bool,
}

impl Diagnosis {
    /// Starts with the first invalid line after a head.
    pub fn new(before: Head, line: Result<Sealed, Unreadable>) -> Self {
        let sequence = before.next_sequence();
        let discrepancy = match &line {
            Err(why) => {
                let says = format!("The line of record {sequence} is invalid: {why}.");
                Discrepancy::new(sequence, Kind::Edited, says)
            }
            Ok(line) => first_sight(&before, line),
        };
        let line = line.ok();
        Self {
            before,
            latest: line.as_ref().map(|line| line.hash),
            line,
            since: 0,
            is_settled: discrepancy.kind == Kind::Renumbered,
            discrepancy,
        }
    }

    /// Examines a line that follows.
    pub fn examine(&mut self, next: Option<Sealed>) {
        self.since += 1;
        if !self.is_settled
            && let Some(next) = &next
            && let Some(discrepancy) = self.explain(next)
        {
            // A line that looks swapped was inserted if it occurs once more.
            self.is_settled = discrepancy.kind != Kind::Swapped;
            self.discrepancy = discrepancy;
        }
        self.latest = next.map(|line| line.hash);
    }

    /// The discrepancy, if that line proves it.
    fn explain(&self, next: &Sealed) -> Option<Discrepancy> {
        let sequence = self.before.next_sequence();
        if self.discrepancy.kind == Kind::Swapped {
            let is_copy = self
                .line
                .as_ref()
                .is_some_and(|line| line.hash == next.hash);
            return is_copy.then(|| inserted(sequence));
        }
        if next.was_sealed_as(sequence, &self.before.hash) {
            return Some(self.explain_displaced(next));
        }
        let line = self.line.as_ref().filter(|_| self.since == 1)?;
        if line.record.sequence != sequence {
            return None;
        }
        // The two were sealed one after the other, with other sequences.
        let number = next.record.sequence;
        if next.was_sealed_as(number.saturating_add(1), &line.hash) {
            let says =
                format!("Record {sequence} was removed, and those after it were renumbered.");
            return Some(Discrepancy::new(sequence, Kind::Missing, says));
        }
        if next.was_sealed_as(number.saturating_sub(1), &line.hash) {
            let says = format!(
                "A record was inserted before {sequence}, and those after it were renumbered."
            );
            return Some(Discrepancy::new(self.before.sequence, Kind::Inserted, says));
        }
        None
    }

    /// The discrepancy, when the record that belongs here comes later.
    fn explain_displaced(&self, next: &Sealed) -> Discrepancy {
        let sequence = self.before.next_sequence();
        let number = next.record.sequence;
        let line = self.line.as_ref();
        if line.is_some_and(|line| line.record.sequence != sequence) && number != sequence {
            return renumbered(sequence, number);
        }
        // The line is too early if it was sealed after the record that it displaced, or after the
        // line before that record's present position.
        let position = sequence.saturating_add(self.since);
        let stands_too_early = line.is_some_and(|line| {
            let latest = self.latest.filter(|_| self.since > 1);
            line.was_sealed_as(sequence.saturating_add(1), &next.hash)
                || latest.is_some_and(|latest| line.was_sealed_as(position, &latest))
        });
        if stands_too_early {
            let says = format!("Record {sequence} is at the position of record {position}.");
            return Discrepancy::new(sequence, Kind::Swapped, says);
        }
        inserted(sequence)
    }

    /// The discrepancy, after the last line.
    pub fn into_discrepancy(self) -> Discrepancy {
        self.discrepancy
    }
}

/// The discrepancy as far as the invalid line alone shows it.
fn first_sight(before: &Head, line: &Sealed) -> Discrepancy {
    let sequence = before.next_sequence();
    let last = before.sequence;
    let number = line.record.sequence;
    if line.was_sealed_as(sequence, &before.hash) {
        return renumbered(sequence, number);
    }
    let (sequence, kind, says) = if number > sequence {
        let says = format!("Record {last} is followed by record {number}.");
        (sequence, Kind::Missing, says)
    } else if number == sequence {
        let says = format!(
            "The hash of record {sequence} does not match its contents and the previous hash: \
             it was changed, or record {last} was resealed."
        );
        (sequence, Kind::Edited, says)
    } else if number == last {
        let says = format!("Two records have the number {number}.");
        (last, Kind::Inserted, says)
    } else {
        let says = format!("Record {last} is followed by another record {number}.");
        (sequence, Kind::Inserted, says)
    };
    Discrepancy::new(sequence, kind, says)
}

fn renumbered(sequence: u64, number: u64) -> Discrepancy {
    let says = format!("Record {sequence} was renumbered to {number}.");
    Discrepancy::new(sequence, Kind::Renumbered, says)
}

fn inserted(sequence: u64) -> Discrepancy {
    let says = format!("A line was inserted before record {sequence}.");
    Discrepancy::new(sequence, Kind::Inserted, says)
}
