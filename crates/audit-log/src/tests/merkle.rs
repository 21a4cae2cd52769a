//! Trees and proofs, against the definition of RFC 6962 and the known roots of its authors.

use super::super::hash::Hash;
use super::super::merkle::{Proof, leaf, root};
use proptest::prelude::*;

/// The definition, literally: split at the largest power of two below the size.
fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (left, right) = (defined_root(left), defined_root(right));
            Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
        }
    }
}

fn defined_path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (defined_path(left, index), defined_root(right))
    } else {
        (defined_path(right, index - left.len()), defined_root(left))
    };
    path.push(sibling);
    path
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn leaves(size: usize) -> Vec<Hash> {
    (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
}

#[test]
fn the_known_tree_has_the_known_roots() {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let leaves = inputs.map(|input| leaf(&hex::decode(input).unwrap()));
    for (size, expected) in [
        (
            0,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            1,
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
        (
            8,
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ] {
        assert_eq!(root(&leaves[..size]).to_string(), expected, "{size}");
    }
}

#[test]
fn roots_and_proofs_are_those_of_the_definition() {
    for size in 0..=64 {
        let leaves = leaves(size);
        let root = root(&leaves);
        assert_eq!(root, defined_root(&leaves), "{size}");
        assert_eq!(Proof::new(&leaves, size), None);
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = Proof::new(&leaves, index).unwrap();
            assert_eq!(
                proof.path,
                defined_path(&leaves, index),
                "{index} of {size}"
            );
            assert!(proof.holds(leaf, &root), "{index} of {size}");
        }
    }
}

#[test]
fn a_proof_is_valid_only_for_its_leaf_index_and_tree() {
    for size in 1..=33 {
        let leaves = leaves(size);
        let root = root(&leaves);
        for index in 0..size {
            let proof = Proof::new(&leaves, index).unwrap();
            let leaf = &leaves[index];
            assert!(!proof.holds(&super::super::merkle::leaf(b"another"), &root));
            assert!(!proof.holds(leaf, &Hash::of(&[b"another"])));
            for other in (0..=size).filter(|other| *other != index) {
                let index = other as u64;
                let moved = Proof {
                    index,
                    ..proof.clone()
                };
                assert!(!moved.holds(leaf, &root), "{index} of {size}");
            }
            let mut longer = proof.clone();
            longer.path.push(root);
            assert!(!longer.holds(leaf, &root));
            let mut shorter = proof.clone();
            if shorter.path.pop().is_some() {
                assert!(!shorter.holds(leaf, &root));
            }
            for at in 0..proof.path.len() {
                let mut changed = proof.clone();
                changed.path[at] = Hash::of(&[b"another"]);
                assert!(!changed.holds(leaf, &root));
            }
        }
    }
}

proptest! {
    #[test]
    fn no_proof_panics(index: u64, size: u64, length in 0_usize..70) {
        let hash = Hash::of(&[]);
        let path = vec![hash; length];
        let holds = Proof { index, size, path }.holds(&hash, &hash);
        prop_assert_eq!(holds, size == 1 && index == 0 && length == 0);
    }
}
