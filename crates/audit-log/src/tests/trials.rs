//! A hundred random trials of each way to change a log without recomputing its hashes. Only a
//! missing end needs a checkpoint.

use super::super::discrepancy::Kind::{self, *};
use super::*;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The trusted checkpoints of a log.
type TrustedCheckpoints = fn(&[Sealed]) -> Vec<Checkpoint>;

const NONE: TrustedCheckpoints = |_| Vec::new();
const ALL: TrustedCheckpoints = checkpoints;

/// A changed log of random length, and the position and kind that must be found.
#[track_caller]
fn trials(
    trusted_checkpoints: &[TrustedCheckpoints],
    change: impl Fn(&mut StdRng, &mut Vec<Sealed>) -> (u64, Kind),
) {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let original = log(rng.random_range(10..40));
        let mut changed = original.clone();
        let (sequence, kind) = change(&mut rng, &mut changed);
        assert_ne!(changed, original, "trial {seed}");
        for checkpoints in trusted_checkpoints {
            let report = check_lines(&changed, checkpoints(&original));
            let discrepancy = report.first_discrepancy.expect("a discrepancy");
            let found = (discrepancy.sequence, discrepancy.kind);
            assert_eq!(
                found,
                (sequence, kind),
                "trial {seed}: {}",
                discrepancy.says
            );
            assert_eq!(report.records, changed.len() as u64);
            assert!(report.head.sequence.abs_diff(sequence) <= 1);
        }
    }
}

/// A random index that leaves `behind` records after it, and its sequence.
fn place(rng: &mut StdRng, log: &[Sealed], behind: usize) -> (usize, u64) {
    let at = rng.random_range(0..log.len() - behind);
    (at, at as u64 + 1)
}

fn two_places(rng: &mut StdRng, log: &[Sealed]) -> (usize, usize) {
    let (first, _) = place(rng, log, 1);
    (first, rng.random_range(first + 1..log.len()))
}

/// Renumbers lines from an index on by their positions.
fn renumber(log: &mut [Sealed]) {
    for (line, number) in log.iter_mut().zip(1..) {
        line.record.sequence = number;
    }
}

#[test]
fn a_flipped_bit_is_found() {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let log = log(rng.random_range(10..40));
        let (_, n) = place(&mut rng, &log, 0);
        let text = export(&log);
        let mut bytes = text.clone().into_bytes();
        let at = rng.random_range(place_of(&text, n));
        bytes[at] ^= 1 << rng.random_range(0..8);
        let number = format!(r#""sequence":{n},"#);
        let digits = place_of(&text, n).start + text[place_of(&text, n)].find(&number).unwrap();
        let digits = digits + 11..digits + number.len() - 1;
        let is_number = digits.contains(&at) && (b'1'..=b'9').contains(&bytes[at]);
        let discrepancy = check(&bytes, &[]).first_discrepancy.expect("a discrepancy");
        let expected = if is_number { Renumbered } else { Edited };
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            (n, expected),
            "trial {seed}"
        );
    }
}

#[test]
fn an_edit_is_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 0);
        match rng.random_range(0..4) {
            0 => log[at].record.target = Some("another".to_owned()),
            1 => log[at].record.outcome = Outcome::Refused,
            2 => log[at].record.at = moment(999),
            _ => log[at].hash = super::super::hash::Hash::of(&[b"another"]),
        }
        (n, Edited)
    });
}

#[test]
fn a_deleted_record_is_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 1);
        let count = rng.random_range(1..log.len() - at);
        log.drain(at..at + count);
        (n, Missing)
    });
}

#[test]
fn a_deleted_record_is_found_after_renumbering() {
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 2);
        log.remove(at);
        renumber(log);
        (n, Missing)
    });
}

#[test]
fn swapped_lines_are_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (first, second) = two_places(rng, log);
        log.swap(first, second);
        (first as u64 + 1, Swapped)
    });
}

#[test]
fn swapped_contents_are_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (first, second) = two_places(rng, log);
        log.swap(first, second);
        renumber(log);
        (first as u64 + 1, Swapped)
    });
}

#[test]
fn a_record_moved_to_a_later_position_is_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (from, to) = two_places(rng, log);
        log[from..=to].rotate_left(1);
        (from as u64 + 1, Swapped)
    });
}

/// A line of the attacker's own, or a copy of one; with or without renumbering of the others.
#[test]
fn an_inserted_line_is_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 0);
        let mut line = log[rng.random_range(0..log.len())].clone();
        if line.record.sequence == n || rng.random() {
            line.record.id = "evt_another".to_owned();
            line.record.sequence = n;
        }
        log.insert(at, line);
        if rng.random() {
            renumber(log);
        }
        (n, Inserted)
    });
}

/// The inserted line is sealed correctly: only the next line is invalid. (A checkpoint of the
/// record itself would have another hash.)
#[test]
fn an_inserted_line_with_a_valid_hash_is_found() {
    trials(&[NONE], |rng, log| {
        let (at, n) = place(rng, log, 1);
        let before = match at {
            0 => Head::genesis(&origin()),
            _ => log[at - 1].head(),
        };
        log.insert(at, before.seal(record(999)));
        if rng.random() {
            renumber(log);
        }
        (n, Inserted)
    });
}

/// An edit of one record cannot be told from one of the next: their hashes do not link.
#[test]
fn an_edit_with_a_valid_hash_is_found_at_the_next_record() {
    trials(&[NONE], |rng, log| {
        let (at, n) = place(rng, log, 1);
        let before = match at {
            0 => Head::genesis(&origin()),
            _ => log[at - 1].head(),
        };
        log[at] = before.seal(record(999));
        (n + 1, Edited)
    });
}

/// In the order of a file, and in that of a database, which sorts by sequence.
#[test]
fn a_renumbered_record_is_found() {
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 0);
        let number = rng.random_range(1..1_000_000);
        log[at].record.sequence = if number == n { number + 1 } else { number };
        (n, Renumbered)
    });
    trials(&[NONE, ALL], |rng, log| {
        let (at, n) = place(rng, log, 0);
        log[at].record.sequence = rng.random_range(100..1_000_000);
        log.sort_by_key(|line| line.record.sequence);
        (n, Renumbered)
    });
}

#[test]
fn a_cut_tail_is_found() {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let original = log(rng.random_range(10..40));
        let rest = rng.random_range(0..original.len());
        let report = check_lines(&original[..rest], checkpoints(&original));
        let discrepancy = report.first_discrepancy.expect("a discrepancy");
        let expected = (rest as u64 + 1, Cut);
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            expected,
            "trial {seed}: {}",
            discrepancy.says
        );
    }
}
