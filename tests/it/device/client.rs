//! Which clients may use the device grant, and which client a device code belongs to.

use super::{ASK, POLL, assert_refused, send_form};
use crate::support::device::{Answer, Device, GRANT};
use crate::support::{API, TestApp};
use doorcode::app::client::Kind;

async fn send_basic(
    test: &TestApp,
    path: &str,
    id: &str,
    secret: &str,
    form: &[(&str, &str)],
) -> Answer {
    let request = test.anon().post(test.at(path)).basic_auth(id, Some(secret));
    Answer::of(request.form(form).send().await.unwrap()).await
}

/// DEV-02.
#[actix_web::test]
async fn public_client_identifies_itself() {
    let test = TestApp::start().await;
    for body in ["", "client_id=", "scope=tokens:read"] {
        assert_refused(&send_form(&test, ASK, body).await, 400, "invalid_request");
    }
    for body in [
        "client_id=nobody",
        "client_id=CLI",
        "client_id=cli%20",
        "client_id=cli&client_secret=x",
    ] {
        assert_refused(&send_form(&test, ASK, body).await, 401, "invalid_client");
        let body = format!("{body}&grant_type={GRANT}&device_code=x");
        assert_refused(&send_form(&test, POLL, &body).await, 401, "invalid_client");
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}

/// DEV-03, T-05.
#[actix_web::test]
async fn confidential_client_authenticates_at_both_endpoints() {
    let test = TestApp::start().await;
    let secret = test
        .add_client("kiosk", Kind::Confidential, &["tokens:read"])
        .await;
    let named = [("client_id", "kiosk")];
    assert_refused(&test.oauth(ASK, &named).await, 401, "invalid_client");
    let wrong = [("client_id", "kiosk"), ("client_secret", "wrong")];
    assert_refused(&test.oauth(ASK, &wrong).await, 401, "invalid_client");
    assert_refused(
        &send_basic(&test, ASK, "kiosk", "wrong", &[]).await,
        401,
        "invalid_client",
    );
    assert_eq!(test.count("device_grant", "1 = 1"), 0);

    let in_form = [("client_id", "kiosk"), ("client_secret", secret.as_str())];
    Device::of(&test.oauth(ASK, &in_form).await);
    let device = Device::of(&send_basic(&test, ASK, "kiosk", &secret, &[]).await);
    let twice = send_basic(&test, ASK, "kiosk", &secret, &in_form).await;
    assert_refused(&twice, 400, "invalid_request");

    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    // The client authenticated, so the page does not call its name unverified (DEV-57).
    assert!(!consent.contains("any program can use this name"));
    browser.decide(&consent, "approve", &["tokens:read"]).await;
    let bare = test.oauth(POLL, &device.poll_form("kiosk")).await;
    assert_refused(&bare, 401, "invalid_client");
    assert_eq!(test.count("token", "1 = 1"), 0);
    let form = device.poll_form("kiosk");
    let answer = send_basic(&test, POLL, "kiosk", &secret, &form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(test.me(&answer.token()).await.status(), 200);
}

/// DEV-44, T-05.
#[actix_web::test]
async fn device_code_works_only_for_its_own_client() {
    let test = TestApp::start().await;
    test.add_client("other", Kind::Public, &[]).await;
    let device = test.device("tokens:read").await;
    for _ in 0..3 {
        let answer = test.oauth(POLL, &device.poll_form("other")).await;
        assert_refused(&answer, 400, "invalid_grant");
    }
    // Polls by another client do not count against the device.
    assert_refused(&test.poll(&device).await, 400, "authorization_pending");

    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    let answer = test.oauth(POLL, &device.poll_form("other")).await;
    assert_refused(&answer, 400, "invalid_grant");
    assert_eq!(test.poll(&device).await.status, 200);
    // Repeated attempts do not fill the log.
    assert_eq!(test.events("device.wrong_client"), 1);
}

/// DEV-12, DEV-62.
#[actix_web::test]
async fn client_without_the_grant_is_rejected_immediately() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.database
        .execute("UPDATE client SET state = 'disabled' WHERE id = 'cli'");
    let answer = test.oauth(ASK, &[("client_id", "cli")]).await;
    assert_refused(&answer, 401, "invalid_client");
    assert_refused(&test.poll(&device).await, 401, "invalid_client");

    // The client of a resource server has no scopes: it only introspects.
    let secret = test.api_secret.clone();
    let answer = send_basic(&test, ASK, API, &secret, &[("scope", "tokens:read")]).await;
    assert_refused(&answer, 400, "unauthorized_client");
    let form = device.poll_form(API);
    let answer = send_basic(&test, POLL, API, &secret, &form).await;
    assert_refused(&answer, 400, "unauthorized_client");
    assert_eq!(test.count("device_grant", "1 = 1"), 1);
}
