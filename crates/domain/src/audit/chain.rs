//! The chain: each record is sealed with a hash that covers the hash before it.

use super::hash::Hash;
use super::origin::Origin;
use super::record::Record;
use serde::{Deserialize, Serialize};

const GENESIS: &[u8] = b"doorcode audit genesis v1\n";
const RECORD: &[u8] = b"doorcode audit record v1\n";

/// The end of a chain, or any place in it: how many records there are, and the last hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last record; 0 before the first.
    pub sequence: u64,
    /// The hash of the last record; of the origin before the first.
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

    /// Gives the record the next place and seals it there.
    pub fn seal(&self, record: Record) -> Sealed {
        let sequence = self.next_sequence();
        let record = Record { sequence, ..record };
        let hash = link(&record, &self.hash);
        Sealed { record, hash }
    }

    /// The number of the record that comes next.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.saturating_add(1)
    }

    /// Whether the line is the one that comes next.
    pub fn is_followed_by(&self, line: &Sealed) -> bool {
        line.record.sequence == self.next_sequence() && line.is_sealed_after(&self.hash)
    }
}

/// A record and the hash that seals it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
    /// The hash over the record and the hash before it.
    pub hash: Hash,
}

impl Sealed {
    /// The head of the chain that ends here.
    pub fn head(&self) -> Head {
        Head {
            sequence: self.record.sequence,
            hash: self.hash,
        }
    }

    /// Whether its hash covers its contents and that hash before it.
    pub fn is_sealed_after(&self, previous: &Hash) -> bool {
        link(&self.record, previous) == self.hash
    }

    /// Whether it was sealed as the record of another number, after that hash.
    pub fn was_sealed_as(&self, sequence: u64, previous: &Hash) -> bool {
        let record = self.record.clone();
        link(&Record { sequence, ..record }, previous) == self.hash
    }
}

/// The hash of a record after another.
fn link(record: &Record, previous: &Hash) -> Hash {
    let canonical = record.canonical();
    let previous = previous.to_string();
    Hash::of(&[RECORD, canonical.as_bytes(), b"\n", previous.as_bytes()])
}
