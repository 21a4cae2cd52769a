//! `/metrics`: its content and its listener.

use crate::support::TestApp;
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
