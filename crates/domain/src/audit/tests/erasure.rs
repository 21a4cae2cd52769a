//! What tells of a person can go, and the log proves itself still.

use super::super::erasure;
use super::super::note::VerifierKey;
use super::python;
use super::*;

/// A log of which these records were erased, and whose last record says so of those.
fn erased(places: &[u64], named: &str) -> Vec<Sealed> {
    let announcing = Record {
        action: Action::AuditErased.as_str().to_owned(),
        detail: Detail::try_from(json!({ "records": named })).unwrap(),
        address: None,
        salt: None,
        ..record(26)
    };
    let mut log = seal((1..26).map(record).chain([announcing]));
    for line in &mut log {
        if places.contains(&line.record.sequence) {
            line.record = line.record.erased();
        }
    }
    log
}

#[test]
fn a_record_keeps_its_hash_without_what_tells_of_a_person() {
    let log = log(25);
    for line in &log {
        let record = line.record.erased();
        let left = exports::line(&Sealed {
            record: record.clone(),
            hash: line.hash,
        });
        assert_eq!(record.canonical(), line.record.canonical());
        if line.record.salt.is_none() {
            // It is of before there were salts.
            assert_eq!(record, line.record);
            continue;
        }
        assert!(record.is_erased() && !record.tells_of_somebody());
        assert!(!line.record.is_erased() && line.record.tells_of_somebody());
        let salt = line.record.salt.unwrap().to_string();
        for gone in ["192.0.2.1", "u001b[0m", &salt] {
            assert!(exports::line(line).contains(gone), "{gone}");
            assert!(!left.contains(gone), "{gone}: {left}");
        }
    }
}

#[test]
fn an_erased_log_fits_where_it_says_what_was_erased() {
    for (places, named) in [
        (&[][..], ""),
        (&[7], "7"),
        (&[1, 2, 4, 5, 7, 25], "1-7 25"),
        (&[1, 2, 4, 5, 25], "1-2 4-5 25"),
        (&[7], "0-18446744073709551615"),
    ] {
        let log = erased(places, named);
        let report = check(export(&log), &checkpoints(&log));
        assert_eq!((report.first_discrepancy, report.unnamed), (None, None));
        let (fits, says) = python::run(&export(&log), None, None);
        assert!(fits && !says.contains("erased"), "{says}");
    }
}

#[test]
fn what_was_erased_unsaid_is_told() {
    for (places, named, first) in [
        (&[7][..], "", 7),
        (&[5, 7], "5-6", 7),
        (&[5, 7], "7", 5),
        (&[7], "6 8", 7),
        (&[7], "8-6 seven -7 7- +7 7,7 7.0", 7),
    ] {
        let log = erased(places, named);
        let report = check(export(&log), &checkpoints(&log));
        assert_eq!(
            (report.first_discrepancy, report.unnamed),
            (None, Some(first))
        );
        let (_, says) = python::run(&export(&log), None, None);
        let told = format!("record {first} was erased");
        assert!(says.contains(&told), "{says}");
    }
    // What is said before is not said of what comes.
    let mut log = log(25);
    log[3].record.action = Action::AuditErased.as_str().to_owned();
    log[3].record.detail = Detail::try_from(json!({"records": "7"})).unwrap();
    let mut log = reseal(log);
    log[6].record = log[6].record.erased();
    assert_eq!(check(export(&log), &[]).unnamed, Some(7));
}

/// Where keys are known, only who has one may say what was erased.
#[test]
fn what_a_stranger_names_counts_for_nothing() {
    let keys = vec![VerifierKey::of(&origin(), &pair(1))];
    let none = || std::iter::empty::<Result<Checkpoint, NoteFault>>();
    let unnamed = |user: &str, detail| {
        let announcing = Record {
            action: Action::AuditErased.as_str().to_owned(),
            target: Some(user.to_owned()),
            detail: Detail::try_from(detail).unwrap(),
            ..record(3)
        };
        let erased = [record(1).erased(), record(2).erased(), announcing];
        let log = seal(erased);
        let start = Head::genesis(&origin());
        let mut verifier = Verifier::new(origin(), start, none()).trusting(keys.clone());
        for line in &log {
            verifier.take(Ok(line.clone()));
        }
        let unnamed = verifier.finish().unnamed;
        // Nor does it in a copy; whoever knows no key takes anybody's word.
        let copy = export(&log);
        let report = exports::verify(copy.as_bytes(), none(), &keys).unwrap();
        assert_eq!((report.first_discrepancy, report.unnamed), (None, unnamed));
        assert_eq!(check(&copy, &[]).unnamed, None);
        let (fits, says) = python::run(&copy, None, Some(1));
        assert!(fits, "{says}");
        assert_eq!(says.contains("was erased"), unnamed.is_some(), "{says}");
        unnamed
    };
    let signed = |seed| erasure::detail(&origin(), "usr_1", &[1, 2], &pair(seed));
    assert_eq!(unnamed("usr_1", signed(1)), None);
    assert_eq!(unnamed("usr_1", signed(2)), Some(1));
    assert_eq!(unnamed("usr_2", signed(1)), Some(1));
    let mut more = signed(1);
    more["records"] = "1-3".into();
    assert_eq!(unnamed("usr_1", more), Some(1));
    assert_eq!(unnamed("usr_1", json!({"records": "1-2"})), Some(1));
    for note in ["", "\n", "no note", "doorcode-test\nusr_1\n1-2\nerased\n\n"] {
        let unsigned = json!({"records": "1-2", "note": note});
        assert_eq!(unnamed("usr_1", unsigned), Some(1), "{note}");
    }
}

#[test]
fn a_salt_counts_only_where_it_belongs() {
    let sound = log(9);
    let salt = |at: usize, salt| {
        let mut log = sound.clone();
        log[at].record.salt = salt;
        export(&log)
    };
    let nobody = seal([Record {
        address: None,
        detail: Detail::default(),
        ..record(3)
    }]);
    let mut salted = nobody.clone();
    salted[0].record.salt = sound[0].record.salt;
    let cases = [
        salt(0, sound[1].record.salt),
        salt(0, None),
        salt(2, sound[0].record.salt),
        export(&salted),
        export(&sound).replacen("0101", "010g", 1),
        export(&sound).replacen("\"salt\":\"01", "\"salt\":\"", 1),
        export(&sound).replacen("\"salt\":", "\"salz\":", 1),
        export(&nobody).replacen("\"sequence\"", "\"salt\":null,\"sequence\"", 1),
        export(&nobody).replacen("\"sequence\"", "\"salt\":7,\"sequence\"", 1),
    ];
    assert_eq!(check(export(&nobody), &[]).first_discrepancy, None);
    for export in cases {
        assert!(check(&export, &[]).first_discrepancy.is_some(), "{export}");
        assert!(!python::run(&export, None, None).0, "{export}");
    }
}

#[test]
fn ranges_are_written_in_one_way() {
    for (sequences, text) in [
        (&[][..], ""),
        (&[3], "3"),
        (&[3, 4], "3-4"),
        (&[1, 2, 3, 5, 7, 8], "1-3 5 7-8"),
    ] {
        assert_eq!(erasure::write(sequences), text);
    }
}
