//! What was erased from records, as the log itself names it.

use super::Action;
use super::doubt::{Doubt, Kind};
use super::record::Record;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Under which key a record names what was erased.
pub const KEY: &str = "records";

/// Writes ascending sequences: ranges, with a space between.
pub fn write(sequences: &[u64]) -> String {
    let ranges = sequences.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let texts = ranges.filter_map(|range| match range {
        [] => None,
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first}-{last}")),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Reads what [`write`] gives. What is none is left out, and so names nothing.
fn read(text: &str) -> impl Iterator<Item = RangeInclusive<u64>> {
    text.split(' ').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(first..=last)
    })
}

/// Records that were erased and that the log has not named yet.
#[derive(Debug, Default)]
pub struct Unnamed(BTreeSet<u64>);

impl Unnamed {
    /// Takes the next record of the log.
    pub fn take(&mut self, record: &Record) {
        if record.is_erased() {
            self.0.insert(record.sequence);
        }
        if record.action != Action::AuditErased.as_str() {
            return;
        }
        let names = record.detail.get(KEY).and_then(|names| names.as_str());
        for range in names.into_iter().flat_map(read) {
            let named: Vec<_> = self.0.range(range).copied().collect();
            for sequence in named {
                self.0.remove(&sequence);
            }
        }
    }

    /// What is left when the log ends.
    pub fn doubt(&self) -> Option<Doubt> {
        let sequence = *self.0.first()?;
        let says = format!(
            "What tells of a person was erased from record {sequence}, and the log does not say so."
        );
        Some(Doubt::new(sequence, Kind::Edited, says))
    }
}
