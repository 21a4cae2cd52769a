//! What tells of a person can go, and the log proves itself still.

use super::super::doubt::Kind;
use super::super::erasure;
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
        assert_eq!(check(export(&log), &checkpoints(&log)).first_doubt, None);
        assert!(python::verify(&export(&log), None).0, "{places:?}");
    }
}

#[test]
fn what_was_erased_unsaid_is_found() {
    for (places, named, first) in [
        (&[7][..], "", 7),
        (&[5, 7], "5-6", 7),
        (&[5, 7], "7", 5),
        (&[7], "6 8", 7),
        (&[7], "8-6 seven -7 7-", 7),
    ] {
        let log = erased(places, named);
        let doubt = check(export(&log), &checkpoints(&log)).first_doubt.unwrap();
        assert_eq!(
            (doubt.sequence, doubt.kind),
            (first, Kind::Edited),
            "{named}"
        );
        assert!(!python::verify(&export(&log), None).0, "{named}");
    }
    // What is said before is not said of what comes.
    let mut log = log(25);
    log[3].record.action = Action::AuditErased.as_str().to_owned();
    log[3].record.detail = Detail::try_from(json!({"records": "7"})).unwrap();
    let mut log = reseal(log);
    log[6].record = log[6].record.erased();
    assert!(check(export(&log), &[]).first_doubt.is_some());
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
    ];
    assert_eq!(check(export(&nobody), &[]).first_doubt, None);
    for export in cases {
        assert!(check(&export, &[]).first_doubt.is_some(), "{export}");
        assert!(!python::verify(&export, None).0, "{export}");
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
