//! Paginated lists (PAG-01).

use super::{SCOPES, assert_problem, call, create, send};
use crate::support::TestApp;
use crate::support::device::Answer;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

async fn list(test: &TestApp, token: &str, query: &str) -> Answer {
    let path = format!("/v1/tokens{query}");
    send(call(test, Method::GET, &path, token)).await
}

async fn add(test: &TestApp, token: &str, name: &str) {
    let input = json!({"name": name, "expires": "30d"});
    let answer = create(test, token, name, &input).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.body["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Items added meanwhile neither hide nor repeat an item, even in the same millisecond.
#[actix_web::test]
async fn pages_return_each_item_once() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    for i in 0..9 {
        add(&test, &token, &format!("t{i}")).await;
        if i % 3 == 0 {
            test.clock.advance_ms(1);
        }
    }
    let whole = names(&list(&test, &token, "").await);
    assert_eq!(whole.len(), 10);
    let mut seen = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let answer = list(&test, &token, &query).await;
        seen.extend(names(&answer));
        test.clock.advance_ms(1);
        add(&test, &token, &format!("late{}", seen.len())).await;
        let Some(cursor) = answer.body["next_cursor"].as_str() else {
            assert!(!answer.headers.contains_key("link"));
            break;
        };
        query = format!("?limit=3&cursor={cursor}");
        let link = format!(r#"<{}{query}>; rel="next""#, test.at("/v1/tokens"));
        assert_eq!(answer.headers["link"], link);
    }
    assert_eq!(seen, whole);
    let different: BTreeSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len());
}

/// A cursor is valid only unchanged and for its own caller.
#[actix_web::test]
async fn foreign_or_altered_cursor_is_rejected() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let other = test.token(&SCOPES).await;
    let first = list(&test, &token, "?limit=1").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = list(&test, &token, &format!("?cursor={cursor}")).await;
    assert_eq!(names(&second).len(), 1);
    // In the middle: the last character of base64 may hold bits without a meaning.
    let (before, after) = cursor.split_at(cursor.len() / 2);
    let other_character = if after.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{before}{other_character}{}", &after[1..]);
    for (token, cursor) in [(&other, cursor), (&token, &changed), (&token, "x")] {
        let answer = list(&test, token, &format!("?cursor={cursor}")).await;
        assert_problem(&answer, 400, "invalid_cursor");
    }
}

#[actix_web::test]
async fn invalid_query_is_rejected() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    for query in [
        "?limit=0",
        "?limit=101",
        "?limit=ten",
        "?limit=-1",
        "?limt=10",
        "?limit=1&limit=2",
        "?cursor=%FF",
    ] {
        let answer = list(&test, &token, query).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    for query in ["?limit=1", "?limit=100", "?limit=", "?"] {
        assert_eq!(list(&test, &token, query).await.status, 200, "{query}");
    }
}
