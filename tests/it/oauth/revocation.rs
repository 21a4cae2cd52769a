//! Revocation (RFC 7009).

use super::assert_error;
use crate::support::database::AUDIT;
use crate::support::device::GRANT;
use crate::support::{API, CLI, TestApp};
use doorcode::app::client::Kind;
use doorcode::domain::token;
use futures_util::future::join_all;
use serde_json::json;

const REVOKED: &str = "action = 'token.revoked'";

/// REV-01: a client can revoke only tokens that it was issued.
#[actix_web::test]
async fn token_of_another_client_is_not_revoked() {
    let test = TestApp::start().await;
    test.add_client("other", Kind::Public, &[]).await;
    let token = test.token(&["tokens:read"]).await;
    for (id, secret) in [("other", None), (API, Some(test.api_secret.as_str()))] {
        let mut form = vec![("client_id", id), ("token", token.as_str())];
        form.extend(secret.map(|secret| ("client_secret", secret)));
        let answer = test.oauth("/auth/revoke", &form).await;
        assert_error(&answer, 400, "invalid_grant", id);
    }
    let nobody = test.oauth("/auth/revoke", &[("token", &token)]).await;
    assert_error(&nobody, 400, "invalid_request", "nobody");
    let unknown = [("client_id", "nobody"), ("token", token.as_str())];
    let unknown = test.oauth("/auth/revoke", &unknown).await;
    assert_error(&unknown, 401, "invalid_client", "unknown");
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.count(AUDIT, REVOKED), 0);
}

/// REV-02, REV-03, PAT-12, T-19.
#[actix_web::test]
async fn revocation_is_immediate_permanent_and_repeatable() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let kept = test.token(&["tokens:read"]).await;
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let form = [
            ("client_id", CLI),
            ("token", token.as_str()),
            ("token_type_hint", hint),
        ];
        let answer = test.oauth("/auth/revoke", &form).await;
        assert_eq!(answer.status, 200, "{hint}: {answer:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(test.me(&token).await.status(), 401);
        assert_eq!(test.introspect(&token).await, json!({"active": false}));
    }
    assert_eq!(test.count(AUDIT, REVOKED), 1);
    assert_eq!(
        test.count("token", "revoked_reason = 'revoked_by_client'"),
        1
    );
    test.clock.advance(-7200);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(test.me(&kept).await.status(), 200);
}

/// REV-02: the response does not reveal whether a token exists.
#[actix_web::test]
async fn unknown_token_gets_the_same_response_as_a_revoked_one() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    for unknown in [
        token::write("dc", &[7; 20]).expose(),
        "garbage",
        "é",
        &device.device_code,
    ] {
        let form = [("client_id", CLI), ("token", unknown)];
        let answer = test.oauth("/auth/revoke", &form).await;
        assert_eq!(answer.status, 200, "{unknown}: {answer:?}");
        assert_eq!(answer.body, json!(null));
    }
    assert_eq!(test.count(AUDIT, REVOKED), 0);
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
}

/// REV-01, REV-02: concurrent revocations count as one.
#[actix_web::test]
async fn twenty_concurrent_revocations_leave_one_record() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let form = [("client_id", CLI), ("token", token.as_str())];
    let answers = join_all((0..20).map(|_| test.oauth("/auth/revoke", &form))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(test.count(AUDIT, REVOKED), 1);
    assert_eq!(test.me(&token).await.status(), 401);
}

/// REV-01: any client that has a token created on a page can revoke it.
#[actix_web::test]
async fn token_created_on_a_page_can_be_revoked_by_any_client() {
    let test = TestApp::start().await;
    let token = test
        .user()
        .await
        .new_token("script", &["tokens:read"], "90d")
        .await;
    let form = [("client_id", CLI), ("token", token.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    assert_eq!(test.me(&token).await.status(), 401);
}

/// T-19: every server on the same database rejects the very next request.
#[actix_web::test]
async fn revocation_takes_effect_on_every_server_immediately() {
    let test = TestApp::start().await;
    let node = test.node(&test.database.url);
    let token = test.token(&["tokens:read"]).await;
    let me_there = async || {
        let request = test.anon().get(node.at("/v1/me")).bearer_auth(&token);
        request.send().await.unwrap().status().as_u16()
    };
    let introspected_there = async || {
        let request = test
            .anon()
            .post(node.at("/auth/introspect"))
            .basic_auth(API, Some(&test.api_secret))
            .form(&[("token", &token)]);
        let answer = request.send().await.unwrap().json::<serde_json::Value>();
        answer.await.unwrap()["active"].clone()
    };
    assert_eq!(
        (me_there().await, introspected_there().await),
        (200, json!(true))
    );
    let form = [("client_id", CLI), ("token", token.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    assert_eq!(
        (me_there().await, introspected_there().await),
        (401, json!(false))
    );

    // A grant created on one server is approved on the other and redeemed on the first.
    let device = test.device("tokens:read").await;
    let mut browser = crate::support::browser::Browser::new(&node.url);
    browser
        .sign_in(crate::support::EMAIL, crate::support::PASSWORD)
        .await;
    browser.approve(&device.user_code, &["tokens:read"]).await;
    let poll = [
        ("grant_type", GRANT),
        ("client_id", CLI),
        ("device_code", &device.device_code),
    ];
    let answer = test.oauth("/auth/device/token", &poll).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
