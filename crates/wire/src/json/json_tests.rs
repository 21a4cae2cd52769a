//! Tests of the body reader and its faults.

use super::{Value, rules};
use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default, deserialize_with = "rules::within::<_, 1, 100>")]
    count: Option<u32>,
    #[serde(default)]
    scopes: Vec<String>,
    never: Option<bool>,
    policy: Option<Policy>,
    kind: Option<Kind>,
    #[serde(default, deserialize_with = "rules::time")]
    until: Option<DateTime<Utc>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    plan: Kind,
    #[serde(default, deserialize_with = "rules::present_within::<_, 1, 9>")]
    days: Option<Option<u32>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Free,
    Team,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn pointers(body: &str) -> Vec<String> {
    let value = Value::parse(body.as_bytes()).expect("JSON");
    let faults = value.read::<Wanted>().expect_err("faults");
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn body_without_faults_is_read() {
    let body = br#" {"name":"\u00e9","count":7,"scopes":["a","b"],"never":true,"policy":{"plan":"free","days":null},"kind":"team","until":"2030-01-31T12:00:00+01:00"} "#;
    let read = Value::parse(body).expect("JSON").read();
    let policy = Policy {
        plan: Kind::Free,
        days: Some(None),
    };
    let expected = Wanted {
        name: "é".to_owned(),
        count: Some(7),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        never: Some(true),
        policy: Some(policy),
        kind: Some(Kind::Team),
        until: DateTime::from_timestamp(1_896_087_600, 0),
    };
    assert_eq!(read, Ok(expected));
    let least = Value::parse(br#"{"name":"","count":null,"scopes":null,"until":null}"#);
    let read: Wanted = least.expect("JSON").read().expect("no fault");
    assert_eq!((read.count, read.scopes, read.until), (None, vec![], None));
    for empty in ["", " \r\n", "{}"] {
        let value = Value::parse(empty.as_bytes()).expect("an object");
        assert_eq!(value.read(), Ok(Nothing {}));
    }
}

#[test]
fn all_faults_are_reported_with_pointers() {
    for (body, expected) in [
        ("{}", vec!["#/name"]),
        (r#"{"name":null}"#, vec!["#/name"]),
        (r#"{"name":1}"#, vec!["#/name"]),
        (r#"{"name":"a","name":"a"}"#, vec!["#/name"]),
        (r#"{"name":"a","n\u0061me":"b"}"#, vec!["#/name"]),
        (
            r#"{"name":"a","nmae":1,"x/y~z é":2}"#,
            vec!["#/nmae", "#/x~1y~0z%20%C3%A9"],
        ),
        (r#"{"name":"a\u0000"}"#, vec!["#/name"]),
        (
            r#"{"name":"a","unknown":["\u0000"]}"#,
            vec!["#/unknown/0", "#/unknown"],
        ),
        (
            r#"{"name":"a","scopes":["a",1,null]}"#,
            vec!["#/scopes/1", "#/scopes/2"],
        ),
        (r#"{"name":"a","scopes":"a"}"#, vec!["#/scopes"]),
        (
            r#"{"name":"a","policy":{"plan":1,"x":2}}"#,
            vec!["#/policy/plan", "#/policy/x"],
        ),
        (
            r#"{"name":"a","policy":{"plan":"free","plan":"team"}}"#,
            vec!["#/policy/plan"],
        ),
        (r#"{"name":"a","policy":{}}"#, vec!["#/policy/plan"]),
        (
            r#"{"count":0,"scopes":{},"never":"true","policy":[]}"#,
            vec!["#/count", "#/scopes", "#/never", "#/policy", "#/name"],
        ),
        ("[]", vec!["#"]),
        ("1", vec!["#"]),
        ("null", vec!["#"]),
        (r#""a""#, vec!["#"]),
    ] {
        assert_eq!(pointers(body), expected, "{body}");
    }
    for count in [
        "0",
        "101",
        "1.5",
        "1e3",
        "-1",
        "9223372036854775808",
        "\"1\"",
    ] {
        assert_eq!(
            pointers(&format!(r#"{{"name":"a","count":{count}}}"#)),
            ["#/count"]
        );
    }
}

#[test]
fn invalid_json_is_rejected() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in [
        "{",
        "{}x",
        "{} {}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1,}",
        "NaN",
        "1e999",
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        "\u{feff}{}",
        "{\"a\":\"\u{1}\"}",
        "name=a",
        &deep,
    ] {
        assert_eq!(Value::parse(bad.as_bytes()), None, "{bad:.20}");
    }
    for bad in [b"{\"a\":\"\xff\"}".as_slice(), b"\xff\xfe{\0}\0", b"\0"] {
        assert_eq!(Value::parse(bad), None);
    }
}

#[test]
fn depth_and_the_number_of_faults_are_limited() {
    let nested = format!(r#"{{"name":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let found = pointers(&nested);
    assert_eq!(found.len(), 2, "{found:?}");
    let many: Vec<_> = (0..1000).map(|i| format!("\"k{i}\":1")).collect();
    let found = pointers(&format!("{{{}}}", many.join(",")));
    assert_eq!((found.len(), found[49].as_str()), (50, "#"));
    // A key that is repeated often is one fault, and many such keys are no more than others.
    let repeated = |count: usize| {
        let keys: Vec<_> = (0..count)
            .map(|i| format!("\"k{0}\":1,\"k{0}\":1,\"k{0}\":1", i))
            .collect();
        pointers(&format!("{{{}}}", keys.join(",")))
    };
    let found = repeated(1);
    let of_key = found.iter().filter(|at| *at == "#/k0").count();
    assert_eq!(of_key, 2, "repeated and unknown: {found:?}");
    let found = repeated(1000);
    assert_eq!((found.len(), found[49].as_str()), (50, "#"));
}

#[test]
fn faults_say_what_to_send() {
    let told = |body: &str| {
        let value = Value::parse(body.as_bytes()).expect("JSON");
        let faults = value.read::<Wanted>().expect_err("faults");
        let told = faults.into_iter().map(|fault| fault.detail);
        told.collect::<Vec<_>>().join(" ")
    };
    for (body, expected) in [
        (r#"{"name":1}"#, "This is a number. Send a string."),
        (r#"{"name":null}"#, "This is null. Send a string."),
        ("{}", "The key is missing. Add it."),
        (
            r#"{"name":"a","never":"true","count":"1"}"#,
            "This is a string. Send true or false. This is a string. Send a whole number.",
        ),
        (
            r#"{"name":"a","count":101}"#,
            "This is 101. Send a whole number from 1 to 100.",
        ),
        (r#"{"name":"a","kind":"none"}"#, "Write free or team."),
        (
            r#"{"name":"a","until":"tomorrow"}"#,
            "Write an RFC 3339 time such as 2030-01-31T12:00:00Z.",
        ),
        (
            r#"{"name":"a","policy":{"plan":"team","day":1}}"#,
            "The key is unknown. Known keys are plan, days.",
        ),
    ] {
        assert_eq!(told(body), expected, "{body}");
    }
    let value = Value::parse(br#"{"a":1}"#).expect("JSON");
    let faults = value.read::<Nothing>().expect_err("faults");
    assert_eq!(faults[0].detail, "The key is unknown. Send no keys.");
}

#[test]
fn canonical_form_ignores_key_order_and_whitespace() {
    let canonical = |text: &str| Value::parse(text.as_bytes()).map(|value| value.canonical());
    let one = canonical(r#"{"b":[1, 2, {"d":null,"c":true}], "a":"\u00e9\n"}"#);
    assert_eq!(
        one,
        canonical(r#" {"a":"é\n","b":[1,2,{"c":true,"d":null}]}"#)
    );
    assert_eq!(
        one.as_deref(),
        Some("{\"a\":\"é\\n\",\"b\":[1,2,{\"c\":true,\"d\":null}]}")
    );
    assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    assert_ne!(canonical(r#"{"a":"1"}"#), canonical(r#"{"a":1}"#));
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(body: Vec<u8>) {
        if let Some(value) = Value::parse(&body) {
            let _ = value.read::<Wanted>();
        }
    }

    #[test]
    fn any_key_and_text_are_read_without_panic(key: String, text: String) {
        let body = serde_json::json!({ key: text }).to_string();
        if let Some(value) = Value::parse(body.as_bytes()) {
            let _ = value.read::<Wanted>();
            proptest::prop_assert_eq!(Value::parse(value.canonical().as_bytes()), Some(value));
        }
    }
}
