//! Problem details (API-01, API-02, API-03).

use super::{SCOPES, assert_problem, call, send};
use crate::support::TestApp;
use reqwest::Method;

/// API-02: each problem type has a documentation page, and the index links to each.
#[actix_web::test]
async fn every_problem_type_has_a_page() {
    let test = TestApp::start().await;
    let index = test.browser().get("/problems").await;
    assert_eq!(index.status, 200);
    let codes: Vec<_> = index
        .body
        .split("href=\"/problems/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in &codes {
        let page = test.browser().get(&format!("/problems/{code}")).await;
        assert_eq!(page.status, 200, "{code}");
        assert!(page.contains(code) && page.contains("What to do"), "{code}");
    }
    for unknown in ["/problems/nothing", "/problems/", "/problems/%00"] {
        assert_eq!(test.browser().get(unknown).await.status, 404, "{unknown}");
    }
}

/// API-01, API-02: rejections by the router are problems too, and their type resolves.
#[actix_web::test]
async fn every_rejection_is_a_problem_whose_type_resolves() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    for (method, path, status, code) in [
        (Method::GET, "/v1/nothing", 404, "not_found"),
        (Method::GET, "/v1/", 404, "not_found"),
        (Method::PATCH, "/v1/me", 405, "method_not_allowed"),
        (Method::POST, "/v1/tokens", 400, "idempotency_key_required"),
        (Method::GET, "/v1/tokens?x=1", 400, "invalid_request"),
    ] {
        let answer = send(call(&test, method, path, &token)).await;
        assert_problem(&answer, status, code);
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(answer.body["request_id"], id);
        let kind = answer.body["type"].as_str().unwrap();
        let page = test.anon().get(kind).send().await.unwrap();
        assert_eq!(page.status(), 200, "{kind}");
    }
}
