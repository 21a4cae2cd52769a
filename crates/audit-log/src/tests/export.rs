//! Exports: parts of a log, selected lines, and invalid checkpoints.

use super::super::discrepancy::Kind::{self, *};
use super::super::excerpt::Excerpted;
use super::super::export::ExportFault;
use super::super::hash::Hash;
use super::*;
use proptest::prelude::*;

/// The lines of even sequences, as a filter might select them.
fn excerpts(log: &[Sealed]) -> Vec<Excerpted> {
    log.windows(2)
        .filter(|pair| pair[1].record.sequence.is_multiple_of(2))
        .map(|pair| Excerpted {
            sealed: pair[1].clone(),
            previous: pair[0].hash,
        })
        .collect()
}

fn filtered(lines: &[Excerpted]) -> String {
    let mut text = header(Part::Filtered);
    for line in lines {
        text += &line.line();
        text.push('\n');
    }
    text
}

fn found(report: Report) -> Option<(u64, Kind)> {
    report
        .first_discrepancy
        .map(|discrepancy| (discrepancy.sequence, discrepancy.kind))
}

#[test]
fn a_header_has_one_form_for_each_kind() {
    let head = log(4)[3].head();
    let whole = Header {
        origin: origin(),
        part: Part::After(head),
    };
    let chosen = Header {
        origin: origin(),
        part: Part::Filtered,
    };
    let expected = format!(
        r#"{{"doorcode_audit":1,"from":5,"origin":"doorcode/0123456789abcdef","previous":"{}"}}"#,
        head.hash
    );
    assert_eq!(whole.line(), expected);
    let expected = r#"{"doorcode_audit":1,"filtered":true,"origin":"doorcode/0123456789abcdef"}"#;
    assert_eq!(chosen.line(), expected);
    for header in [whole, chosen] {
        let line = header.line();
        assert_eq!(Header::parse(line.as_bytes()), Ok(header));
        for (from, to) in [
            (":1,", ":2,"),
            (r#""from":5,"#, ""),
            (r#""from":5"#, r#""from":0"#),
            ("true", "false"),
            ("doorcode/", "doorcode +"),
            ("}", r#","z":1}"#),
        ] {
            let changed = line.replacen(from, to, 1);
            if changed != line {
                assert!(Header::parse(changed.as_bytes()).is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn a_part_of_a_log_is_valid_after_its_header() {
    let log = log(30);
    let mut text = header(Part::After(log[14].head()));
    for line in &log[15..] {
        text += &(exports::line(line) + "\n");
    }
    let report = check(&text, &checkpoints(&log));
    assert_eq!(report.first_discrepancy, None);
    assert_eq!((report.records, report.checkpoints), (15, 2));
    assert_eq!(report.head, log[29].head());

    let wrong = text.replacen(&log[14].hash.to_string(), &log[13].hash.to_string(), 1);
    assert_eq!(found(check(wrong, &[])), Some((16, Edited)));
    let joint = checkpoint(Head {
        sequence: 15,
        hash: Hash::of(&[b"another"]),
    });
    assert_eq!(found(check(text, &[joint])), Some((15, Forked)));
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
    assert_eq!((discrepancy.sequence, discrepancy.kind), (10, Forked));
}

#[test]
fn a_log_begins_with_the_hash_of_its_name() {
    let text = export(&log(3)).replacen("doorcode/0", "doorcode/1", 1);
    assert_eq!(found(check(text, &[])), Some((1, Edited)));
}

#[test]
fn other_files_are_not_verified() {
    for text in ["", "\n", "{}\n", "rubbish", &"x".repeat(2_000_000)] {
        let fault = exports::verify(text.as_bytes(), std::iter::empty(), &[]);
        assert!(matches!(fault, Err(ExportFault::NoHeader)));
    }
}

#[test]
fn a_truncated_line_is_invalid() {
    let text = export(&log(2)) + &"x".repeat(3_000_000) + "\n";
    let report = check(text, &[]);
    assert_eq!((report.records, found(report)), (3, Some((3, Edited))));
}

#[test]
fn selected_lines_are_verified() {
    let log = log(30);
    let lines = excerpts(&log);
    let report = check(filtered(&lines), &checkpoints(&log));
    assert_eq!(report.first_discrepancy, None);
    assert_eq!((report.records, report.checkpoints), (15, 3));
    assert_eq!(report.head, log[29].head());

    // Gaps and an early end are valid in a selection.
    let few = [&lines[..3], &lines[9..12]].concat();
    assert_eq!(found(check(filtered(&few), &checkpoints(&log))), None);

    let mut edited = lines.clone();
    edited[4].sealed.record.outcome = Outcome::Refused;
    assert_eq!(found(check(filtered(&edited), &[])), Some((10, Edited)));
    let mut swapped = lines.clone();
    swapped.swap(3, 7);
    assert_eq!(found(check(filtered(&swapped), &[])), Some((10, Swapped)));
    let twice = [&lines[..3], &lines[2..]].concat();
    assert_eq!(found(check(filtered(&twice), &[])), Some((6, Swapped)));
}

/// Lines resealed by an attacker are consistent, until a checkpoint covers one of them or the
/// line before it.
#[test]
fn selected_lines_are_compared_with_checkpoints_and_each_other() {
    let log = log(30);
    let forged = |at: usize| {
        let previous = Hash::of(&[b"another"]);
        let sequence = log[at - 1].record.sequence;
        let sealed = Head {
            sequence,
            hash: previous,
        }
        .seal(record(999));
        Excerpted { sealed, previous }
    };
    let checkpoints = checkpoints(&log);
    assert_eq!(found(check(filtered(&[forged(19)]), &[])), None);
    assert_eq!(
        found(check(filtered(&[forged(19)]), &checkpoints)),
        Some((20, Forked))
    );
    assert_eq!(
        found(check(filtered(&[forged(20)]), &checkpoints)),
        Some((20, Forked))
    );
    let lines = [excerpts(&log)[0].clone(), forged(2)];
    assert_eq!(found(check(filtered(&lines), &[])), Some((3, Forked)));
}

#[test]
fn invalid_checkpoints_are_reported_after_other_discrepancies() {
    let log = log(30);
    let good = checkpoints(&log);
    let mut of_another_log = good[1].clone();
    of_another_log.origin = Origin::parse("another").unwrap();
    let verify = |text: &str, checkpoints: Vec<Result<Checkpoint, NoteFault>>| {
        exports::verify(text.as_bytes(), checkpoints.into_iter(), &[]).unwrap()
    };
    for bad in [
        Ok(of_another_log),
        Err(NoteFault::Forged),
        Err(NoteFault::Unknown),
    ] {
        let with_bad = || vec![Ok(good[0].clone()), bad.clone(), Ok(good[2].clone())];
        let report = verify(&export(&log), with_bad());
        assert_eq!(report.checkpoints, 2);
        assert_eq!(found(report), Some((10, Signature)));
        assert_eq!(
            found(verify(&export(&log[..25]), with_bad())),
            Some((26, Cut))
        );
        assert_eq!(
            found(verify(&export(&log[1..]), with_bad())),
            Some((1, Missing))
        );
        let last = vec![Ok(good[2].clone()), bad];
        assert_eq!(found(verify(&export(&log), last)), Some((30, Signature)));
    }
}

/// Each is sent at least once, and servers overtake each other.
#[test]
fn order_and_duplicates_of_checkpoints_are_irrelevant() {
    let sound = log(30);
    let signed = checkpoints(&sound);
    let mut mixed = [&signed[1..], &signed[..], &signed[2..]].concat();
    mixed.reverse();
    for order in [[&signed[..], &signed[..]].concat(), mixed] {
        let report = check(export(&sound), &order);
        assert_eq!(report.first_discrepancy, None);
        assert_eq!(found(check(export(&sound[..25]), &order)), Some((26, Cut)));
    }
    // If a log was reset and continued, some contradict it in any order.
    let mut forked = sound.clone();
    forked[14].record.outcome = Outcome::Refused;
    let forked = reseal(forked);
    for order in [
        [&signed[..], &checkpoints(&forked)[..]].concat(),
        [&checkpoints(&forked)[..], &signed[..]].concat(),
    ] {
        assert_eq!(found(check(export(&sound), &order)), Some((20, Forked)));
    }
}

proptest! {
    #[test]
    fn no_file_makes_the_verifier_panic(
        bytes in any::<Vec<u8>>(),
        lines in proptest::collection::vec(0_usize..12, 0..12),
        at: proptest::sample::Index,
    ) {
        let log = log(10);
        let mut text = export(&[]);
        for line in lines {
            text += &log.get(line).map_or("rubbish".to_owned(), exports::line);
            text.push('\n');
        }
        let mut file = text.into_bytes();
        let at = at.index(file.len());
        file.splice(at..at, bytes);
        for input in [file, filtered(&excerpts(&log)).into_bytes()] {
            let verified = exports::verify(&input[..], std::iter::empty(), &[]);
            prop_assert!(verified.is_err() || verified.is_ok_and(|report| report.records < 1_000));
        }
    }
}
