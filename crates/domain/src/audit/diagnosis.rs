//! What was done to a log, told from the lines that follow the first that does not fit.

use super::canonical::Unreadable;
use super::chain::{Head, Sealed};
use super::discrepancy::{Discrepancy, Kind};
use super::hash::Hash;

/// A line that does not fit, and what it looks like so far. A hash proves where a line was
/// sealed, so a line that comes later can show what happened here.
pub struct Diagnosis {
    /// The end of what fits.
    before: Head,
    /// The line that does not fit, if it can be read.
    line: Option<Sealed>,
    /// The hash that the line before the one to come claims.
    latest: Option<Hash>,
    /// How many lines came since.
    since: u64,
    discrepancy: Discrepancy,
    /// Whether nothing that comes can tell more.
    is_settled: bool,
}

impl Diagnosis {
    /// Suspects the first line that does not fit behind a head.
    pub fn new(before: Head, line: Result<Sealed, Unreadable>) -> Self {
        let sequence = before.next_sequence();
        let discrepancy = match &line {
            Err(why) => {
                let says = format!("Of the line of record {sequence}, {why}.");
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

    /// Looks at a line that follows.
    pub fn examine(&mut self, next: Option<Sealed>) {
        self.since += 1;
        if !self.is_settled
            && let Some(next) = &next
            && let Some(discrepancy) = self.explain(next)
        {
            // What looks swapped was inserted, should it come once more.
            self.is_settled = discrepancy.kind != Kind::Swapped;
            self.discrepancy = discrepancy;
        }
        self.latest = next.map(|line| line.hash);
    }

    /// What happened, if that line proves it.
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
        // The two were sealed one behind the other, but bore other numbers.
        let number = next.record.sequence;
        if next.was_sealed_as(number.saturating_add(1), &line.hash) {
            let says =
                format!("Record {sequence} was taken out, and those behind it were renumbered.");
            return Some(Discrepancy::new(sequence, Kind::Missing, says));
        }
        if next.was_sealed_as(number.saturating_sub(1), &line.hash) {
            let says = format!(
                "A record was put in before {sequence}, and those behind it were renumbered."
            );
            return Some(Discrepancy::new(self.before.sequence, Kind::Inserted, says));
        }
        None
    }

    /// What happened, when the record that belongs in this place stands further on.
    fn explain_displaced(&self, next: &Sealed) -> Discrepancy {
        let sequence = self.before.next_sequence();
        let number = next.record.sequence;
        let line = self.line.as_ref();
        if line.is_some_and(|line| line.record.sequence != sequence) && number != sequence {
            return renumbered(sequence, number);
        }
        // The line stands too early when it was sealed behind the record that it displaced,
        // or where that record stands now.
        let position = sequence.saturating_add(self.since);
        let stands_too_early = line.is_some_and(|line| {
            let latest = self.latest.filter(|_| self.since > 1);
            line.was_sealed_as(sequence.saturating_add(1), &next.hash)
                || latest.is_some_and(|latest| line.was_sealed_as(position, &latest))
        });
        if stands_too_early {
            let says =
                format!("What was sealed as record {sequence} stands in the place of {position}.");
            return Discrepancy::new(sequence, Kind::Swapped, says);
        }
        inserted(sequence)
    }

    /// The doubt, after the last line.
    pub fn into_discrepancy(self) -> Discrepancy {
        self.discrepancy
    }
}

/// What a line looks like that does not fit behind a head.
fn first_sight(before: &Head, line: &Sealed) -> Discrepancy {
    let sequence = before.next_sequence();
    let last = before.sequence;
    let number = line.record.sequence;
    if line.was_sealed_as(sequence, &before.hash) {
        return renumbered(sequence, number);
    }
    let (sequence, kind, says) = if number > sequence {
        let says = format!("After record {last} comes record {number}.");
        (sequence, Kind::Missing, says)
    } else if number == sequence {
        let says = format!(
            "The hash of record {sequence} does not follow from what it says and the hash before it: \
             it was changed, or record {last} was sealed anew."
        );
        (sequence, Kind::Edited, says)
    } else if number == last {
        let says = format!("Two records bear the number {number}.");
        (last, Kind::Inserted, says)
    } else {
        let says = format!("After record {last} comes another line of the number {number}.");
        (sequence, Kind::Inserted, says)
    };
    Discrepancy::new(sequence, kind, says)
}

fn renumbered(sequence: u64, number: u64) -> Discrepancy {
    let says = format!("Record {sequence} was given the number {number}.");
    Discrepancy::new(sequence, Kind::Renumbered, says)
}

fn inserted(sequence: u64) -> Discrepancy {
    let says = format!("A line that was not sealed here stands before record {sequence}.");
    Discrepancy::new(sequence, Kind::Inserted, says)
}
