//! A database that answers and rejects writes.

use super::{assert_unavailable, read, ready, until_ready, write};
use crate::support::database::Database;
use crate::support::{CLI, TestApp};
use std::time::Duration;
use url::Url;

/// How soon `/readyz` shows that writes fail: its heartbeat and its margin.
const SHOWN: Duration = Duration::from_secs(3);

/// How soon the server works again.
const RECOVERED: Duration = Duration::from_secs(5);

/// The errors that a PostgreSQL server in any language may return for a moment, by SQLSTATE.
const STATES: [&str; 9] = [
    "25006", // read-only transaction
    "40001", // serialization failure
    "40P01", // deadlock
    "53100", // disk full
    "53200", // out of memory
    "55P03", // lock timeout
    "57014", // canceled, statement timeout
    "57P01", // shutdown by the administrator
    "XX000", // internal error
];

/// Fails inserts into a table with this SQLSTATE while the sequence `failures_left` is below
/// `count`. Sequences keep counting in transactions that are rolled back.
fn fail(database: &Database, state: &str, count: u32) {
    database.execute(&format!(
        "DROP TRIGGER IF EXISTS failing ON device_grant;
         DROP SEQUENCE IF EXISTS attempts;
         CREATE SEQUENCE attempts;
         CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('attempts') <= {count} THEN
                 RAISE EXCEPTION 'Vorgang fehlgeschlagen' USING ERRCODE = '{state}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER failing BEFORE INSERT ON device_grant
             FOR EACH ROW EXECUTE FUNCTION fail()"
    ));
}

/// Errors are recognized in any language: one is repaired by running the work again, and a lasting
/// one is reported as temporary after a few attempts.
#[actix_web::test]
async fn passing_errors_of_postgresql_are_never_internal_errors() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    for state in STATES {
        fail(&test.database, state, 1);
        let answer = write(&test, &test.url).await;
        assert_eq!(answer.status, 200, "{state}: {answer:?}");
        fail(&test.database, state, 1_000);
        assert_unavailable(&write(&test, &test.url).await);
        let attempts: u32 = test
            .database
            .text("SELECT last_value FROM attempts")
            .parse()
            .unwrap();
        let most = match state {
            // A collision.
            "40001" => 6,
            // A server that is read-only stays so.
            "25006" => 2,
            // The driver hides the state, which may be a deadlock.
            _ => 5,
        };
        // One more if it shared its first batch with other work, and was set aside from it.
        assert!((most..=most + 1).contains(&attempts), "{state}: {attempts}");
    }
    test.database
        .execute("DROP TRIGGER failing ON device_grant");
    assert_eq!(write(&test, &test.url).await.status, 200);
}

/// One piece of work that always fails does not fail the work that shares its commit.
#[actix_web::test]
async fn failing_work_leaves_other_work_of_its_batch_alone() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    fail(&test.database, "53100", 1_000_000);
    let revoke = async |token: String| {
        let form = [("client_id", CLI), ("token", token.as_str())];
        test.oauth("/auth/revoke", &form).await
    };
    let failing = (0..20).map(|_| write(&test, &test.url));
    let (failed, revoked) = tokio::join!(
        futures_util::future::join_all(failing),
        revoke(token.clone())
    );
    failed.iter().for_each(assert_unavailable);
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(test.me(&token).await.status(), 401);
}

/// A table that another session has locked: reads and writes fail for now.
#[actix_web::test]
async fn locked_table_is_reported_as_temporary() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let lock = test.database.hold("LOCK TABLE token, device_grant");
    let (found, written) = tokio::join!(read(&test, &test.url, &token), write(&test, &test.url));
    assert_unavailable(&found);
    assert_unavailable(&written);
    drop(lock);
    assert_eq!(read(&test, &test.url, &token).await.body["active"], true);
    assert_eq!(write(&test, &test.url).await.status, 200);
}

/// A role that is read-only for a while, as after a failover or on a full disk of a managed
/// server: the server shows it, and recovers without a restart.
#[actix_web::test]
async fn read_only_sessions_are_shown_and_replaced() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let role = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
    let database = &test.database;
    database.execute(&format!("CREATE ROLE {role} SUPERUSER LOGIN"));
    let mut url = Url::parse(&database.url).unwrap();
    url.set_username(&role).unwrap();
    let node = test.node(url.as_str());
    until_ready(&node.url, 200, "ready", RECOVERED).await;
    assert_eq!(write(&test, &node.url).await.status, 200);

    database.execute(&format!(
        "ALTER ROLE {role} SET default_transaction_read_only = on"
    ));
    database.cut_connections();
    assert_unavailable(&write(&test, &node.url).await);
    until_ready(&node.url, 503, "read-only", SHOWN).await;

    database.execute(&format!("ALTER ROLE {role} RESET ALL"));
    until_ready(&node.url, 200, "ready", RECOVERED).await;
    assert_eq!(write(&test, &node.url).await.status, 200);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// Sessions that became read-only while they were open.
