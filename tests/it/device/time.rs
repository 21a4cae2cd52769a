//! Expiring codes, clock changes and server restarts.

use super::assert_refused;
use crate::support::TestApp;
use crate::support::device::Device;
use doorcode::config::Config;

const HOUR: i64 = 3600;

async fn assert_dead(test: &TestApp, device: &Device, is_decided: bool) {
    assert_refused(&test.poll(device).await, 400, "expired_token");
    let page = test.user().await.type_code(&device.user_code).await;
    match is_decided {
        // The user who decided sees the result.
        true => assert_eq!(page.status, 410),
        false => {
            assert_eq!(page.status, 400);
            assert!(page.contains("This code is wrong, has expired or was already used"));
        }
    }
    assert_refused(&test.poll(device).await, 400, "expired_token");
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// DEV-21, XD-04.
#[actix_web::test]
async fn both_codes_expire_exactly_when_announced() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    test.clock.advance(599);
    assert_eq!(
        test.user().await.type_code(&device.user_code).await.status,
        200
    );
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    test.clock.advance(2);
    assert_dead(&test, &device, false).await;

    let lifetime = |text: &str| {
        [(
            "DOORCODE__DEVICE__CODE_LIFETIME".to_owned(),
            text.to_owned(),
        )]
    };
    assert!(Config::load(None, lifetime("30m")).is_ok());
    assert!(Config::load(None, lifetime("31m")).is_err());
}

/// DEV-41, T-10.
#[actix_web::test]
async fn code_that_expires_while_its_page_is_open_is_not_approved() {
    let test = TestApp::start().await;
    for decision in ["approve", "deny"] {
        let device = test.device("tokens:read").await;
        let mut browser = test.user().await;
        let consent = browser.type_code(&device.user_code).await;
        assert_eq!(consent.status, 200);
        test.clock.advance(600);
        let page = browser.decide(&consent, decision, &["tokens:read"]).await;
        assert_eq!(page.status, 410);
        assert!(page.contains("The code has expired"));
        assert_dead(&test, &device, false).await;
    }
    assert_eq!(
        test.events("device.approved") + test.events("device.denied"),
        0
    );
}

/// DEV-48, DEV-54. Approved in time, but fetched too late.
#[actix_web::test]
async fn approval_expires_permanently_with_its_code() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    test.clock.advance(HOUR);
    assert_dead(&test, &device, true).await;
    test.clock.advance(-2 * HOUR);
    assert_dead(&test, &device, true).await;
}

/// DEV-54, T-13.
#[actix_web::test]
async fn clock_set_back_does_not_reactivate_a_code_that_a_poll_saw_expired() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.clock.advance(HOUR);
    assert_refused(&test.poll(&device).await, 400, "expired_token");
    test.clock.advance(-2 * HOUR);
    assert_dead(&test, &device, false).await;
}

/// DEV-54, T-13.
#[actix_web::test]
async fn clock_set_back_does_not_reactivate_a_code_that_a_page_showed_expired() {
    let test = TestApp::start().await;
    let (typed, decided) = (test.device("").await, test.device("").await);
    let mut browser = test.user().await;
    let consent = browser.type_code(&decided.user_code).await;
    test.clock.advance(HOUR);
    assert_eq!(browser.type_code(&typed.user_code).await.status, 400);
    assert_eq!(browser.decide(&consent, "approve", &[]).await.status, 410);

    test.clock.advance(-HOUR);
    assert_eq!(browser.decide(&consent, "approve", &[]).await.status, 410);
    assert_dead(&test, &typed, false).await;
    assert_dead(&test, &decided, false).await;
}

/// DEV-54, T-13: a last poll in the future locks no device out.
#[actix_web::test]
async fn clock_set_back_slows_no_device_down() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    for seconds in [0, 300, -2 * HOUR, 5, 5, HOUR, 5] {
        test.clock.advance(seconds);
        let answer = test.poll(&device).await;
        assert_refused(&answer, 400, "authorization_pending");
    }
    test.settle().await;
    assert_eq!(test.count("device_grant", "interval_ms = 5000"), 1);
}

/// T-13: acknowledged changes survive a restart, as the issue requires.
#[actix_web::test]
async fn restarted_server_keeps_its_grants() {
    let mut test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    let mut browser = test.user().await;
    test.restart().await;
    // The server forgets when the device polled last.
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    let consent = browser.type_code(&device.user_code).await;
    assert_eq!(consent.status, 200, "{}", consent.body);
    test.restart().await;
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    test.restart().await;
    let token = test.poll(&device).await.token();
    test.restart().await;
    assert_eq!(test.me(&token).await.status(), 200);
    assert_refused(&test.poll(&device).await, 400, "invalid_grant");
}
