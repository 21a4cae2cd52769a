//! Erasures, as the log itself records them.

use super::Action;
use super::note::{self, Note, VerifierKey};
use super::origin::Origin;
use super::record::Record;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Keys of the details of an erasure record: the erased records, and the signed note.
const RECORDS: &str = "records";
const NOTE: &str = "note";

/// The last line of the note. It distinguishes it from other notes.
const LINE: &str = "erased\n";

/// Details of an erasure record: ascending sequences, and a signed note. Write access to the
/// database alone must not suffice to hide where requests came from.
pub fn detail(origin: &Origin, user: &str, sequences: &[u64], pair: &Ed25519KeyPair) -> Value {
    let records = write(sequences);
    let note = Note::sign(text(origin, user, &records), origin, pair).to_string();
    json!({ RECORDS: records, NOTE: note })
}

fn text(origin: &Origin, user: &str, records: &str) -> String {
    format!("{origin}\n{user}\n{records}\n{LINE}")
}

/// Whether one of the keys has signed the list of a record.
fn is_signed(record: &Record, records: &str, keys: &[VerifierKey]) -> bool {
    let note = record.detail.get(NOTE).and_then(Value::as_str);
    let user = record.target.as_deref().unwrap_or_default();
    note.is_some_and(|note| note::is_signed(note, keys, |origin| text(origin, user, records)))
}

/// Formats ascending sequences: ranges, separated by spaces.
pub(super) fn write(sequences: &[u64]) -> String {
    let ranges = sequences.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let texts = ranges.filter_map(|range| match range {
        [] => None,
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first}-{last}")),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Parses the output of [`write`]. Invalid ranges are skipped.
fn read(text: &str) -> impl Iterator<Item = RangeInclusive<u64>> {
    text.split(' ').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(first) || !is_number(last) {
            return None;
        }
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(first..=last)
    })
}

/// Erased records that no erasure record has listed yet. They are few, and listed soon.
#[derive(Debug, Default)]
pub struct Unnamed {
    sequences: BTreeSet<u64>,
    /// The keys that must have signed a list; any list counts if there are none.
    keys: Vec<VerifierKey>,
}

impl Unnamed {
    /// Accepts only erasure records that are signed with one of these keys.
    pub fn by(keys: Vec<VerifierKey>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// Examines the next record of the log.
    pub fn take(&mut self, record: &Record) {
        if record.is_erased() {
            self.sequences.insert(record.sequence);
        }
        let records = record.detail.get(RECORDS).and_then(Value::as_str);
        let Some(records) = records.filter(|_| record.action == Action::AuditErased.as_str())
        else {
            return;
        };
        if !self.keys.is_empty() && !is_signed(record, records, &self.keys) {
            return;
        }
        for range in read(records) {
            let named: Vec<_> = self.sequences.range(range).copied().collect();
            for sequence in named {
                self.sequences.remove(&sequence);
            }
        }
    }

    /// The first unlisted record, after the last line.
    pub fn first(&self) -> Option<u64> {
        self.sequences.first().copied()
    }
}
