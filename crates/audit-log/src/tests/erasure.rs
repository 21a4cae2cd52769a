//! Personal data can be erased, and the log can still be verified.

use super::super::erasure;
use super::super::note::VerifierKey;
use super::python;
use super::*;

/// A log with these records erased, and a last record that lists others.
fn erased(places: &[u64], named: &str) -> Vec<Sealed> {
    let announcing = Record {
        action: erasure::ACTION.to_owned(),
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
fn erasure_of_personal_data_keeps_the_hash() {
    let log = log(25);
    for line in &log {
        let record = line.record.erased();
        let left = exports::line(&Sealed {
            record: record.clone(),
            hash: line.hash,
        });
        assert_eq!(record.canonical(), line.record.canonical());
        if line.record.salt.is_none() {
            // Sealed before salts were introduced.
            assert_eq!(record, line.record);
            continue;
        }
        assert!(record.is_erased() && !record.has_personal_data());
        assert!(!line.record.is_erased() && line.record.has_personal_data());
        let salt = line.record.salt.unwrap().to_string();
        for gone in ["192.0.2.1", "u001b[0m", "deploy ", &salt] {
            assert!(exports::line(line).contains(gone), "{gone}");
            assert!(!left.contains(gone), "{gone}: {left}");
        }
    }
}

#[test]
fn a_log_that_lists_its_erasures_is_valid() {
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
        let (fits, says) = python::run(&export(&log), None, &[]);
        assert!(fits && !says.contains("erased"), "{says}");
    }
}

#[test]
fn unlisted_erasures_are_reported() {
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
        let (_, says) = python::run(&export(&log), None, &[]);
        let told = format!("record {first} was erased");
        assert!(says.contains(&told), "{says}");
    }
    // A list covers only records before it.
    let mut log = log(25);
    log[3].record.action = erasure::ACTION.to_owned();
    log[3].record.detail = Detail::try_from(json!({"records": "7"})).unwrap();
    let mut log = reseal(log);
    log[6].record = log[6].record.erased();
    assert_eq!(check(export(&log), &[]).unnamed, Some(7));
}

/// If keys are known, only signed lists count.
#[test]
fn lists_by_unknown_keys_are_ignored() {
    let keys = vec![VerifierKey::of(&origin(), &pair(1))];
    let none = || std::iter::empty::<Result<Checkpoint, NoteFault>>();
    let unnamed = |user: &str, detail| {
        let announcing = Record {
            action: erasure::ACTION.to_owned(),
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
        // The same for an export; without known keys any list counts.
        let copy = export(&log);
        let report = exports::verify(copy.as_bytes(), none(), &keys).unwrap();
        assert_eq!((report.first_discrepancy, report.unnamed), (None, unnamed));
        assert_eq!(check(&copy, &[]).unnamed, None);
        let (fits, says) = python::run(&copy, None, &keys);
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
fn a_salt_is_valid_only_with_its_own_record() {
    let sound = log(9);
    let salt = |at: usize, salt| {
        let mut log = sound.clone();
        log[at].record.salt = salt;
        export(&log)
    };
    let unknown = seal([Record {
        address: None,
        detail: Detail::default(),
        ..record(3)
    }]);
    let mut salted = unknown.clone();
    salted[0].record.salt = sound[0].record.salt;
    let cases = [
        salt(0, sound[1].record.salt),
        salt(0, None),
        salt(2, sound[0].record.salt),
        export(&salted),
        export(&sound).replacen("0101", "010g", 1),
        export(&sound).replacen("\"salt\":\"01", "\"salt\":\"", 1),
        export(&sound).replacen("\"salt\":", "\"salz\":", 1),
        export(&unknown).replacen("\"sequence\"", "\"salt\":null,\"sequence\"", 1),
        export(&unknown).replacen("\"sequence\"", "\"salt\":7,\"sequence\"", 1),
    ];
    assert_eq!(check(export(&unknown), &[]).first_discrepancy, None);
    for export in cases {
        assert!(check(&export, &[]).first_discrepancy.is_some(), "{export}");
        assert!(!python::run(&export, None, &[]).0, "{export}");
    }
}

#[test]
fn ranges_have_one_form() {
    for (sequences, text) in [
        (&[][..], ""),
        (&[3], "3"),
        (&[3, 4], "3-4"),
        (&[1, 2, 3, 5, 7, 8], "1-3 5 7-8"),
    ] {
        assert_eq!(erasure::write(sequences), text);
    }
}
