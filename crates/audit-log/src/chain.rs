//! The hash chain: the hash of each record covers the previous hash.

use super::hash::Hash;
use super::origin::Origin;
use super::record::Record;
use serde::{Deserialize, Serialize};

const GENESIS: &[u8] = b"doorcode audit genesis v1\n";
const RECORD: &[u8] = b"doorcode audit record v1\n";

/// A position in the chain: the sequence and the hash of the last record up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The sequence of the last record; 0 before the first.
    pub sequence: u64,
    /// The hash of the last record; before the first, the genesis hash of the origin.
    pub hash: Hash,
}

impl Head {
    /// The head of a log without records.
    pub fn genesis(origin: &Origin) -> Self {
        Self {
            sequence: 0,
            hash: Hash::of(&[GENESIS, origin.as_str().as_bytes()]),
        }
    }

    /// Assigns the next sequence to the record and seals it.
    pub fn seal(&self, record: Record) -> Sealed {
        let sequence = self.next_sequence();
        let record = Record { sequence, ..record };
        let hash = link(&record, &self.hash);
        Sealed { record, hash }
    }

    /// The sequence of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.saturating_add(1)
    }

    /// Whether the line is the next one of the chain.
    pub fn is_followed_by(&self, line: &Sealed) -> bool {
        line.record.sequence == self.next_sequence() && line.is_sealed_after(&self.hash)
    }
}

/// A record and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The record.
    #[serde(flatten)]
    pub record: Record,
    /// The hash of the record and the previous hash.
    pub hash: Hash,
}

impl Sealed {
    /// The head of the chain after this record.
    pub fn head(&self) -> Head {
        Head {
            sequence: self.record.sequence,
            hash: self.hash,
        }
    }

    /// Whether its hash covers its contents and this previous hash.
    pub fn is_sealed_after(&self, previous: &Hash) -> bool {
        link(&self.record, previous) == self.hash
    }

    /// Whether it was sealed with this sequence and this previous hash.
    pub fn was_sealed_as(&self, sequence: u64, previous: &Hash) -> bool {
        let record = self.record.clone();
        link(&Record { sequence, ..record }, previous) == self.hash
    }
}

/// The hash of a record that follows another.
fn link(record: &Record, previous: &Hash) -> Hash {
    let canonical = record.canonical();
    let previous = previous.to_string();
    Hash::of(&[RECORD, canonical.as_bytes(), b"\n", previous.as_bytes()])
}
