//! Records and their position in the chain.

use super::{settle_within, sound, verify};
use crate::support::TestApp;
use crate::support::database::{AUDIT, Database};
use doorcode::app::audit::seal::Watch;
use doorcode::app::sweep;
use doorcode::store::{self, Store};
use futures_util::future::join_all;
use std::sync::mpsc;
use std::time::Duration;

/// AUD-08: 200 writers on three servers that all seal produce one chain, without gap or fork.
#[actix_web::test]
async fn two_hundred_writers_on_three_servers_produce_one_chain() {
    let many = "[device]\nlive_codes_per_source = 1000\nlive_codes_per_site = 1000";
    let first = TestApp::with(many).await;
    let second = first.second_server(many).await;
    let third = first.second_server(many).await;
    let servers = [&first, &second, &third];
    let sweeps = servers.map(|server| actix_web::rt::spawn(sweep::run(server.app.clone())));

    let owner = first.caller("owner@example.com").await;
    let before = first.count(AUDIT, "1 = 1");
    let created = first.count(AUDIT, "action = 'organization.created'");
    let writers = (0..200).map(|n| {
        let server = servers[n % 3];
        let (owner, name) = (&owner, format!("Organization {n}"));
        async move { server.organization(owner, &name).await }
    });
    assert_eq!(join_all(writers).await.len(), 200);
    for server in servers {
        server.settle().await;
    }
    for sweep in &sweeps {
        sweep.abort();
    }
    for server in servers {
        server.settle().await;
    }

    let records = sound(&verify(&first).await);
    assert_eq!(first.count("audit_event", "1 = 1"), 0);
    let count = |condition| first.count("audit_record", condition);
    assert_eq!(count("action = 'organization.created'"), created + 200);
    assert!(count("1 = 1") >= before + 200);
    assert_eq!(
        count(&format!("sequence BETWEEN 1 AND {records}")),
        count("1 = 1")
    );
}

/// Another server takes over within seconds from a server that vanishes while it holds the
/// sealing lock. On SQLite there is no other server.
#[actix_web::test]
async fn another_server_seals_after_the_sealing_server_vanishes() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    test.settle().await;
    test.device("tokens:read").await;
    let store = Store::open(&test.app.config().database.url).unwrap();
    let (has_lock, locked) = mpsc::channel();
    let (vanished, forever) = mpsc::channel::<()>();
    let forever = std::sync::Mutex::new(forever);
    let sealer = actix_web::rt::spawn(async move {
        let sealing = store.write(move |conn| {
            assert!(store::audit::lock_head(conn)?.is_some());
            has_lock.send(()).unwrap();
            // The transaction neither continues nor ends.
            forever.lock().unwrap().recv().unwrap_err();
            Ok::<_, store::Error>(())
        });
        sealing.await
    });
    tokio::task::spawn_blocking(move || locked.recv())
        .await
        .unwrap()
        .unwrap();
    test.settle().await;
    assert!(test.count("audit_event", "1 = 1") > 0, "sealed by two");

    settle_within(&test, Duration::from_secs(20)).await;
    sound(&verify(&test).await);
    drop(vanished);
    assert!(sealer.await.unwrap().is_err(), "it has committed");
}

/// Another server takes over immediately if the sealing server crashes or the database ends its
/// connection: the lock ends with the connection.
#[actix_web::test]
async fn another_server_seals_immediately_after_the_sealing_server_crashes() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    test.settle().await;
    for is_cut in [false, true] {
        let sealer = test.database.hold("SELECT 1 FROM audit_head FOR UPDATE");
        test.device("tokens:read").await;
        test.settle().await;
        assert_eq!(test.count("audit_event", "1 = 1"), 1, "sealed by two");
        if is_cut {
            assert!(test.database.cut_connections() > 0);
        }
        drop(sealer);
        settle_within(&test, Duration::from_secs(5)).await;
    }
    sound(&verify(&test).await);
}

/// AUD-05: an attacker with the server's own database rights cannot alter sealed records.
#[actix_web::test]
async fn sealed_records_cannot_be_changed_or_deleted() {
    let test = TestApp::start().await;
    test.settle().await;
    let records = sound(&verify(&test).await);
    for sql in [
        "UPDATE audit_record SET action = 'token.revoked' WHERE sequence = 1",
        "DELETE FROM audit_record WHERE sequence = 1",
        "DELETE FROM audit_record",
    ] {
        assert!(!test.database.try_execute(sql), "{sql}");
    }
    if Database::is_postgres() {
        assert!(!test.database.try_execute("TRUNCATE audit_record"));
    }
    assert_eq!(sound(&verify(&test).await), records);
}

