//! A hundred random trials of each way to change a log and recompute all later hashes, or to
//! continue from an old copy. Such a log is consistent; only checkpoints reveal it.

use super::super::discrepancy::Kind::*;
use super::*;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Changes a log from a random position on.
#[track_caller]
fn trials(change: impl Fn(&mut StdRng, &mut Vec<Sealed>, usize)) {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let original = log(rng.random_range(10..40));
        let mut changed = original.clone();
        let at = rng.random_range(0..original.len() - 1);
        change(&mut rng, &mut changed, at);
        let changed = reseal(changed);
        assert_eq!(
            check_lines(&changed, vec![]).first_discrepancy,
            None,
            "trial {seed}"
        );

        let checkpoints = checkpoints(&original);
        let length = changed.len() as u64;
        let contradicts = |checkpoint: &&Checkpoint| checkpoint.head.sequence > at as u64;
        let first = checkpoints.iter().find(contradicts).expect("a checkpoint");
        let expected = match first.head.sequence {
            sequence if sequence <= length => (sequence, Forked),
            _ => (length + 1, Cut),
        };
        let discrepancy = check_lines(&changed, checkpoints)
            .first_discrepancy
            .expect("a discrepancy");
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            expected,
            "trial {seed}: {}",
            discrepancy.says
        );
        if discrepancy.kind == Forked {
            let since = (discrepancy.sequence - 1) / 10 * 10 + 1;
            let between = format!("between {since} and {} ", discrepancy.sequence);
            assert!(discrepancy.says.contains(&between), "{}", discrepancy.says);
        }
    }
}

#[test]
fn an_edit_is_found() {
    trials(|_, log, at| log[at].record.outcome = Outcome::Refused);
}

#[test]
fn a_deleted_record_is_found() {
    trials(|_, log, at| drop(log.remove(at)));
}

#[test]
fn swapped_records_are_found() {
    trials(|rng, log, at| {
        let other = rng.random_range(at + 1..log.len());
        log.swap(at, other);
    });
}

#[test]
fn an_inserted_record_is_found() {
    trials(|_, log, at| {
        let line = Head::genesis(&origin()).seal(record(999));
        log.insert(at, line);
    });
}

#[test]
fn an_old_copy_is_found_with_or_without_new_records() {
    trials(|_, log, at| log.truncate(at));
    trials(|rng, log, at| {
        log.truncate(at);
        let more = rng.random_range(1..80);
        log.extend(seal((0..more).map(|n| record(1_000 + n))));
    });
}

/// Gaps in the sequence are found even without checkpoints.
#[test]
fn gaps_in_the_sequence_are_found() {
    let mut head = log(5).last().unwrap().head();
    let mut lines = log(5);
    head.sequence += 3;
    lines.push(head.seal(record(9)));
    let discrepancy = check(export(&lines), &[])
        .first_discrepancy
        .expect("a discrepancy");
    assert_eq!((discrepancy.sequence, discrepancy.kind), (6, Missing));
}
