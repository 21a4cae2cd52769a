//! The canonical form and the hashes, byte by byte.

use super::super::canonical::{self, Unreadable};
use super::super::hash::Hash;
use super::super::record::agent;
use super::super::token_use::{ALLOWED, Repeated, Use};
use super::*;
use proptest::prelude::*;

/// A feature of serde_json that any crate enables, such as keeping the order of keys, would
/// change every hash.
#[test]
fn keys_are_sorted_and_only_what_must_be_is_escaped() {
    let detail = "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/\u{7f}\u{80}é\u{2028}😀";
    let document = json!({"b": {"z": 1, "a": detail}, "a_b": -9_007_199_254_740_991_i64, "aB": []});
    let expected = concat!(
        r#"{"aB":[],"a_b":-9007199254740991,"b":{"a":"\u0000\b\t\n\u000b\f\r\u001f \"\\/"#,
        "\u{7f}\u{80}é\u{2028}😀",
        r#"","z":1}}"#
    );
    assert_eq!(canonical::write(&document), expected);
}

#[test]
fn a_record_has_all_its_fields_in_one_form_and_one_hash() {
    let sealed = &log(2)[1];
    let hidden = |text: &str| {
        let text = format!("doorcode audit personal v1\n{}\n{text}", "02".repeat(16));
        Hash::of(&[text.as_bytes()])
    };
    let expected = concat!(
        r#"{"action":"token.created","#,
        r#""actor_id":"usr_00000000000000000000000000000002","#,
        r#""actor_kind":"user","address":"sha256:ADDRESS","agent":null,"#,
        r#""at":"2026-11-22T00:00:02.125Z","client_id":"cli","#,
        r#""detail":{"device_name":"sha256:DEVICE","list":[-1,null,{"a":true,"b":1}],"n":2,"#,
        r#""tokens":[{"scopes":"a:b","token_name":"sha256:TOKEN"}]},"#,
        r#""id":"evt_00000000000000000000000000000002","method":"session","#,
        r#""organization_id":"org_1","outcome":"done","request_id":"req-2","sequence":2,"#,
        r#""target":null,"token_id":null,"user_id":"usr_00000000000000000000000000000002"}"#
    );
    let device = hidden("\"é\u{1b}[0m\n\u{202e}");
    let expected = expected
        .replace("ADDRESS", &hidden("192.0.2.1").to_string())
        .replace("DEVICE", &device.to_string())
        .replace("TOKEN", &hidden("deploy 2 \u{1b}[0m").to_string());
    assert_eq!(sealed.record.canonical(), expected);
    assert_eq!(
        Head::genesis(&origin()).hash,
        Hash::of(&[b"doorcode audit genesis v1\ndoorcode/0123456789abcdef"])
    );
    let previous = log(1)[0].hash.to_string();
    let text = format!("doorcode audit record v1\n{expected}\n{previous}");
    assert_eq!(sealed.hash, Hash::of(&[text.as_bytes()]));
}

#[test]
fn a_use_has_one_form() {
    let used = Use {
        at: moment(0),
        token_id: "tok_1".to_owned(),
        request_id: "req".to_owned(),
        address: None,
        decision: ALLOWED.to_owned(),
        scope: Some("app:deploy".to_owned()),
        route: None,
        organization_id: None,
        user_id: None,
        repeated: None,
    };
    let expected = concat!(
        r#"{"address":null,"at":"2026-11-22T00:00:00.123Z","decision":"allowed","#,
        r#""organization_id":null,"request_id":"req","route":null,"scope":"app:deploy","#,
        r#""token_id":"tok_1"}"#
    );
    assert_eq!(used.canonical(), expected);
    assert_eq!(used.leaf(), Hash::of(&[&[0], expected.as_bytes()]));
    assert_eq!(
        canonical::read::<Use>(expected.as_bytes()),
        Ok(used.clone())
    );
    assert_eq!((used.count(), used.last_at()), (1, moment(0)));

    let repeated = Use {
        repeated: Some(Repeated {
            count: 7,
            last_at: moment(3),
        }),
        ..used
    };
    let expected = expected.replace(
        r#""request_id""#,
        r#""repeated":{"count":7,"last_at":"2026-11-22T00:00:03.126Z"},"request_id""#,
    );
    assert_eq!(repeated.canonical(), expected);
    assert_eq!((repeated.count(), repeated.last_at()), (7, moment(3)));
    assert_eq!(canonical::read::<Use>(expected.as_bytes()), Ok(repeated));
}

