//! The end of access that a provider decides.

use super::CHECKED;
use crate::support::provider::{ID, Provider};
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::identity::check_due;
use serde_json::{Value, json};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const TOKENS_TOO: &str = "logout_ends = \"sessions_and_tokens\"";

/// The status of a back-channel logout with these claims.
async fn log_out(provider: &Provider, test: &TestApp, claims: Value) -> u16 {
    send(test, &provider.token(&claims)).await
}

async fn send(test: &TestApp, token: &str) -> u16 {
    let request = test
        .anon()
        .post(test.at(&format!("/auth/logout/{ID}")))
        .form(&[("logout_token", token)]);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    response.status().as_u16()
}

/// The claims of a logout token.
fn logout(id: &str, claims: Value) -> Value {
    let mut all = json!({"jti": id, "events": {EVENT: {}}});
    let all_claims = all.as_object_mut().unwrap();
    all_claims.extend(claims.as_object().unwrap().clone());
    all
}

#[actix_web::test]
async fn back_channel_logout_ends_sessions_and_by_setting_tokens() {
    for (keys, is_active) in [("", true), (TOKENS_TOO, false)] {
        let provider = Provider::start();
        let test = provider.server(keys).await;
        provider.state("sid", json!("first"));
        let mut first = test.browser();
        provider.sign_in(&mut first).await;
        provider.state("sid", json!("second"));
        let mut second = test.browser();
        provider.sign_in(&mut second).await;
        let token = first.new_token("Laptop", &["projects:read"], "30d").await;
        assert_eq!(test.me(&token).await.status(), 200);
        let mut other = test.user().await;

        // One session.
        assert_eq!(
            log_out(&provider, &test, logout("1", json!({"sid": "first"}))).await,
            200
        );
        assert_eq!(first.get("/tokens").await.status, 303);
        assert_eq!(second.get("/tokens").await.status, 200);
        // All of the user.
        let all = logout("2", json!({"sub": "ada-at-acme"}));
        assert_eq!(log_out(&provider, &test, all).await, 200);
        assert_eq!(second.get("/tokens").await.status, 303);
        let status = test.me(&token).await.status().as_u16();
        assert_eq!(status, if is_active { 200 } else { 401 });
        assert_eq!(test.introspect(&token).await["active"], json!(is_active));
        // Others stay signed in, and the user can come back.
        assert_eq!(other.get("/tokens").await.status, 200);
        provider.sign_in(&mut first).await;
        assert_eq!(first.get("/tokens").await.status, 200);
        test.settle().await;
        assert_eq!(test.events("session.ended"), 2);
    }
}

#[actix_web::test]
async fn tokens_that_are_no_logout_tokens_end_nothing() {
    let provider = Provider::start();
    let test = provider.server(TOKENS_TOO).await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let now = doorcode::app::Clock::now(test.clock.as_ref()).timestamp();
    let of_ada = json!({"sub": "ada-at-acme"});
    let with = |claims: Value| {
        let mut all = logout("x", of_ada.clone());
        all.as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        all
    };
    for claims in [
        // An ID token.
        of_ada.clone(),
        with(json!({"nonce": "of-a-sign-in"})),
        with(json!({"events": {}})),
        with(json!({"events": {EVENT: true}})),
        with(json!({"events": [EVENT]})),
        with(json!({"jti": 5})),
        with(json!({"aud": "another-client"})),
        with(json!({"iss": "https://evil.example"})),
        with(json!({"exp": now - 61})),
        with(json!({"iat": now + 61})),
        logout("y", json!({})),
    ] {
        assert_eq!(
            log_out(&provider, &test, claims.clone()).await,
            400,
            "{claims}"
        );
    }
    for token in ["", "a.b.c"] {
        assert_eq!(send(&test, token).await, 400, "{token:?}");
    }
    let unknown = test.anon().post(test.at("/auth/logout/other"));
    let unknown = unknown
        .form(&[("logout_token", "a.b.c")])
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(browser.get("/tokens").await.status, 200);

    // A token works once: it ends no session that began after it.
    let token = provider.token(&logout("once", of_ada.clone()));
    assert_eq!(send(&test, &token).await, 200);
    provider.sign_in(&mut browser).await;
    assert_eq!(send(&test, &token).await, 400);
    assert_eq!(browser.get("/tokens").await.status, 200);
}

#[actix_web::test]
async fn user_whom_the_provider_refuses_loses_access_within_the_stated_time() {
    let provider = Provider::start();
    let test = provider.server(&format!("{CHECKED}\n{TOKENS_TOO}")).await;
    provider.desk().refreshes = true;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let token = browser.new_token("Laptop", &["projects:read"], "30d").await;
    test.canaries.add("refresh-token-2-of-ada");
    assert_eq!(test.count("identity", "refresh_token LIKE '%refresh%'"), 0);

    test.clock.advance(599);
    check_due(&test.app).await.unwrap();
    assert_eq!(provider.requests("/token"), 1);
    for _ in 0..2 {
        test.clock.advance(1);
        check_due(&test.app).await.unwrap();
        assert_eq!(provider.requests("/token"), 2);
    }
    assert_eq!(test.me(&token).await.status(), 200);

    provider.desk().refuses = true;
    test.clock.advance(600);
    check_due(&test.app).await.unwrap();
    assert_eq!(provider.requests("/token"), 3);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(browser.get("/tokens").await.status, 303);
    assert_eq!(test.count("identity", "refresh_token IS NOT NULL"), 0);
    // Others keep their access, and the user comes back once the provider admits them.
    test.browser().sign_in(EMAIL, PASSWORD).await;
    provider.desk().refuses = false;
    assert_eq!(provider.sign_in(&mut browser).await.location(), "/tokens");
}

#[actix_web::test]
async fn logout_that_names_session_and_user_ends_sessions_without_a_name_too() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut unnamed = test.browser();
    provider.sign_in(&mut unnamed).await;
    provider.state("sid", json!("other"));
    let mut other = test.browser();
    provider.sign_in(&mut other).await;
    let both = |id| logout(id, json!({"sub": "ada-at-acme", "sid": "first"}));
    for id in ["1", "2"] {
        assert_eq!(log_out(&provider, &test, both(id)).await, 200);
        assert_eq!(unnamed.get("/tokens").await.status, 303);
        assert_eq!(other.get("/tokens").await.status, 200);
        test.settle().await;
        assert_eq!(
            test.events("session.ended"),
            1,
            "nothing ended, so no record"
        );
    }
}
