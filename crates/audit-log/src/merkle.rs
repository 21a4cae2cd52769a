//! Merkle trees (RFC 6962, section 2.1): one hash over a whole batch, with short inclusion
//! proofs.

use super::hash::Hash;
use serde::{Deserialize, Serialize};

/// The hash of a leaf.
pub fn leaf(bytes: &[u8]) -> Hash {
    Hash::of(&[&[0], bytes])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The level above: pairs are joined, and an odd last node moves up unchanged. Level by level
/// this gives the tree that the RFC defines by splitting at a power of two.
fn level_above(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            odd => odd[0],
        })
        .collect()
}

/// The root over the hashes of leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level_above(&level);
    }
    level.pop().unwrap_or_else(|| Hash::of(&[]))
}

/// Inclusion proof of a leaf: the hashes that lead from it to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The index of the leaf; the first is 0.
    pub index: u64,
    /// The number of leaves.
    pub size: u64,
    /// The siblings on the path, from the leaf up.
    pub path: Vec<Hash>,
}

impl Proof {
    /// The proof for one of the leaves.
    pub fn new(leaves: &[Hash], index: usize) -> Option<Self> {
        leaves.get(index)?;
        let mut path = Vec::new();
        let mut level = leaves.to_vec();
        let mut at = index;
        while level.len() > 1 {
            path.extend(level.get(at ^ 1));
            level = level_above(&level);
            at /= 2;
        }
        Some(Self {
            index: index as u64,
            size: leaves.len() as u64,
            path,
        })
    }

    /// Whether it leads from that leaf to that root (RFC 9162, section 2.1.3.2).
    pub fn holds(&self, leaf: &Hash, root: &Hash) -> bool {
        let Some(mut last) = self.size.checked_sub(1).filter(|last| self.index <= *last) else {
            return false;
        };
        let mut at = self.index;
        let mut hash = *leaf;
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            // The last node of a level has no right sibling: it moves up until it has a left one.
            while at == last && at & 1 == 0 {
                at /= 2;
                last /= 2;
            }
            hash = if at & 1 == 1 {
                node(sibling, &hash)
            } else {
                node(&hash, sibling)
            };
            at /= 2;
            last /= 2;
        }
        last == 0 && hash == *root
    }
}