#[test]
fn details_have_one_form_in_every_language() {
    let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    for detail in [
        json!({}),
        json!({"a": -1, "b": [[]], "c": null, "d": "é"}),
        json!({"a": 9_007_199_254_740_991_u64}),
        deep(16),
    ] {
        assert!(Detail::try_from(detail.clone()).is_ok(), "{detail}");
    }
    for detail in [
        json!([]),
        json!(null),
        json!({"é": 1}),
        json!({"a": {"é": 1}}),
        json!({"a": [1.5]}),
        json!({"a": 1.0}),
        json!({"a": 9_007_199_254_740_992_u64}),
        json!({"a": -9_007_199_254_740_992_i64}),
        json!({"a": u64::MAX}),
        json!({"a": i64::MIN}),
        deep(17),
    ] {
        assert!(Detail::try_from(detail.clone()).is_err(), "{detail}");
    }
}

#[test]
fn a_line_in_another_form_is_rejected() {
    let line = exports::line(&log(1)[0]);
    let read = |line: &str| canonical::read::<Sealed>(line.as_bytes()).map(|_| ());
    assert_eq!(read(&line), Ok(()));
    for (from, to) in [
        (",", ", "),
        ("é", "\\u00e9"),
        (r#""agent":null,"#, ""),
        (r#""agent":null"#, r#""agent":null,"agent_2":null"#),
        (r#""n":1"#, r#""n":1,"n":1"#),
        ("00.123Z", "00.1230Z"),
        ("00.123Z", "00.123+00:00"),
        (r#""n":1"#, r#""n":1.0"#),
        (r#""n":1"#, r#""n":-0"#),
        (r#""done""#, r#""almost""#),
        (r#""done""#, r#"["done"]"#),
        (r#""sequence":1"#, r#""sequence":-1"#),
    ] {
        // The pattern has only the end of the time, so that it matches one record.
        let from = if from == "00.123Z" { "01.124Z" } else { from };
        let to = to.replace("00.123", "01.124");
        let changed = line.replacen(from, &to, 1);
        assert_ne!(changed, line, "{from}");
        assert!(read(&changed).is_err(), "{changed}");
    }
    assert_eq!(read(&format!("{line} ")), Err(Unreadable::NotCanonical));
    assert_eq!(read(&line.to_uppercase()), Err(Unreadable::Malformed));
}

#[test]
fn a_hash_and_an_origin_have_one_form() {
    let hex = "0123456789abcdef".repeat(4);
    assert_eq!(Hash::parse(&hex).unwrap().to_string(), hex);
    for text in [
        "",
        &hex[1..],
        &hex.to_uppercase(),
        &format!("{hex}00"),
        &"g".repeat(64),
    ] {
        assert_eq!(Hash::parse(text), None, "{text}");
    }
    for text in [
        "",
        "a b",
        "a\u{a0}b",
        "a+b",
        "a\nb",
        "a\u{7f}",
        &"a".repeat(201),
    ] {
        assert_eq!(Origin::parse(text), None, "{text}");
    }
    assert_eq!(agent(&"é".repeat(300)), "é".repeat(200));
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

proptest! {
    #[test]
    fn any_record_reads_back(
        agent in proptest::option::of(text()),
        target in proptest::option::of(text()),
        action in text(),
        key in "[ -~]{0,20}",
        value in text(),
        millis in 0_i64..253_402_300_800_000,
    ) {
        let detail = Detail::try_from(json!({ key: [value] })).unwrap();
        let at = Instant::from_timestamp_millis(millis).unwrap();
        let record = Record { agent, target, action, detail, at, ..record(1) };
        let sealed = Head::genesis(&origin()).seal(record);
        let read = canonical::read::<Sealed>(exports::line(&sealed).as_bytes());
        prop_assert_eq!(read, Ok(sealed));
    }

    #[test]
    fn a_line_of_any_bytes_is_read_without_panic(bytes in any::<Vec<u8>>()) {
        if let Ok(sealed) = canonical::read::<Sealed>(&bytes) {
            prop_assert_eq!(exports::line(&sealed).into_bytes(), bytes);
        }
    }
}
