//! A crash of the server at any moment loses no acknowledged operation.
//!
//! Several users and devices send requests concurrently; the server is killed, started again, and
//! checked for all acknowledged operations. Requests without a response may have taken effect or
//! not, but never in part.

mod caller;

use crate::support::database::Database;
use crate::support::deployment::Deployment;
use crate::support::http;
use caller::{Caller, Shared};
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

/// Concurrent callers.
const STREAMS: usize = 4;

/// Maximum number of responses in one round before the delay to the kill begins.
const MOST_ANSWERS: usize = 40;

/// Maximum delay to the kill.
const LAST_WHILE: Duration = Duration::from_millis(20);

/// SIGKILL at any moment of the flow. PAT-12, T-13.
#[actix_web::test]
async fn crash_at_any_moment_loses_no_acknowledged_operation() {
    let rounds = if Database::is_postgres() { 12 } else { 30 };
    let deployment = Deployment::with_user()
        .set("DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE", "100000")
        .set("DOORCODE__DEVICE__LIVE_CODES_PER_CLIENT", "100000")
        .set("DOORCODE__AUDIT__CHECKPOINT_RECORDS", "1")
        .set("DOORCODE__AUDIT__SHIP_TO", "shipped")
        .set("RUST_LOG", "warn");
    let mut server = deployment.start();
    // One sign-in is enough: sessions survive a crash too.
    let browser = deployment.user().await;
    let (mut live, mut dead, mut acknowledged) = (Vec::new(), Vec::new(), 0);
    for round in 0.. {
        // Each round is random; more rounds follow until at least one token is active and one is
        // revoked.
        if round >= rounds && !live.is_empty() && !dead.is_empty() {
            break;
        }
        assert!(round < 10 * rounds, "some operation never succeeds");
        let record = Shared::default();
        let (answers, mut answered) = unbounded_channel();
        let caller = || Caller {
            answers: answers.clone(),
            url: deployment.url.clone(),
            http: http(),
            browser: browser.clone(),
            record: record.clone(),
        };
        let streams: Vec<_> = (0..STREAMS)
            .map(|_| actix_web::rt::spawn(caller().work()))
            .collect();
        let mut streams = futures_util::future::join_all(streams);
        let death = async {
            for _ in 0..rand::random_range(0..MOST_ANSWERS) {
                answered.recv().await;
            }
            let rest = async { while answered.recv().await.is_some() {} };
            let _ = tokio::time::timeout(LAST_WHILE.mul_f64(rand::random()), rest).await;
        };
        tokio::select! {
            early = &mut streams => panic!("somebody stopped before the server: {early:?}"),
            () = death => {}
        }
        server.kill();
        for stream in streams.await {
            stream.unwrap();
        }

        // A user code counted as a guess before the crash stays counted, as intended; here that
        // would end the test after five crashes.
        deployment.database.execute("DELETE FROM throttle");
        server = deployment.start();
        let record = std::mem::take(&mut *record.lock().unwrap());
        acknowledged += record.grants.len() + record.made.len();
        let (now_live, now_dead) = caller().check(record).await;
        live.extend(now_live);
        dead.extend(now_dead);
    }
    // Later crashes have not affected earlier results.
    let caller = Caller {
        answers: unbounded_channel().0,
        url: deployment.url.clone(),
        http: http(),
        browser,
        record: Shared::default(),
    };
    for token in &live {
        assert_eq!(caller.me(token).await, 200);
    }
    for token in &dead {
        assert_eq!(caller.me(token).await, 401);
    }
    assert!(
        acknowledged > rounds,
        "hardly anything happened: {acknowledged}"
    );

    // Whatever the server was doing, there is one log and one export of it. The lease of the
    // killed servers would expire after half a minute.
    let lease = "UPDATE audit_shipping SET leased_by = NULL";
    deployment.database.execute(lease);
    server.signal("TERM");
    server.finish().exited(0);
    let sealed = deployment.database.count("audit_record", "1 = 1");
    let verify = |more: &[&str]| deployment.command(&["audit", "verify"]).args(more).run();
    verify(&[]).exited(0);
    verify(&["--export", "shipped"]).exited(0);
    let shipped = std::fs::read_to_string(deployment.path("shipped")).unwrap();
    assert_eq!(i64::try_from(shipped.lines().count()).unwrap(), sealed + 1);
}

/// DEV-59: a waiting `doorcode login` survives a crash of the server.
#[actix_web::test]
async fn waiting_sign_in_survives_a_server_crash() {
    let deployment = Deployment::with_user();
    let server = deployment.start();
    let mut login = deployment
        .command(&["login", "--no-browser", "--host", &deployment.url])
        .spawn();
    let line = login.line("Code:  ");
    let code = line.split_once("Code:  ").unwrap().1.trim();
    login.line("Waiting for approval");
    server.kill();
    login.line("The server did not respond. Retrying.");
    let _server = deployment.start();
    let scopes = ["orgs:read", "projects:read", "tokens:read"];
    deployment.user().await.approve(code, &scopes).await;
    login.finish().exited(0).says(&["Signed in to"]);
    assert_eq!(deployment.database.count("token", "revoked_at IS NULL"), 1);
}
