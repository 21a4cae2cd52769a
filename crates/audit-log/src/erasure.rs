//! Erasures, as the log itself records them.

use super::note::VerifierKey;
use super::origin::Origin;
use super::record::Record;
use super::statement::{Claim, NOTE, Statement};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The action of an erasure record.
pub const ACTION: &str = "audit.erased";

/// Key of the detail of an erasure record: the erased records.
const RECORDS: &str = "records";

/// Details of an erasure record, the target of which is the user: ascending sequences, and the
/// signed [`Claim::Erased`]. Write access to the database alone must not suffice to hide where
/// requests came from.
pub fn detail(origin: &Origin, user: &str, sequences: &[u64], pair: &Ed25519KeyPair) -> Value {
    let records = write(sequences);
    let note = erased(origin, user, &records).sign(pair);
    json!({ RECORDS: records, NOTE: note })
}

fn erased(origin: &Origin, user: &str, records: &str) -> Statement {
    let (user, records) = (user.to_owned(), records.to_owned());
    let claim = Claim::Erased { user, records };
    let origin = origin.clone();
    Statement { origin, claim }
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
#[derive(Debug)]
pub(super) struct Unnamed {
    origin: Origin,
    /// The keys that must have signed a list; any list counts if there are none.
    keys: Vec<VerifierKey>,
    sequences: BTreeSet<u64>,
}

impl Unnamed {
    /// Starts with the first record of a log. With keys, only lists that are signed with one of
    /// them count.
    pub fn new(origin: Origin, keys: Vec<VerifierKey>) -> Self {
        Self {
            origin,
            keys,
            sequences: BTreeSet::new(),
        }
    }

    /// Examines the next record of the log.
    pub fn take(&mut self, record: &Record) {
        if record.is_erased() {
            self.sequences.insert(record.sequence);
        }
        let Some(records) = self.list(record) else {
            return;
        };
        for range in read(records) {
            let named: Vec<_> = self.sequences.range(range).copied().collect();
            for sequence in named {
                self.sequences.remove(&sequence);
            }
        }
    }

    /// The list of a record, if it is an erasure record and its list counts.
    fn list<'a>(&self, record: &'a Record) -> Option<&'a str> {
        if record.action != ACTION {
            return None;
        }
        let records = record.detail.get(RECORDS).and_then(Value::as_str)?;
        let is_signed = || {
            let user = record.target.as_deref()?;
            let statement = Statement::of_record(record, &self.keys)?;
            (statement == erased(&self.origin, user, records)).then_some(())
        };
        (self.keys.is_empty() || is_signed().is_some()).then_some(records)
    }

    /// The first unlisted record, after the last line.
    pub fn first(&self) -> Option<u64> {
        self.sequences.first().copied()
    }
}
