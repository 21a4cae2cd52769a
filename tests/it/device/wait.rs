//! Polls that wait for the user's decision (`Prefer: wait`, RFC 7240).

use super::{BEHIND_PROXY, assert_refused};
use crate::support::TestApp;
use crate::support::database::Database;
use crate::support::device::{Answer, Device};
use doorcode::app::sweep;
use std::time::Duration;

/// Far less than the 30 seconds that the polls here may wait.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Returns once a poll waits, and so has found the grant pending.
async fn is_held(test: &TestApp) {
    while test.app.held_polls() == 0 {
        tokio::task::yield_now().await;
    }
}

/// Polls during an event; fails unless the response arrives immediately after it.
pub async fn held_during(
    test: &TestApp,
    device: &Device,
    event: impl Future<Output = ()>,
) -> Answer {
    let poll = test.poll_waiting(device, 999);
    let event = async {
        is_held(test).await;
        event.await;
    };
    let both = async { tokio::join!(poll, event).0 };
    tokio::time::timeout(AT_ONCE, both).await.unwrap()
}

/// CONTRACT 3.
#[actix_web::test]
async fn waiting_poll_is_answered_when_the_user_approves() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let approve = async {
        browser.approve(&device.user_code, &["tokens:read"]).await;
    };
    let answer = held_during(&test, &device, approve).await;
    assert_eq!(test.me(&answer.token()).await.status(), 200);
    assert_eq!(answer.headers["preference-applied"], "wait=30");
    assert_eq!(
        test.poll_waiting(&device, 30).await.error(),
        "invalid_grant"
    );
}

/// CONTRACT 3, DEV-48.
#[actix_web::test]
async fn waiting_poll_is_answered_when_the_user_denies() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let deny = async {
        let consent = browser.type_code(&device.user_code).await;
        let page = browser.decide(&consent, "deny", &[]).await;
        assert_eq!(page.status, 200);
    };
    let answer = held_during(&test, &device, deny).await;
    assert_refused(&answer, 400, "access_denied");
}

/// CONTRACT 3: polls that wait for the full time, in parallel and in sequence.
#[actix_web::test]
async fn poll_that_waited_in_vain_is_pending_and_never_gets_slow_down() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let wait = || test.poll_waiting(&device, 1);
    let started = std::time::Instant::now();
    let (first, second, third, fourth) = tokio::join!(wait(), wait(), wait(), wait());
    assert!(started.elapsed() >= Duration::from_secs(1));
    for answer in [first, second, third, fourth, wait().await] {
        assert_refused(&answer, 400, "authorization_pending");
        assert_eq!(answer.headers["preference-applied"], "wait=1");
    }
    test.settle().await;
    assert_eq!(test.count("device_grant", "interval_ms = 5000"), 1);
}

/// CONTRACT 3: a poll without the preference, or one that cannot wait, follows the plain RFC.
#[actix_web::test]
async fn poll_that_does_not_wait_is_paced_as_usual() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    for expected in ["authorization_pending", "slow_down", "slow_down"] {
        let answer = test.poll_waiting(&device, 0).await;
        assert_refused(&answer, 400, expected);
        assert!(!answer.headers.contains_key("preference-applied"));
    }
}

/// DEV-51. The number of waiting polls per device is limited; together they get one token.
#[actix_web::test]
async fn waiting_polls_of_one_device_share_one_token() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let mut browser = test.user().await;
    let (other, third) = (
        test.poll_waiting(&device, 30),
        test.poll_waiting(&device, 30),
    );
    let approve = async {
        browser.approve(&device.user_code, &[]).await;
    };
    let all = async { tokio::join!(held_during(&test, &device, approve), other, third) };
    let (a, b, c) = tokio::time::timeout(AT_ONCE, all).await.unwrap();
    assert_eq!([b.token(), c.token()], [a.token(), a.token()]);
    assert_eq!(test.count("token", "1 = 1"), 1);
}

/// A stopping server answers all waiting polls.
#[actix_web::test]
async fn stopping_server_answers_waiting_polls() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let answer = held_during(&test, &device, async { test.app.end_waiting() }).await;
    assert_refused(&answer, 400, "authorization_pending");
    // The preference was not applied, so the device must pace itself.
    assert!(!answer.headers.contains_key("preference-applied"));
    let late = tokio::time::timeout(AT_ONCE, test.poll_waiting(&device, 30));
    let late = late.await.unwrap();
    assert!(!late.headers.contains_key("preference-applied"), "{late:?}");
}

/// CONTRACT 3, on a database that servers can share: another server takes the decision.
#[actix_web::test]
async fn waiting_poll_gets_a_decision_from_another_server() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::with(BEHIND_PROXY).await;
    let device = test.device("").await;
    let sweeper = actix_web::rt::spawn(sweep::run(test.app.clone()));
    let deny = async {
        test.database
            .execute("UPDATE device_grant SET state = 'denied', denied_reason = 'user'");
    };
    let answer = held_during(&test, &device, deny).await;
    assert_refused(&answer, 400, "access_denied");
    sweeper.abort();
}
