//! How fast a device may poll: kept in memory, but for a raised interval.

use super::{POLL, assert_refused};
use crate::statements;
use crate::support::database::Database;
use crate::support::device::GRANT;
use crate::support::{CLI, TestApp};
use doorcode::app::client::Kind;

const PENDING: &str = "authorization_pending";

/// A pending poll writes nothing, and reads at most one statement: none on SQLite until something
/// changes.
#[actix_web::test]
async fn pending_poll_costs_at_most_one_statement_and_no_write() {
    statements::observe();
    let test = TestApp::start().await;
    let device = test.device("").await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    let before = (test.database.content(), commits(&test));
    for _ in 0..5 {
        test.clock.advance(5);
        let read = statements::during(&test.database, test.poll(&device));
        let (answer, statements) = read.await;
        assert_refused(&answer, 400, PENDING);
        if !Database::is_postgres() {
            assert!(statements.is_empty(), "{statements:#?}");
        }
    }
    assert_eq!((test.database.content(), commits(&test)), before);
    test.database
        .execute("UPDATE client SET name = 'Another' WHERE id = 'doorcode-cli'");
    test.clock.advance(5);
    let (answer, statements) = statements::during(&test.database, test.poll(&device)).await;
    assert_refused(&answer, 400, PENDING);
    if !Database::is_postgres() {
        assert_eq!(statements.len(), 1, "{statements:#?}");
    }
}

/// A value that each commit of others to SQLite changes.
fn commits(test: &TestApp) -> String {
    match Database::is_postgres() {
        true => String::new(),
        false => test
            .database
            .text("SELECT data_version FROM pragma_data_version"),
    }
}

/// An interval that outlasts the codes grows no more: a device that polls without pause costs few
/// writes. Its user still signs in.
#[actix_web::test]
async fn device_without_pause_soon_writes_nothing_and_gets_its_token() {
    let test = TestApp::with("[device]\ncode_lifetime = \"1m\"\n").await;
    let device = test.device("tokens:read").await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    for _ in 0..12 {
        assert_eq!(test.poll(&device).await.error(), "slow_down");
    }
    test.settle().await;
    assert_eq!(test.count("device_grant", "interval_ms = 65000"), 1);
    let before = (test.database.content(), commits(&test));
    for _ in 0..12 {
        assert_eq!(test.poll(&device).await.error(), "slow_down");
    }
    test.settle().await;
    assert_eq!((test.database.content(), commits(&test)), before);
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    assert_eq!(test.poll(&device).await.status, 200);
}

/// A restart forgets the last poll, so that the next one is on time, and keeps a raised interval.
#[actix_web::test]
async fn restart_keeps_a_raised_interval() {
    let mut test = TestApp::start().await;
    let device = test.device("").await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    assert_eq!(test.poll(&device).await.error(), "slow_down");
    test.restart().await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    // More than the first interval, and less than the raised one.
    test.clock.advance(7);
    assert_eq!(test.poll(&device).await.error(), "slow_down");
    test.clock.advance(15);
    assert_eq!(test.poll(&device).await.error(), PENDING);
}

/// Concurrent polls follow each other: one is on time, and each other one raises the interval.
#[actix_web::test]
async fn each_of_concurrent_early_polls_raises_the_interval() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let polls = (0..20).map(|_| test.poll(&device));
    let answers = futures_util::future::join_all(polls).await;
    let count = |error| answers.iter().filter(|it| it.error() == error).count();
    assert_eq!((count(PENDING), count("slow_down")), (1, 19));
    // No answer waits for a write.
    assert_eq!(test.count("device_grant", "interval_ms = 5000"), 1);
    test.settle().await;
    assert_eq!(test.count("device_grant", "interval_ms = 100000"), 1);
}

/// The short way of a pending poll authenticates the client like any other request.
#[actix_web::test]
async fn pending_poll_of_a_client_that_may_not_poll_is_refused() {
    let test = TestApp::start().await;
    test.add_client("other", Kind::Public, &["tokens:read"])
        .await;
    let device = test.device("").await;
    let form = |id| {
        [
            ("grant_type", GRANT),
            ("client_id", id),
            ("device_code", device.device_code.as_str()),
        ]
    };
    assert_refused(&test.oauth(POLL, &form(CLI)).await, 400, PENDING);
    assert_refused(
        &test.oauth(POLL, &form("other")).await,
        400,
        "invalid_grant",
    );
    assert_refused(
        &test.oauth(POLL, &form("nobody")).await,
        401,
        "invalid_client",
    );
    let digest = "0".repeat(64);
    for (change, back, status, error) in [
        (
            "state = 'disabled'",
            "state = 'active'".to_owned(),
            401,
            "invalid_client",
        ),
        (
            &format!("secret_digest = '{digest}'"),
            "secret_digest = NULL".to_owned(),
            401,
            "invalid_client",
        ),
        (
            "scopes = '', default_scopes = ''",
            "scopes = 'tokens:read'".to_owned(),
            400,
            "unauthorized_client",
        ),
    ] {
        let update = |set: &str| {
            let update = format!("UPDATE client SET {set} WHERE id = '{CLI}'");
            test.database.execute(&update);
        };
        update(change);
        assert_refused(&test.oauth(POLL, &form(CLI)).await, status, error);
        update(&back);
        test.clock.advance(5);
        assert_refused(&test.oauth(POLL, &form(CLI)).await, 400, PENDING);
    }
}

/// Each server keeps the last polls of its own, and all share a raised interval.
#[actix_web::test]
async fn second_server_shares_the_raised_interval() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let device = test.device("").await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    assert_eq!(second.poll(&device).await.error(), PENDING);
    assert_eq!(test.poll(&device).await.error(), "slow_down");
    test.settle().await;
    test.clock.advance(7);
    assert_eq!(second.poll(&device).await.error(), "slow_down");
    test.clock.advance(15);
    assert_eq!(second.poll(&device).await.error(), PENDING);
    assert_eq!(test.poll(&device).await.error(), PENDING);
}
