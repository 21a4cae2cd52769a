//! Request ids and traces: those of a trusted proxy are kept, logged and handed on.

use crate::support::log::Mark;
use crate::support::provider::{ID, Provider};
use crate::support::{PROXY, TestApp};
use serde_json::Value;

const REQUEST: &str = "from-the-proxy-1";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traceparent() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

/// Requests the sign-in page with both headers. Returns the id of the answer, and the log line.
async fn request(test: &TestApp, forwarded: &str) -> (String, Value) {
    let mark = Mark::now();
    let request = test
        .anon()
        .get(test.at("/login"))
        .header("x-request-id", REQUEST)
        .header("traceparent", traceparent())
        .header("x-forwarded-for", forwarded);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let log = String::from_utf8(mark.since()).unwrap();
    let line = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["fields"]["message"] == "request")
        .unwrap();
    (id, line["fields"].clone())
}

#[actix_web::test]
async fn trusted_proxy_sets_request_id_trace_and_client_address() {
    let test = TestApp::with(PROXY).await;
    let (id, line) = request(&test, "203.0.113.7").await;
    assert_eq!(id, REQUEST);
    assert_eq!(line["request_id"], REQUEST);
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["client_address"], "203.0.113.7");
}

#[actix_web::test]
async fn other_peers_set_none_of_them() {
    let test = TestApp::start().await;
    let (id, line) = request(&test, "203.0.113.7").await;
    assert_eq!(id.len(), 32);
    assert_eq!(line["request_id"], id.as_str());
    assert_eq!(line["trace_id"], Value::Null);
    assert_eq!(line["client_address"], "127.0.0.1");
}

#[actix_web::test]
async fn log_has_numbers_as_numbers() {
    let test = TestApp::start().await;
    let (_, line) = request(&test, "203.0.113.7").await;
    assert_eq!(line["status"].as_u64(), Some(200));
    let seconds = line["seconds"].as_f64().unwrap();
    assert!(seconds > 0.0 && seconds < 60.0, "{line}");
    // Whole microseconds.
    let micros = seconds * 1e6;
    assert!((micros - micros.round()).abs() < 1e-3, "{line}");
    assert!(line.get("milliseconds").is_none(), "{line}");
}

/// The identity provider's part of a sign-in belongs to the trace of the request that needs it.
#[actix_web::test]
async fn trace_is_handed_on_to_identity_providers() {
    let provider = Provider::start();
    let test = TestApp::with(&format!("{PROXY}{}", provider.settings(""))).await;
    provider.follow(&test);
    let begin = test.at(&format!("/login/with/{ID}"));
    let request = test.anon().get(begin).header("traceparent", traceparent());
    assert_eq!(request.send().await.unwrap().status(), 303);
    let traces = provider.desk().traces.clone();
    assert!(!traces.is_empty());
    for trace in traces {
        assert!(trace.starts_with(&format!("00-{TRACE}-")), "{trace}");
    }
}
