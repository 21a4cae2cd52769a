//! Uses of tokens can be pruned, and only the signing key can say so.

use super::super::note::VerifierKey;
use super::super::statement::{Claim, Statement};
use super::super::token_use::{FORGOTTEN, RECORDED, forgotten, forgotten_before};
use super::*;
use serde_json::Value;

fn before(action: &str, detail: Value) -> Option<Instant> {
    let record = Record {
        action: action.to_owned(),
        detail: Detail::try_from(detail).unwrap(),
        ..record(1)
    };
    let elsewhere = Origin::parse("elsewhere").unwrap();
    let keys = [&origin(), &elsewhere].map(|name| VerifierKey::of(name, &pair(1)));
    forgotten_before(&record, &origin(), &keys)
}

#[test]
fn pruned_uses_are_known_by_a_signed_record() {
    let signed = |seed| forgotten(&origin(), moment(7), &pair(seed));
    assert_eq!(signed(1)["before"], "2026-11-22T00:00:07.130Z");
    assert_eq!(before(FORGOTTEN, signed(1)), Some(moment(7)));
    assert_eq!(before(RECORDED, signed(1)), None);
    assert_eq!(before(FORGOTTEN, signed(2)), None);
    let elsewhere = Origin::parse("elsewhere").unwrap();
    let of_another_log = forgotten(&elsewhere, moment(7), &pair(1));
    assert_eq!(before(FORGOTTEN, of_another_log), None);
    let erased = Claim::Erased {
        user: "usr_1".to_owned(),
        records: "1".to_owned(),
    };
    let other = Statement {
        origin: origin(),
        claim: erased,
    };
    for (key, value) in [
        ("before", json!("2026-11-22T00:00:07.131Z")),
        ("before", json!(null)),
        ("note", json!(null)),
        ("note", json!("")),
        ("note", json!(other.sign(&pair(1)))),
    ] {
        let mut changed = signed(1);
        changed[key] = value;
        assert_eq!(before(FORGOTTEN, changed.clone()), None, "{changed}");
    }
}
