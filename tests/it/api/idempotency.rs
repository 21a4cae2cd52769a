//! Idempotent requests (IDM-01 to IDM-10, T-21).

use super::{SCOPES, assert_problem, call, create, send};
use crate::support::TestApp;
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;

fn input(name: &str) -> Value {
    json!({"name": name, "scopes": ["tokens:read"], "expires": "30d"})
}

/// IDM-03, IDM-09: a retry gets the first response, including the token, without a second effect.
#[actix_web::test]
async fn retry_gets_the_first_response() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let made = first.body["token"].as_str().unwrap();
    assert_eq!(test.me(made).await.status(), 200);
    for _ in 0..2 {
        let replayed = create(&test, &token, "a", &input("one")).await;
        assert_eq!((replayed.status, &replayed.body), (201, &first.body));
        assert_eq!(replayed.headers["idempotency-replayed"], "true");
        assert_eq!(replayed.headers["content-type"], "application/json");
        assert_eq!(replayed.headers["cache-control"], "no-store");
    }
    assert_eq!(test.count("token", "name = 'one'"), 1);
    assert_eq!(test.count("idempotency_record", "1 = 1"), 1);
}

/// IDM-01: quotes are optional; an invalid key is rejected.
#[actix_web::test]
async fn idempotency_key_is_parsed_strictly() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "\"a key\"", &input("one")).await;
    let replayed = create(&test, &token, "a key", &input("one")).await;
    assert_eq!((first.status, &replayed.body), (201, &first.body));
    let long = "k".repeat(256);
    for bad in ["", "\"\"", "\"a", "\"a\"b", "a\tb", "\"a\\b\"", &long] {
        let answer = create(&test, &token, bad, &input("two")).await;
        assert_problem(&answer, 400, "idempotency_key_invalid");
    }
    let post = || call(&test, Method::POST, "/v1/tokens", &token).json(&input("two"));
    let opaque = HeaderValue::from_bytes(b"a\xff").unwrap();
    for request in [
        post().header("idempotency-key", opaque),
        post()
            .header("idempotency-key", "a")
            .header("idempotency-key", "a"),
    ] {
        assert_problem(&send(request).await, 400, "idempotency_key_invalid");
    }
    assert_problem(&send(post()).await, 400, "idempotency_key_required");
    assert_eq!(test.count("token", "name = 'two'"), 0);
    assert_eq!(
        create(&test, &token, &long[1..], &input("two"))
            .await
            .status,
        201
    );
}

/// IDM-05: a key is bound to its payload. The order of JSON keys is irrelevant.
#[actix_web::test]
async fn idempotency_key_is_bound_to_its_payload() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    let reordered = r#"{ "expires" : "30d", "scopes": ["tokens:read"], "name": "\u006fne" }"#;
    let request = call(&test, Method::POST, "/v1/tokens", &token)
        .header("idempotency-key", "a")
        .header("content-type", "application/json")
        .body(reordered);
    assert_eq!(send(request).await.body, first.body);
    let answer = create(&test, &token, "a", &input("two")).await;
    assert_problem(&answer, 422, "idempotency_key_reused");
    assert_eq!(test.count("token", "name = 'two'"), 0);
}

/// IDM-06: a key belongs to its caller; another token of the same user is another caller.
#[actix_web::test]
async fn idempotency_key_is_bound_to_its_caller() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let other = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    let second = create(&test, &other, "a", &input("one")).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.body["token"], second.body["token"]);
    assert!(!second.headers.contains_key("idempotency-replayed"));
}

/// IDM-08, T-21: one of fifty concurrent requests takes effect, and every response is correct.
#[actix_web::test]
async fn one_of_many_concurrent_requests_takes_effect() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let token = test.token(&SCOPES).await;
    let before = test.events("token.created");
    let calls = (0..50).map(|i| {
        let server = if i % 2 == 0 { &test } else { &second };
        let input = input("one");
        let token = token.clone();
        async move { create(server, &token, "a", &input).await }
    });
    let answers = join_all(calls).await;
    let (done, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert!(!done.is_empty());
    for answer in &done {
        assert_eq!(answer.body, done[0].body);
    }
    for answer in waiting {
        assert_problem(answer, 409, "idempotency_in_progress");
        assert!(answer.headers.contains_key("retry-after"));
    }
    let first = |answer: &&&_| {
        let answer: &crate::support::device::Answer = answer;
        !answer.headers.contains_key("idempotency-replayed")
    };
    assert_eq!(done.iter().filter(first).count(), 1);
    assert_eq!(test.count("token", "name = 'one'"), 1);
    assert_eq!(test.events("token.created"), before + 1);
}

