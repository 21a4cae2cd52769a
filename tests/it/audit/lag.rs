//! Metrics of records that wait to be sealed, signed, published or shipped.

use super::settle_within;
use crate::support::database::Database;
use crate::support::{TestApp, http, log};
use doorcode::app::sweep::{self, Rarely};
use std::net::TcpListener;
use std::time::Duration;

/// Metrics of a server, as OpenMetrics text.
async fn figures(url: &str) -> String {
    let answer = http().get(format!("{url}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// Number of records that wait for a step and age of the oldest in seconds, or `None` if the
/// metrics omit them.
async fn lag(test: &TestApp, step: &str) -> Option<(u64, f64)> {
    let figures = figures(&test.url).await;
    let value = |unit| {
        let name = format!("doorcode_audit_lag_{unit}{{step=\"{step}\"}} ");
        let mut values = figures.lines().filter_map(|line| line.strip_prefix(&name));
        values.next().map(str::to_owned)
    };
    let (records, seconds) = (value("records")?, value("seconds")?);
    Some((records.parse().unwrap(), seconds.parse().unwrap()))
}

/// AUD-13, AUD-10: the lag of a step that fails or hangs grows in number and age; that of later
/// steps does not.
#[actix_web::test]
async fn metrics_show_the_lag_of_each_step() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap();
    let settings = format!(
        "[audit]\ncheckpoint_records = 1\ncheckpoint_to = \"http://{gone}/\"
         ship_to = \"{{directory}}/shipped\""
    );
    let test = TestApp::with(&settings).await;
    assert_eq!(sweep::settle(&test.app).await.len(), 1);
    let sealed = u64::try_from(test.count("audit_record", "1 = 1")).unwrap();
    for step in ["seal", "sign", "ship"] {
        assert_eq!(lag(&test, step).await, Some((0, 0.0)), "{step}");
    }
    assert_eq!(lag(&test, "publish").await, Some((sealed, 0.0)));

    for _ in 0..3 {
        test.device("tokens:read").await;
    }
    test.clock.advance_ms(61_500);
    assert_eq!(lag(&test, "seal").await, Some((3, 61.5)));
    assert_eq!(lag(&test, "sign").await, Some((0, 0.0)));
    assert_eq!(lag(&test, "publish").await, Some((sealed, 61.5)));

    std::fs::rename(test.path("shipped"), test.path("away")).unwrap();
    std::fs::write(test.path("shipped"), "what somebody else keeps").unwrap();
    assert_eq!(sweep::settle(&test.app).await.len(), 2);
    assert_eq!(lag(&test, "seal").await, Some((0, 0.0)));
    assert_eq!(lag(&test, "sign").await, Some((0, 0.0)));
    assert_eq!(lag(&test, "publish").await, Some((sealed + 3, 61.5)));
    assert_eq!(lag(&test, "ship").await, Some((3, 61.5)));

    std::fs::rename(test.path("away"), test.path("shipped")).unwrap();
    assert_eq!(sweep::settle(&test.app).await.len(), 1);
    assert_eq!(lag(&test, "ship").await, Some((0, 0.0)));
}

/// A log that is no longer signed, and checkpoints whose file is missing.
#[actix_web::test]
async fn metrics_show_a_log_that_is_not_signed() {
    let test = TestApp::with("[audit]\ncheckpoint_records = 1").await;
    test.settle().await;
    assert_eq!(lag(&test, "sign").await, Some((0, 0.0)));
    assert_eq!(lag(&test, "publish").await, Some((0, 0.0)));
    assert_eq!(lag(&test, "ship").await, None);

    std::fs::write(test.path("audit_key.seen"), "something else").unwrap();
    test.device("tokens:read").await;
    test.clock.advance(600);
    // Neither the head nor a checkpoint can be kept.
    assert_eq!(sweep::settle(&test.app).await.len(), 2);
    assert_eq!(lag(&test, "sign").await, Some((1, 600.0)));

    std::fs::remove_file(test.path("audit_key.seen")).unwrap();
    test.settle().await;
    assert_eq!(lag(&test, "sign").await, Some((0, 0.0)));
    std::fs::remove_file(test.path("audit_checkpoints")).unwrap();
    let sealed = u64::try_from(test.count("audit_record", "1 = 1")).unwrap();
    assert_eq!(lag(&test, "publish").await.unwrap().0, sealed);
}

/// Without its database a server still counts requests, and omits the metrics of the log.
#[actix_web::test]
async fn metrics_omit_the_log_without_a_database() {
    let test = TestApp::start().await;
    let outage = test.database.outage();
    let node = test.node(outage.url());
    let said = figures(&node.url).await;
    assert!(!said.contains("doorcode_audit_lag_records{"), "{said}");
    assert!(figures(&node.url).await.contains("route=\"/metrics\""));
    outage.end();
    let said = figures(&node.url).await;
    assert!(said.contains("doorcode_audit_lag_records{"), "{said}");
}

/// The server warns of unsealed records although no step fails, with decreasing frequency.
#[actix_web::test]
async fn server_warns_of_unsealed_records() {
    let test = TestApp::start().await;
    test.settle().await;
    let warnings = |seconds: &str| {
        let log = log::text();
        let of_it = |line: &&str| {
            line.contains("wait to be sealed") && line.contains(&format!("\"seconds\":{seconds}}}"))
        };
        log.lines().filter(of_it).count()
    };
    let slow = Rarely::default();
    test.device("tokens:read").await;
    test.clock.advance(10);
    sweep::watch(&test.app, &slow).await.unwrap();
    assert_eq!(warnings("10"), 0);
    test.clock.advance(47_011);
    for _ in 0..9 {
        sweep::watch(&test.app, &slow).await.unwrap();
    }
    assert_eq!(warnings("47021"), 4, "the first, second, fourth and eighth");

    // Sealing resets the warning.
    test.settle().await;
    sweep::watch(&test.app, &slow).await.unwrap();
    test.device("tokens:read").await;
    test.clock.advance(47_012);
    sweep::watch(&test.app, &slow).await.unwrap();
    assert_eq!(warnings("47012"), 1);
}

/// A sealer that hangs with its lock causes no failure elsewhere, so the metrics must show it.
#[actix_web::test]
async fn metrics_show_a_sealer_that_hangs() {
    if !Database::is_postgres() {
        // There is no other server.
        return;
    }
    let test = TestApp::start().await;
    test.settle().await;
    let hangs = test.database.hold("SELECT 1 FROM audit_head FOR UPDATE");
    test.device("tokens:read").await;
    test.clock.advance(30);
    test.settle().await;
    assert_eq!(lag(&test, "seal").await, Some((1, 30.0)));
    drop(hangs);
    settle_within(&test, Duration::from_secs(5)).await;
    assert_eq!(lag(&test, "seal").await, Some((0, 0.0)));
}