/// AUD-07: an operation that cannot be recorded is rejected.
#[actix_web::test]
async fn change_without_its_audit_record_is_rolled_back() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:write"]).await;
    let tokens = test.count("token", "1 = 1");
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    test.database
        .execute("ALTER TABLE audit_event RENAME TO audit_event_away");

    let made = reqwest::Client::new()
        .post(test.at("/v1/tokens"))
        .bearer_auth(&token)
        .header("Idempotency-Key", "one")
        .json(&serde_json::json!({"name": "n", "scopes": []}))
        .send()
        .await
        .unwrap();
    // PostgreSQL's driver does not tell this error from one of the server's state.
    let refused = if Database::is_postgres() { 503 } else { 500 };
    assert_eq!(made.status(), refused);
    let approved = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(approved.status, refused);
    assert_eq!(test.count("token", "1 = 1"), tokens);
    assert_eq!(test.count("device_grant", "state = 'pending'"), 1);

    test.database
        .execute("ALTER TABLE audit_event_away RENAME TO audit_event");
    test.settle().await;
    sound(&verify(&test).await);
}

/// AUD-17: the chain determines the order, and a clock that is set back is recorded.
#[actix_web::test]
async fn clock_set_back_is_recorded_and_the_sequence_rises() {
    let test = TestApp::start().await;
    test.settle().await;
    let before = sound(&verify(&test).await);
    test.clock.advance(-3_600);
    test.device("tokens:read").await;
    test.settle().await;
    let after = sound(&verify(&test).await);
    assert_eq!(after, before + 2);
    let at = |sequence| {
        let sql = format!("SELECT action FROM audit_record WHERE sequence = {sequence}");
        test.database.text(&sql)
    };
    assert_eq!(at(before + 1), "clock.stepped_back");
    assert_eq!(at(before + 2), "device.requested");
    // Records after the new time are in order again.
    test.device("tokens:read").await;
    test.settle().await;
    assert_eq!(sound(&verify(&test).await), after + 1);
}

/// AUD-05, AUD-09: the database rejects a row at an invalid position, and the verification finds
/// one, however large the gap before it.
#[actix_web::test]
async fn row_at_an_invalid_position_is_rejected_and_found() {
    let test = TestApp::start().await;
    test.settle().await;
    let last = sound(&verify(&test).await);
    let insert = |insert: &str, place: i64, id: &str| {
        format!(
            "{insert} INTO audit_record (sequence, hash, id, at, action, outcome, actor_kind,
                 method, request_id, detail)
             SELECT {place}, hash, {id}, at, action, outcome, actor_kind, method, request_id, 'x'
             FROM audit_record WHERE sequence = 1"
        )
    };
    let put = |place: i64| insert("INSERT", place, &format!("'evt_{place}'"));
    let last_place = i64::try_from(last).unwrap();
    for place in [-1, 0, 1, last_place] {
        assert!(!test.database.try_execute(&put(place)), "{place}");
    }
    // On SQLite, a new last row could otherwise replace another one with the same id.
    let replace = match Database::is_postgres() {
        true => "INSERT",
        false => "INSERT OR REPLACE",
    };
    let twice = insert(replace, last_place + 1, "id");
    assert!(!test.database.try_execute(&twice));
    assert_eq!(sound(&verify(&test).await), last);
    test.database.disarm();
    for (place, found) in [(0, 1), (-1, 1), (1_000_000_000_000, last + 1)] {
        test.database.execute(&put(place));
        let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!(discrepancy.sequence, found, "{discrepancy:?}");
        test.database.execute(&format!(
            "DELETE FROM audit_record WHERE sequence = {place}"
        ));
    }
    sound(&verify(&test).await);
}

/// AUD-17: a clock that is set forward is recorded once.
#[actix_web::test]
async fn clock_set_forward_is_recorded() {
    let test = TestApp::start().await;
    let watch = Watch::start(&test.app);
    for (seconds, records) in [(0, 0), (29, 0), (3_600, 1), (0, 1), (-3_600, 1)] {
        test.clock.advance(600);
        test.clock.set_forward(seconds);
        watch.look(&test.app).await.unwrap();
        assert_eq!(test.events("clock.stepped_forward"), records, "{seconds}");
    }
    let said = test
        .database
        .text("SELECT detail FROM audit_event WHERE action = 'clock.stepped_forward'");
    let [from, to] = ["2026-11-22T12:30:29.000Z", "2026-11-22T13:30:29.000Z"];
    assert_eq!(said, format!("{{\"from\":\"{from}\",\"to\":\"{to}\"}}"));
}
