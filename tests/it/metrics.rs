//! `/metrics`: its content and its listener.

use crate::support::{CLI, EMAIL, PASSWORD, TestApp};
use doorcode::web;
use std::net::TcpListener;

async fn figures(test: &TestApp) -> String {
    let response = test.anon().get(test.at("/metrics")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    response.text().await.unwrap()
}

#[actix_web::test]
async fn requests_are_counted_by_route_without_personal_data() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    for _ in 0..3 {
        assert_eq!(test.me(&token).await.status(), 200);
    }
    let path = format!("/v1/tokens/{}", "tok_00000000000000000000000000000000");
    for path in [path.as_str(), "/nowhere", "/%ff", "/tokens?secret=canary"] {
        let request = test.anon().get(test.at(path)).bearer_auth(&token);
        request.send().await.unwrap();
    }
    let figures = figures(&test).await;
    let line = "doorcode_http_requests_total{method=\"GET\",route=\"/v1/me\",status=\"200\"} 3";
    assert!(figures.contains(line), "{figures}");
    assert!(figures.contains("doorcode_http_request_duration_seconds_bucket"));
    assert!(figures.ends_with("# EOF\n"), "{figures}");
    for never in ["tok_0", "nowhere", "canary", &token, "ada@example.com"] {
        assert!(!figures.contains(never), "{never}: {figures}");
    }
}

#[actix_web::test]
async fn separate_listener_removes_metrics_from_the_main_one() {
    for elsewhere in ["off", "127.0.0.1:9464"] {
        let test = TestApp::with(&format!("[metrics]\nlisten = \"{elsewhere}\"")).await;
        let response = test.anon().get(test.at("/metrics")).send().await.unwrap();
        assert_eq!(response.status(), 404, "{elsewhere}");
    }
}

#[actix_web::test]
async fn separate_listener_serves_all_metrics() {
    let test = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let metrics = web::Metrics::default();
    let server = web::metrics_server(test.app.clone(), metrics, listener).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let response = test.anon().get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let figures = response.text().await.unwrap();
    assert!(
        figures.contains("doorcode_audit_lag_records{step=\"seal\"} "),
        "{figures}"
    );
    handle.stop(true).await;
}

/// The value of a sample, by its name with its labels.
#[track_caller]
fn value(figures: &str, sample: &str) -> f64 {
    let found = figures
        .lines()
        .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("{sample}: {figures}"));
    found.parse().unwrap()
}

#[actix_web::test]
async fn server_shows_readiness_codes_sign_ins_and_its_build() {
    let test = TestApp::start().await;
    for _ in 0..2 {
        test.device("tokens:read").await;
    }
    for (email, password) in [(EMAIL, "a wrong one"), ("eve@example.com", PASSWORD)] {
        let page = test.browser().try_sign_in(email, password).await;
        assert_eq!(page.status, 401);
    }
    let before = figures(&test).await;
    for (sample, expected) in [
        ("doorcode_ready", 1.0),
        ("doorcode_not_ready{reason=\"database\"}", 0.0),
        ("doorcode_live_codes", 2.0),
        (
            "doorcode_sign_in_failures_total{reason=\"wrong_password\"}",
            1.0,
        ),
        (
            "doorcode_sign_in_failures_total{reason=\"unknown_address\"}",
            1.0,
        ),
        ("doorcode_sign_in_failures_total{reason=\"throttled\"}", 0.0),
        ("doorcode_database_waiting_writes", 0.0),
    ] {
        assert_eq!(value(&before, sample), expected, "{sample}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("doorcode_build_info{{version=\"{version}\",database=\"");
    assert!(before.contains(&build), "{before}");
    let writes = |figures: &str| value(figures, "doorcode_database_writes_total");
    assert!(writes(&before) >= value(&before, "doorcode_database_commits_total"));
    test.device("tokens:read").await;
    let after = figures(&test).await;
    assert!(writes(&after) > writes(&before));
    assert!(value(&after, "doorcode_database_writing_seconds_total") > 0.0);
    assert!(value(&after, "process_resident_memory_bytes") > 1e6);
    assert!(value(&after, "process_open_fds") <= value(&after, "process_max_fds"));

    test.app.drain();
    let draining = figures(&test).await;
    assert_eq!(value(&draining, "doorcode_ready"), 0.0);
    let stopping = "doorcode_not_ready{reason=\"stopping\"}";
    assert_eq!(value(&draining, stopping), 1.0);
}

/// A limit that users reach counts as a failed sign-in of its own.
#[actix_web::test]
async fn throttled_sign_ins_are_counted() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    for _ in 0..5 {
        assert_eq!(browser.try_sign_in(EMAIL, "a wrong one").await.status, 401);
    }
    assert_eq!(browser.try_sign_in(EMAIL, PASSWORD).await.status, 429);
    let figures = figures(&test).await;
    let throttled = "doorcode_sign_in_failures_total{reason=\"throttled\"}";
    assert_eq!(value(&figures, throttled), 1.0);
}

/// A scrape reads no more rows when there are more device codes: it counts those of a client by
/// their counter.
#[actix_web::test]
async fn live_codes_are_read_from_the_counters() {
    let test = TestApp::start().await;
    test.device("tokens:read").await;
    test.database.execute("DELETE FROM device_grant");
    assert_eq!(value(&figures(&test).await, "doorcode_live_codes"), 1.0);
}

/// Errors and their kinds are visible while the database cannot be used, and a scrape still answers.
#[actix_web::test]
async fn database_errors_are_counted_by_kind() {
    let test = TestApp::start().await;
    test.database.execute("DROP TABLE device_count");
    let form = [("client_id", CLI)];
    assert!(test.oauth("/auth/device", &form).await.status >= 500);
    let figures = figures(&test).await;
    let counted: f64 = figures
        .lines()
        .filter(|line| line.starts_with("doorcode_database_errors_total{"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert!(counted >= 1.0, "{figures}");
    assert!(!figures.contains("doorcode_live_codes "), "{figures}");
}
