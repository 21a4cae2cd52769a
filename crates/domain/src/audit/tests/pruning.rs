//! Only the signing key can move the start of a pruned log.

use super::super::checkpoint::SignedCheckpoint;
use super::super::discrepancy::Kind;
use super::super::note::VerifierKey;
use super::super::pruning;
use super::*;

#[test]
fn pruning_notes_and_checkpoints_are_distinct() {
    let keys = [VerifierKey::of(&origin(), &pair(1))];
    let others = [VerifierKey::of(&origin(), &pair(2))];
    let head = log(10)[9].head();
    let pruned = pruning::sign(&checkpoint(head), &pair(1));
    assert_eq!(pruning::verify(&pruned, &keys), Ok(checkpoint(head)));
    assert_eq!(pruning::verify(&pruned, &others), Err(NoteFault::Unknown));
    let signed = SignedCheckpoint::parse(&pruned).unwrap();
    assert_eq!(signed.verify(&keys), Err(NoteFault::Malformed));
    let signed = SignedCheckpoint::sign(&checkpoint(head), &pair(1)).to_string();
    assert_eq!(pruning::verify(&signed, &keys), Err(NoteFault::Malformed));
    let moved = pruned.replacen("\n10\n", "\n11\n", 1);
    assert_eq!(pruning::verify(&moved, &keys), Err(NoteFault::Forged));
}

#[test]
fn a_pruned_log_is_valid_from_its_start() {
    let log = log(25);
    let (gone, rest) = log.split_at(10);
    let start = gone[9].head();
    let mut export = header(Part::After(start));
    for line in rest {
        export += &(exports::line(line) + "\n");
    }
    let report = check(&export, &checkpoints(&log));
    assert_eq!(report.first_discrepancy, None);
    // The checkpoint at the start counts as well.
    assert_eq!((report.records, report.checkpoints), (15, 3));
    let elsewhere = Head {
        hash: gone[8].hash,
        ..start
    };
    let export = export.replacen(&start.hash.to_string(), &elsewhere.hash.to_string(), 1);
    let discrepancy = check(&export, &checkpoints(&log))
        .first_discrepancy
        .unwrap();
    assert_eq!((discrepancy.sequence, discrepancy.kind), (10, Kind::Forked));
}
