//! Requirements of RFC 9700 for the pages next to the endpoints.

use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};

/// OAU-15: a form with a password is never forwarded to another URL.
#[actix_web::test]
async fn form_is_followed_by_a_303_redirect() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let signed_in = browser.try_sign_in(EMAIL, PASSWORD).await;
    assert_eq!(signed_in.status, 303);
    browser.new_token("script", &[], "90d").await;
    browser.get("/tokens/revoke-all").await;
    assert_eq!(browser.post("/tokens/revoke-all", &[]).await.status, 303);
    browser.get("/tokens").await;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    // A signed-out user is sent to the sign-in page, without any form data.
    browser.get("/login").await;
    let sent = browser
        .post(
            "/device",
            &[("user_code", "BCDF-GHJK"), ("via", "keyboard")],
        )
        .await;
    assert_eq!(sent.status, 303);
    assert!(sent.location().starts_with("/login"), "{}", sent.location());
}

/// OAU-16: only a configured proxy can set the client address.
#[actix_web::test]
async fn forwarded_addresses_from_untrusted_clients_do_not_count() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    browser.set_header("x-forwarded-for", "192.0.2.7");
    browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(test.count(AUDIT, "address = '192.0.2.7'"), 0);
    let seen = "action = 'session.started' AND address = '127.0.0.1'";
    assert_eq!(test.count(AUDIT, seen), 1);
    assert_eq!(test.count("throttle", "key LIKE '%192.0.2.7%'"), 0);
}

/// OAU-17, OAU-18: every page, errors included, cannot be framed or read cross-origin.
#[actix_web::test]
async fn no_page_can_be_framed_or_read_by_another_site() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = test.device("tokens:read").await;
    browser.set_header("origin", "https://evil.example");
    let mut pages = Vec::new();
    for path in [
        "/login",
        "/device",
        "/tokens",
        "/tokens/new",
        "/account",
        "/nothing",
        "/device?user_code=%FF",
        "/setup?link=x",
        "/v1/me",
        "/auth/device",
        "/.well-known/oauth-authorization-server",
    ] {
        pages.push((path, browser.get(path).await));
    }
    pages.push(("cross-site", browser.post("/device", &[]).await));
    browser.headers.clear();
    pages.push(("consent", browser.type_code(&device.user_code).await));
    pages.push(("no form token", browser.post_bare("/device", &[]).await));
    for (path, page) in pages {
        let header = |name: &str| {
            let value = page.headers.get(name);
            value.map(|value| value.to_str().unwrap()).unwrap_or("")
        };
        let policy = header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("access-control-allow-origin"), "", "{path}");
        assert_eq!(header("access-control-allow-credentials"), "", "{path}");
    }
}

/// OAU-13: the granted scopes never exceed the requested ones.
#[actix_web::test]
async fn approval_never_grants_more_than_was_requested() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut user = test.user().await;
    user.approve(
        &device.user_code,
        &["tokens:read", "tokens:write", "audit:read"],
    )
    .await;
    let answer = test.poll(&device).await;
    assert_eq!(answer.body["scope"], "tokens:read");
    let token = test.introspect(&answer.token()).await;
    assert_eq!(token["scope"], "tokens:read");
}
