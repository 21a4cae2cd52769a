//! What RFC 9700 asks of the pages around the endpoints.

use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};

/// OAU-15: a form with a password is never sent on to another address.
#[actix_web::test]
async fn after_a_form_the_browser_is_sent_on_with_303() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let signed_in = browser.try_sign_in(EMAIL, PASSWORD).await;
    assert_eq!(signed_in.status, 303);
    browser.new_token("script", &[], "90d").await;
    browser.get("/tokens/revoke-all").await;
    assert_eq!(browser.post("/tokens/revoke-all", &[]).await.status, 303);
    browser.get("/tokens").await;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    // A person who is not signed in is sent to the sign-in, with nothing of the form.
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

/// OAU-16: whoever is not a configured proxy cannot say where a request comes from.
#[actix_web::test]
async fn forwarded_addresses_of_strangers_do_not_count() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    browser.set_header("x-forwarded-for", "192.0.2.7");
    browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(test.count(AUDIT, "address = '192.0.2.7'"), 0);
    let seen = "action = 'session.started' AND address = '127.0.0.1'";
    assert_eq!(test.count(AUDIT, seen), 1);
    assert_eq!(test.count("throttle", "key LIKE '%192.0.2.7%'"), 0);
}

/// OAU-17, OAU-18: every page, failed ones too, stays out of frames and to itself.
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

/// OAU-13: what is granted never exceeds what was asked for.
#[actix_web::test]
async fn approval_never_grants_more_than_was_asked() {
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
