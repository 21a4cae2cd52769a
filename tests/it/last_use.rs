//! The last use of a token is recorded without delaying requests.

use crate::support::TestApp;
use crate::support::database::Database;
use doorcode::app::{App, sweep};
use futures_util::future::join_all;
use std::time::Duration;

/// Counts writes of the last use in a separate table.
fn count_writes(test: &TestApp) {
    test.database.execute(match Database::is_postgres() {
        true => {
            "CREATE TABLE use_write (n INTEGER);
             CREATE FUNCTION count_use() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO use_write VALUES (1); RETURN NULL; END $$;
             CREATE TRIGGER counted AFTER UPDATE OF last_used_at ON token
                 FOR EACH ROW EXECUTE FUNCTION count_use();"
        }
        false => {
            "CREATE TABLE use_write (n INTEGER);
             CREATE TRIGGER counted AFTER UPDATE OF last_used_at ON token
                 BEGIN INSERT INTO use_write VALUES (1); END;"
        }
    });
}

fn writes(test: &TestApp) -> i64 {
    test.count("use_write", "1 = 1")
}

/// Uses the token until the background writer has written this many times.
async fn use_until_written(test: &TestApp, token: &str, times: i64) {
    for _ in 0..20_000 {
        assert_eq!(test.me(token).await.status(), 200);
        if writes(test) >= times {
            return;
        }
    }
    panic!("the use was never written");
}

/// Writes in the background as the server does, by the clock of the test: the server itself would
/// follow that of the database.
async fn write_repeatedly(app: App) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        // What fails is written at a later tick.
        drop(sweep::write_gathered(&app).await);
    }
}

/// PAT-16, T-25: the row of a token is written at most once a minute, and no request waits while
/// another transaction has it locked.
#[actix_web::test]
async fn busy_token_costs_one_write_a_minute_and_never_waits() {
    let test = TestApp::start().await;
    count_writes(&test);
    let token = test.token(&["tokens:read"]).await;
    let held = test
        .database
        .hold("UPDATE token SET name = 'held by somebody else'");
    let writer = actix_web::rt::spawn(write_repeatedly(test.app.clone()));

    // The row stays locked until all of these have a response.
    for _ in 0..8 {
        let burst = (0..256).map(|_| test.me(&token));
        for answer in join_all(burst).await {
            assert_eq!(answer.status(), 200);
        }
    }
    assert_eq!(writes(&test), 0);
    drop(held);

    use_until_written(&test, &token, 1).await;
    test.clock.advance(59);
    for answer in join_all((0..256).map(|_| test.me(&token))).await {
        assert_eq!(answer.status(), 200);
    }
    test.clock.advance(1);
    let before = writes(&test);
    use_until_written(&test, &token, before + 1).await;
    writer.abort();
    // The server's cached time may lag behind the row by one flush.
    assert!((2..=4).contains(&writes(&test)), "{}", writes(&test));
    let seen = "last_used_address = '127.0.0.1' AND last_used_at = '2026-11-22 12:01:00'";
    assert_eq!(test.count("token", seen), 1);
}

/// PAT-16: introspection is a use too, and a clean stop writes pending uses.
#[actix_web::test]
async fn last_use_before_a_stop_is_not_lost() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let unused = test.token(&["tokens:read"]).await;
    assert_eq!(test.introspect(&token).await["active"], true);
    assert_eq!(test.me(&unused[..50]).await.status(), 401);
    test.app.stop().await;
    assert_eq!(test.count("token", "last_used_at IS NOT NULL"), 1);
    // After the stop the server still reads; a request that must write is rejected, not lost.
    assert_eq!(test.me(&token).await.status(), 200);
    let form = [
        ("client_id", crate::support::CLI),
        ("token", token.as_str()),
    ];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 503);
}

/// The address of an erased user must not come back with a use that is not written yet.
#[actix_web::test]
async fn use_of_a_token_that_is_revoked_meanwhile_is_not_written() {
    let test = TestApp::start().await;
    let (token, other) = (
        test.token(&["tokens:read"]).await,
        test.token(&["tokens:read"]).await,
    );
    assert_eq!(test.me(&token).await.status(), 200);
    let form = [
        ("client_id", crate::support::CLI),
        ("token", token.as_str()),
    ];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    assert_eq!(test.me(&other).await.status(), 200);
    test.app.stop().await;
    let (revoked, used) = ("revoked_at IS NOT NULL", "last_used_address IS NOT NULL");
    assert_eq!(test.count("token", revoked), 1);
    assert_eq!(test.count("token", &format!("{revoked} AND {used}")), 0);
    assert_eq!(test.count("token", used), 1);
}
