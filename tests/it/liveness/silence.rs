//! A path to PostgreSQL on which packets are acknowledged and nothing is answered.

use super::{ANSWERED, assert_unavailable, read, ready, until_ready, write};
use crate::support::TestApp;
use crate::support::database::Database;
use crate::support::relay::{DeadEnd, Relay};
use std::time::{Duration, Instant};

/// The server replaces its connections. Work that was cut off is not done later, when the old
/// connections come back to life.
#[actix_web::test]
async fn silent_connections_are_replaced_and_commit_nothing_later() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let relay = Relay::to(&test.database.url);
    let node = test.node(&relay.url(&test.database.url));
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    for _ in 0..2 {
        assert_eq!(write(&test, &node.url).await.status, 200);
        assert_eq!(read(&test, &node.url, &token).await.status, 200);
    }
    let before = test.count("device_grant", "1 = 1");

    let silent = relay.silence();
    assert!(silent >= 2, "{silent}");
    let started = Instant::now();
    let writes = (0..5).map(|_| write(&test, &node.url));
    let (written, found) = tokio::join!(
        futures_util::future::join_all(writes),
        read(&test, &node.url, &token),
    );
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
    // Work that waited behind the silent connection is done by the next one.
    let (done, failed): (Vec<_>, Vec<_>) = written.iter().partition(|answer| answer.status == 200);
    failed.into_iter().for_each(assert_unavailable);
    // One of the requests has met the silent connection for reading.
    match found.status {
        200 => assert_eq!(found.body["active"], true),
        _ => assert_unavailable(&found),
    }
    let done = before + i64::try_from(done.len()).unwrap();
    assert_eq!(test.count("device_grant", "1 = 1"), done);

    // Without a restart, and while the old connections are still silent.
    assert_eq!(write(&test, &node.url).await.status, 200);
    assert_eq!(read(&test, &node.url, &token).await.body["active"], true);
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());

    relay.deliver();
    relay.wait_for_closed(1, ANSWERED);
    assert_eq!(test.count("device_grant", "1 = 1"), done + 1);
    assert_eq!(write(&test, &node.url).await.status, 200);
}

/// A server in place of PostgreSQL that accepts connections and never answers.
#[actix_web::test]
async fn requests_are_answered_while_new_connections_are_silent() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let dead_end = DeadEnd::start();
    let node = test.node(&format!("postgres://doorcode@{}/d", dead_end.address));
    let started = Instant::now();
    let reads = (0..20).map(|_| read(&test, &node.url, &token));
    let (written, found) = tokio::join!(
        write(&test, &node.url),
        futures_util::future::join_all(reads),
    );
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
    assert_unavailable(&written);
    found.iter().for_each(assert_unavailable);
    assert!(dead_end.accepted() > 1);
    assert_eq!(ready(&node.url).await.0, 503);
    assert!(started.elapsed() < ANSWERED + Duration::from_secs(1));
}

/// A held poll is answered too, in the format of its endpoint.
#[actix_web::test]
async fn held_poll_is_answered_after_the_database_falls_silent() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let relay = Relay::to(&test.database.url);
    let node = test.node(&relay.url(&test.database.url));
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    let poll = || {
        let request = test.anon().post(node.at("/auth/device/token"));
        let request = request.header("prefer", "wait=2");
        request.form(&device.poll_form(crate::support::CLI)).send()
    };
    let answer = crate::support::device::Answer::of(poll().await.unwrap()).await;
    assert_eq!(answer.error(), "authorization_pending");
    relay.silence();
    let started = Instant::now();
    let answer = crate::support::device::Answer::of(poll().await.unwrap()).await;
    assert_unavailable(&answer);
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
}
