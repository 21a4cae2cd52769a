//! Tests of the body reader and its faults.

use super::{Object, Value};

type Wanted = (
    String,
    Option<u8>,
    Vec<String>,
    Option<bool>,
    Option<String>,
);

fn wanted(object: &mut Object<'_>) -> Wanted {
    (
        object.text("name"),
        object.number("count", 1..=100),
        object.list("scopes"),
        object.flag("never"),
        object
            .object("policy", |policy| policy.text("plan"))
            .filter(|plan| !plan.is_empty()),
    )
}

fn pointers(body: &str) -> Vec<String> {
    let value = Value::parse(body.as_bytes()).expect("JSON");
    let faults = value.read(wanted).expect_err("faults");
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn body_without_faults_is_read() {
    let body = br#" {"name":"\u00e9","count":7,"scopes":["a","b"],"never":true,"policy":{"plan":"free"}} "#;
    let read = Value::parse(body).expect("JSON").read(wanted);
    let expected = (
        "é".to_owned(),
        Some(7),
        vec!["a".to_owned(), "b".to_owned()],
        Some(true),
        Some("free".to_owned()),
    );
    assert_eq!(read, Ok(expected));
    let least = Value::parse(br#"{"name":"","count":null}"#).expect("JSON");
    let read = least.read(wanted);
    assert_eq!(read, Ok((String::new(), None, Vec::new(), None, None)));
    for empty in ["", " \r\n", "{}"] {
        let value = Value::parse(empty.as_bytes()).expect("an object");
        assert_eq!(value.read(|_| ()), Ok(()));
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
            r#"{"name":"a","policy":{"plan":"a","plan":"b"}}"#,
            vec!["#/policy/plan"],
        ),
        (r#"{"name":"a","policy":{}}"#, vec!["#/policy/plan"]),
        (
            r#"{"count":0,"scopes":{},"never":"true","policy":[]}"#,
            vec!["#/name", "#/count", "#/scopes", "#/never", "#/policy"],
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
    assert_eq!(pointers(&format!("{{{}}}", many.join(","))).len(), 50);
}

#[test]
fn faults_of_domain_rules_are_reported_with_the_others() {
    let value = Value::parse(br#"{"name":" ","other":1}"#).expect("JSON");
    let read = value.read(|object| {
        object.required("name", |object, key| {
            object.ruled(key, |text| domain::name("name", text))
        })
    });
    let faults = read.expect_err("faults");
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.detail.as_str()))
        .collect();
    assert_eq!(told[0], ("#/name", "Enter a name."));
    assert_eq!((told.len(), told[1].0), (2, "#/other"));
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
            let _ = value.read(wanted);
        }
    }

    #[test]
    fn any_key_and_text_are_read_without_panic(key: String, text: String) {
        let body = serde_json::json!({ key: text }).to_string();
        if let Some(value) = Value::parse(body.as_bytes()) {
            let _ = value.read(wanted);
            proptest::prop_assert_eq!(Value::parse(value.canonical().as_bytes()), Some(value));
        }
    }
}