/// Requests with many errors leave short responses in the database: 100 long bodies leave less than
/// 200 KB.
#[actix_web::test]
async fn requests_with_many_errors_leave_little_data() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let scopes = vec!["x"; 3_200];
    let mut body = input("one");
    body["scopes"] = json!(scopes);
    let before = test.database.dump().len();
    for i in 0..100 {
        let answer = create(&test, &token, &format!("key-{i}"), &body).await;
        assert_problem(&answer, 422, "invalid");
        assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1);
    }
    test.settle().await;
    let left = test.database.dump().len() - before;
    assert!(left < 200_000, "{left} bytes");
}

/// A token begins 10,000 requests with new keys a day, and its owner's tokens 100,000. Repetitions
/// still get their response, and other owners are not affected.
#[actix_web::test]
async fn new_keys_of_a_day_are_limited() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let other = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    assert_eq!(first.status, 201, "{first:?}");
    let attempts = |key: &str| {
        let count = format!("SELECT attempts FROM throttle WHERE key LIKE '{key}'");
        test.database.text(&count).parse::<u32>().unwrap()
    };
    let set = |key: &str, count: u32| {
        test.database.execute(&format!(
            "UPDATE throttle SET attempts = {count} WHERE key LIKE '{key}'"
        ));
    };
    assert_eq!((attempts("keys:tok%"), attempts("keys:usr%")), (1, 1));
    // A repetition does not count, but a refusal that is stored.
    create(&test, &token, "a", &input("one")).await;
    let invalid = create(&test, &token, "invalid", &input("")).await;
    assert_problem(&invalid, 422, "invalid");
    assert_eq!((attempts("keys:tok%"), attempts("keys:usr%")), (2, 2));

    set("keys:tok%", 9_999);
    assert_eq!(create(&test, &token, "b", &input("two")).await.status, 201);
    let refused = create(&test, &token, "c", &input("three")).await;
    assert_problem(&refused, 429, "too_many_requests");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("Idempotency-Keys"), "{detail}");
    let wait: i64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((DAY - 60..=DAY).contains(&wait), "{wait}");
    let replayed = create(&test, &token, "a", &input("one")).await;
    assert_eq!((replayed.status, &replayed.body), (201, &first.body));
    assert_eq!(test.count("idempotency_record", "1 = 1"), 3);
    assert_eq!(test.count("token", "name = 'three'"), 0);

    // Another token of the owner is free until both used the keys of the owner.
    assert_eq!(create(&test, &other, "c", &input("four")).await.status, 201);
    set("keys:usr%", 100_000);
    let refused = create(&test, &other, "d", &input("five")).await;
    assert_problem(&refused, 429, "too_many_requests");
    test.clock.advance(wait);
    assert_eq!(create(&test, &token, "c", &input("six")).await.status, 201);
}

/// IDM-07: a response is stored for 24 hours; then the key is new, and the row is deleted.
#[actix_web::test]
async fn response_is_stored_for_a_day() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    test.clock.advance(DAY - 1);
    doorcode::app::sweep::purge(&test.app).await.unwrap();
    let replayed = create(&test, &token, "a", &input("one")).await;
    assert_eq!(replayed.body, first.body);
    test.clock.advance(2);
    // Before the sweep, and with another payload.
    let new = create(&test, &token, "a", &input("two")).await;
    assert_eq!(new.status, 201, "{new:?}");
    assert_ne!(new.body["token"], first.body["token"]);
    test.clock.advance(DAY + 1);
    doorcode::app::sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("idempotency_record", "1 = 1"), 0);
}
