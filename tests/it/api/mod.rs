//! The management API: properties of every route below `/v1`.

mod actor;
mod audit;
mod audit_export;
mod audit_uses;
mod audit_verify;
mod bad_input;
mod body;
mod calls;
mod cursor;
pub mod description;
mod grounds;
mod idempotency;
mod matrix;
mod once;
mod problem;
mod replay;
mod rights;
mod takeover;
mod world;

use crate::support::TestApp;
use crate::support::device::Answer;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Scopes of the tokens in these tests.
const SCOPES: [&str; 2] = ["tokens:read", "tokens:write"];

/// Builds a request with a bearer token.
fn call(test: &TestApp, method: Method, path: &str, token: &str) -> RequestBuilder {
    test.anon()
        .request(method, test.at(path))
        .bearer_auth(token)
}

/// Sends a request and reads the response.
async fn send(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Sends `POST /v1/tokens` with this Idempotency-Key.
async fn create(test: &TestApp, token: &str, key: &str, body: &Value) -> Answer {
    let request = call(test, Method::POST, "/v1/tokens", token)
        .header("idempotency-key", key)
        .json(body);
    send(request).await
}

/// Asserts that a response is a complete problem document of this kind.
#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.body["code"], code, "{answer:?}");
    assert_eq!(answer.body["status"], status);
    let kind = answer.body["type"].as_str().unwrap();
    assert!(kind.starts_with("http://127.0.0.1:"), "{kind}");
    assert!(kind.ends_with(&format!("/problems/{code}")), "{kind}");
    for member in ["title", "detail", "request_id"] {
        assert_ne!(answer.body[member].as_str().unwrap(), "", "{answer:?}");
    }
}

/// JSON pointers of a problem's errors.
fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect()
}
