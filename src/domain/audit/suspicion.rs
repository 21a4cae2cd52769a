//! What was done to a log, told from the lines that follow the first that does not fit.

use super::canonical::Unreadable;
use super::chain::{Head, Sealed};
use super::doubt::{Doubt, Kind};
use super::hash::Hash;

/// A line that does not fit, and what it looks like so far. A hash proves where a line was
/// sealed, so a line that comes later can show what happened here.
pub struct Suspicion {
    /// The end of what fits.
    before: Head,
    /// The line that does not fit, if it can be read.
    line: Option<Sealed>,
    /// The hash that the line before the one to come claims.
    latest: Option<Hash>,
    /// How many lines came since.
    since: u64,
    kind: Kind,
    says: String,
    /// Whether nothing that comes can tell more.
    is_settled: bool,
}

impl Suspicion {
    /// Suspects the first line that does not fit behind a head.
    pub fn new(before: Head, line: Result<Sealed, Unreadable>) -> Self {
        let place = before.next_sequence();
        let (kind, says) = match &line {
            Err(why) => (
                Kind::Edited,
                format!("Of the line of record {place}, {why}."),
            ),
            Ok(line) => first_sight(&before, line),
        };
        let line = line.ok();
        Self {
            before,
            latest: line.as_ref().map(|line| line.hash),
            line,
            since: 0,
            is_settled: kind == Kind::Renumbered,
            kind,
            says,
        }
    }

    /// Looks at a line that follows.
    pub fn examine(&mut self, next: Option<Sealed>) {
        self.since += 1;
        if !self.is_settled
            && let Some(next) = &next
            && let Some((kind, says)) = self.explain(next)
        {
            (self.kind, self.says, self.is_settled) = (kind, says, true);
        }
        self.latest = next.map(|line| line.hash);
    }

    /// What happened, if that line proves it.
    fn explain(&self, next: &Sealed) -> Option<(Kind, String)> {
        let place = self.before.next_sequence();
        let number = next.record.sequence;
        if next.was_sealed_as(place, &self.before.hash) {
            return Some(self.explain_displaced(next));
        }
        let line = self.line.as_ref().filter(|_| self.since == 1)?;
        let was_next = next.was_sealed_as(number.saturating_add(1), &line.hash);
        (line.record.sequence == place && was_next).then(|| {
            let says =
                format!("Record {place} was taken out, and those behind it were renumbered.");
            (Kind::Missing, says)
        })
    }

    /// What happened, when the record that belongs in this place stands further on.
    fn explain_displaced(&self, next: &Sealed) -> (Kind, String) {
        let place = self.before.next_sequence();
        let number = next.record.sequence;
        let inserted = || {
            let says = format!("A line that was never sealed here stands before record {place}.");
            (Kind::Inserted, says)
        };
        let Some(line) = &self.line else {
            return inserted();
        };
        if line.record.sequence != place && number != place {
            let says = format!("Record {place} was given the number {number}.");
            return (Kind::Renumbered, says);
        }
        // The line stands too early when it was sealed behind the record that it displaced,
        // or where that record stands now.
        let position = place.saturating_add(self.since);
        let was_behind = line.was_sealed_as(place.saturating_add(1), &next.hash);
        let was_there = || {
            let latest = self.latest.filter(|_| self.since > 1);
            latest.is_some_and(|latest| line.was_sealed_as(position, &latest))
        };
        if was_behind || was_there() {
            let says = format!("What record {place} says stands in the place of {position}.");
            return (Kind::Swapped, says);
        }
        inserted()
    }

    /// The doubt, after the last line.
    pub fn into_doubt(self) -> Doubt {
        Doubt::new(self.before.next_sequence(), self.kind, self.says)
    }
}

/// What a line looks like that does not fit behind a head.
fn first_sight(before: &Head, line: &Sealed) -> (Kind, String) {
    let place = before.next_sequence();
    let number = line.record.sequence;
    if line.was_sealed_as(place, &before.hash) {
        let says = format!("Record {place} was given the number {number}.");
        return (Kind::Renumbered, says);
    }
    if number == place {
        let says = format!(
            "The hash of record {place} does not follow from what it says and the record before it."
        );
        return (Kind::Edited, says);
    }
    if number > place {
        let says = format!("After record {} comes record {number}.", before.sequence);
        return (Kind::Missing, says);
    }
    let says = format!(
        "After record {} comes another line of the number {number}.",
        before.sequence
    );
    (Kind::Inserted, says)
}