#[actix_web::test]
async fn writer_leaves_a_session_that_became_read_only() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    assert_eq!(write(&test, &test.url).await.status, 200);
    let name = test.database.text("SELECT current_database()");
    let set = |to: &str| {
        test.database.execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = {to}"
        ));
        test.database.cut_connections();
    };
    set("on");
    assert_unavailable(&write(&test, &test.url).await);
    // The session of the test itself is read-only too, and may say otherwise.
    test.database
        .execute("SET default_transaction_read_only = off");
    until_ready(&test.url, 503, "read-only", SHOWN).await;
    set("off");
    until_ready(&test.url, 200, "ready", RECOVERED).await;
    assert_eq!(write(&test, &test.url).await.status, 200);
}

/// A single write that fails, as after a lock that another session holds for long, is no outage: the
/// next heartbeat decides.
#[actix_web::test]
async fn one_failed_write_is_no_outage() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    fail(&test.database, "55P03", 1_000);
    assert_unavailable(&write(&test, &test.url).await);
    assert_eq!(ready(&test.url).await.0, 200);
    assert_unavailable(&write(&test, &test.url).await);
    until_ready(&test.url, 503, "database", SHOWN).await;
    test.database
        .execute("DROP TRIGGER failing ON device_grant");
    until_ready(&test.url, 200, "ready", RECOVERED).await;
}

/// A full disk. `/readyz` shows it, and itself writes nothing.
#[actix_web::test]
async fn full_disk_is_shown_until_it_has_room() {
    let test = TestApp::start().await;
    let database = &test.database;
    assert_eq!(ready(&test.url).await.0, 200);
    let tables = ["device_grant", "heartbeat"];
    for table in tables {
        for event in ["INSERT", "UPDATE"] {
            let name = format!("full_{table}_{event}");
            database.execute(&match Database::is_postgres() {
                true => format!(
                    "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                         $$ BEGIN RAISE EXCEPTION 'voll' USING ERRCODE = '53100'; END $$;
                     CREATE TRIGGER {name} BEFORE {event} ON {table}
                         FOR EACH ROW EXECUTE FUNCTION full_disk()"
                ),
                false => format!(
                    "CREATE TRIGGER {name} BEFORE {event} ON {table}
                     BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                ),
            });
        }
    }
    assert_unavailable(&write(&test, &test.url).await);
    until_ready(&test.url, 503, "full", SHOWN).await;
    for table in tables {
        for event in ["INSERT", "UPDATE"] {
            let on = if Database::is_postgres() {
                format!(" ON {table}")
            } else {
                String::new()
            };
            database.execute(&format!("DROP TRIGGER full_{table}_{event}{on}"));
        }
    }
    until_ready(&test.url, 200, "ready", RECOVERED).await;
    assert_eq!(write(&test, &test.url).await.status, 200);
}

/// An idle server on SQLite does not write to its disk, and asking `/readyz` never does.
#[actix_web::test]
async fn readiness_check_writes_nothing() {
    let test = TestApp::start().await;
    let beats = || match test.count("heartbeat", "1 = 1") {
        0 => String::new(),
        _ => test.database.text("SELECT max(at) FROM heartbeat"),
    };
    let before = beats();
    for _ in 0..50 {
        assert_eq!(ready(&test.url).await.0, 200);
    }
    // The clock of the test stands still, so that heartbeats have one time.
    assert_eq!(beats(), before);
    assert_eq!(before.is_empty(), !Database::is_postgres());
}

/// A starting server deletes the heartbeats of servers that have ended.
#[actix_web::test]
async fn heartbeats_of_ended_servers_are_deleted() {
    if !Database::is_postgres() {
        return;
    }
    let mut test = TestApp::start().await;
    let ended = "INSERT INTO heartbeat (server, at) VALUES ('00', 0)";
    test.database.execute(ended);
    test.restart().await;
    assert_eq!(test.count("heartbeat", "server = '00'"), 0);
    assert!(test.count("heartbeat", "1 = 1") > 0);
}
