//! Calls that take effect once (IDM-01 to IDM-10, T-21).

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

/// IDM-03, IDM-09: the first answer comes again, with the token, and nothing happens twice.
#[actix_web::test]
async fn a_repetition_gets_the_first_answer() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let made = first.body["token"].as_str().unwrap();
    assert_eq!(test.me(made).await.status(), 200);
    for _ in 0..2 {
        let second_server = create(&test, &token, "a", &input("one")).await;
        assert_eq!(
            (second_server.status, &second_server.body),
            (201, &first.body)
        );
        assert_eq!(second_server.headers["idempotency-replayed"], "true");
        assert_eq!(second_server.headers["content-type"], "application/json");
        assert_eq!(second_server.headers["cache-control"], "no-store");
    }
    assert_eq!(test.count("token", "name = 'one'"), 1);
    assert_eq!(test.count("idempotency_record", "1 = 1"), 1);
}

/// IDM-01: quotes make no difference; what is no key is refused.
#[actix_web::test]
async fn a_key_is_read_strictly() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "\"a key\"", &input("one")).await;
    let second_server = create(&test, &token, "a key", &input("one")).await;
    assert_eq!((first.status, &second_server.body), (201, &first.body));
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

/// IDM-05: another payload is another call. The order of keys is no difference.
#[actix_web::test]
async fn a_key_belongs_to_its_payload() {
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

/// IDM-06: a key is its caller's; another token of the same person is another caller.
#[actix_web::test]
async fn nobody_gets_the_answer_of_another() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let other = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    let second = create(&test, &other, "a", &input("one")).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.body["token"], second.body["token"]);
    assert!(!second.headers.contains_key("idempotency-replayed"));
}

/// IDM-08, T-21: of fifty at once one takes effect, and every answer is right.
#[actix_web::test]
async fn of_many_at_once_one_takes_effect() {
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

/// IDM-07: for 24 hours; then the key is new, and the row is forgotten.
#[actix_web::test]
async fn an_answer_is_kept_for_a_day() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let first = create(&test, &token, "a", &input("one")).await;
    test.clock.advance(DAY - 1);
    doorcode::app::sweep::purge(&test.app).await.unwrap();
    let second_server = create(&test, &token, "a", &input("one")).await;
    assert_eq!(second_server.body, first.body);
    test.clock.advance(2);
    // Before anybody has swept, and with another payload.
    let new = create(&test, &token, "a", &input("two")).await;
    assert_eq!(new.status, 201, "{new:?}");
    assert_ne!(new.body["token"], first.body["token"]);
    test.clock.advance(DAY + 1);
    doorcode::app::sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("idempotency_record", "1 = 1"), 0);
}
