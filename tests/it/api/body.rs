//! Request bodies (API-04, API-07, API-08).

use super::{SCOPES, assert_problem, call, create, pointers, send};
use crate::support::device::Answer;
use crate::support::{OPERATOR, TestApp};
use reqwest::Method;
use serde_json::json;

async fn post(test: &TestApp, token: &str, media_type: Option<&str>, body: Vec<u8>) -> Answer {
    let mut request = call(test, Method::POST, "/v1/tokens", token)
        .header("idempotency-key", "the-same-key")
        .body(body);
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    send(request).await
}

/// API-04, API-07: a body with errors is rejected as a whole, and nothing changes.
#[actix_web::test]
async fn body_with_errors_is_rejected_with_all_of_them() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let many = "x".repeat(101);
    for (body, expected) in [
        (r#"{}"#.to_owned(), vec!["#/name"]),
        ("[]".to_owned(), vec!["#"]),
        (
            r#"{"name":1,"scopes":["a",2],"expires":1,"admin":true,"name":"x"}"#.to_owned(),
            vec!["#/name", "#/name", "#/scopes/1", "#/expires", "#/admin"],
        ),
        (
            r#"{"name":"a","n\u0061me":"b","expires":"30d"}"#.to_owned(),
            vec!["#/name"],
        ),
        (
            r#"{"name":"a\u0000","expires":"30d"}"#.to_owned(),
            vec!["#/name"],
        ),
        // Errors found by the use case are in one response too.
        (
            json!({"name": many, "scopes": ["no:such"], "expires": "2d"}).to_string(),
            vec!["#/name", "#/scopes", "#/expires"],
        ),
    ] {
        let key = format!("key-{}", body.len());
        let request = call(&test, Method::POST, "/v1/tokens", &token)
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(body.clone());
        let answer = send(request).await;
        assert_problem(&answer, 422, "invalid");
        assert_eq!(pointers(&answer), expected, "{body}");
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
}

/// A response lists each error once, and no more than 50: the last one says how many more there are.
#[actix_web::test]
async fn errors_are_reported_once_and_at_most_fifty() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let wrong: Vec<_> = (0..700).map(|i| format!("x:{i}")).collect();
    let (organization, projects) = ("org_none", &wrong);
    let equal = json!({
        "name": "", "scopes": wrong, "organization": organization, "projects": projects,
    });
    let answer = create(&test, &token, "equal", &equal).await;
    assert_problem(&answer, 422, "invalid");
    assert_eq!(
        pointers(&answer),
        ["#/name", "#/organization", "#/projects", "#/scopes"]
    );

    let client = json!({"id": "many", "name": "Many", "scopes": wrong});
    let request = call(&test, Method::POST, "/v1/clients", OPERATOR)
        .header("idempotency-key", "client")
        .json(&client);
    let answer = send(request).await;
    assert_problem(&answer, 422, "invalid");
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 50);
    assert_eq!(errors[48]["pointer"], "#/scopes");
    assert_eq!(errors[49]["pointer"], "#");
    assert_eq!(
        errors[49]["detail"],
        "There are 651 more faults. Correct these first."
    );
    assert_eq!(
        answer.body["detail"],
        "The body has many faults. Correct those that `errors` lists."
    );
}

/// API-07, API-08: a body that is not a JSON object is rejected.
#[actix_web::test]
async fn body_that_is_not_json_is_rejected() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let deep = format!("{}1{}", "[".repeat(8_000), "]".repeat(8_000));
    for bad in [
        b"{".to_vec(),
        b"{} {}".to_vec(),
        b"name=a".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"name\":\"\xff\"}".to_vec(),
        br#"{"name":"\ud800"}"#.to_vec(),
        deep.into_bytes(),
    ] {
        let answer = post(&test, &token, Some("application/json"), bad.clone()).await;
        assert_problem(&answer, 400, "invalid_json");
    }
    let body = br#"{"name":"a","expires":"30d"}"#;
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("multipart/form-data; boundary=a"),
    ] {
        let answer = post(&test, &token, media_type, body.to_vec()).await;
        assert_problem(&answer, 415, "unsupported_media_type");
    }
    let large = vec![b' '; 16 * 1024 + 1];
    let answer = post(&test, &token, Some("application/json"), large).await;
    assert_problem(&answer, 413, "payload_too_large");
    assert_eq!(test.count("token", "1 = 1"), 1);
    // None of them used the key.
    assert_eq!(test.count("idempotency_record", "1 = 1"), 0);
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = post(&test, &token, Some(media_type), body.to_vec()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

/// API-08: HEAD is GET without a body; OPTIONS is an unsupported method like any other.
#[actix_web::test]
async fn unsupported_methods_are_rejected() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    for (path, allowed) in [("/v1/me", "GET, HEAD"), ("/v1/tokens", "GET, HEAD, POST")] {
        let head = call(&test, Method::HEAD, path, &token)
            .send()
            .await
            .unwrap();
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(head.headers()["content-type"], "application/json");
        assert_eq!(head.text().await.unwrap(), "");
        for method in [Method::OPTIONS, Method::PUT, Method::DELETE, Method::TRACE] {
            let answer = send(call(&test, method, path, &token)).await;
            assert_problem(&answer, 405, "method_not_allowed");
            assert_eq!(answer.headers["allow"], allowed);
        }
    }
}

/// Checks run in this order: authentication, header syntax, body, authorization.
#[actix_web::test]
async fn checks_run_in_order() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let url = test.at("/v1/tokens");
    let anonymous = test.anon().post(&url).body("{");
    assert_problem(&send(anonymous).await, 401, "unauthorized");
    let keyless = test.anon().post(&url).bearer_auth(&token).body("{");
    assert_problem(&send(keyless).await, 400, "idempotency_key_required");
    let answer = create(&test, &token, "a", &json!({})).await;
    assert_problem(&answer, 422, "invalid");
    let answer = create(&test, &token, "a", &json!({"name": "a", "expires": "30d"})).await;
    assert_problem(&answer, 403, "insufficient_scope");
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    let named = r#"error="insufficient_scope", scope="tokens:write""#;
    assert!(challenge.contains(named), "{challenge}");
}
