//! A server whose clock is wrong, beside a database that others share.

use crate::support::TestApp;
use crate::support::database::Database;
use crate::support::deployment::Deployment;
use doorcode::app::{clock, sweep};

/// A day and an hour, after which every session and code would be gone.
const WRONG: i64 = 25 * 3_600;

/// The seconds by which the clock of the test is behind that of the database.
fn behind(test: &TestApp) -> i64 {
    let now = test
        .database
        .text("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint::text");
    now.parse::<i64>().unwrap() - test.app.now().timestamp()
}

/// Status and text of `/readyz`.
async fn ready(test: &TestApp) -> (u16, String) {
    let answer = test.anon().get(test.at("/readyz")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn purge(test: &TestApp) {
    let purged = sweep::by_true_time(&test.app, sweep::purge(&test.app)).await;
    purged.unwrap();
}

/// One server's clock is set a day ahead: it is not ready, deletes nothing of the others, and what it
/// stores ends when it does for them. With the right time it is ready again.
#[actix_web::test]
async fn wrong_clock_neither_destroys_nor_shortens_what_others_hold() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    test.clock.set_forward(behind(&test));
    clock::compare(&test.app).await.unwrap();
    assert_eq!(ready(&test).await.0, 200);
    let mut browser = test.user().await;
    let codes = "SELECT count(*)::text FROM device_grant";
    let device = test.device("orgs:read").await;
    assert_eq!(test.database.text(codes), "1");

    for wrong in [WRONG, -WRONG, 60, -60] {
        test.clock.set_forward(wrong);
        purge(&test).await;
        let (status, text) = ready(&test).await;
        assert_eq!(status, 503, "{wrong}");
        assert!(text.starts_with("not ready: clock"), "{text}");
        assert!(behind(&test).abs() < 10, "{wrong}");
        assert_eq!(test.database.text(codes), "1");
        assert_eq!(browser.get("/account").await.status, 200, "{wrong}");
        // The code has not expired, though its interval may not be over.
        let polled = test.poll(&device).await;
        let waiting = ["authorization_pending", "slow_down"];
        assert!(waiting.contains(&polled.error()), "{wrong}: {polled:?}");

        test.clock.set_forward(-wrong);
        clock::compare(&test.app).await.unwrap();
        assert_eq!(ready(&test).await.0, 200);
    }
    // Small differences are followed, and what has expired by the database's clock is purged.
    test.clock.set_forward(-10);
    purge(&test).await;
    assert_eq!(ready(&test).await.0, 200);
    assert!(behind(&test).abs() < 10);
    test.database
        .execute("UPDATE device_grant SET expires_at = expires_at - interval '1 day'");
    purge(&test).await;
    assert_eq!(test.database.text(codes), "0");
}

/// A server measures its clock at the start.
#[actix_web::test]
async fn running_server_with_the_right_clock_is_ready() {
    let deployment = Deployment::migrated();
    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
}
