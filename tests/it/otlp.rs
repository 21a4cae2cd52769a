//! Export of traces: OTLP over HTTP, received by a collector of the test.

use crate::support::device::Answer;
use crate::support::{PROXY, TestApp};
use actix_web::dev::ServerHandle;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// `ExportTraceServiceRequest` as the specification of OTLP defines its JSON form. Other members
/// are refused.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Export {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans {
    scope: BTreeMap<String, String>,
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Span {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    status: BTreeMap<String, u8>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    key: String,
    value: BTreeMap<String, String>,
}

fn attributes(all: &[Attribute]) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for attribute in all {
        let (kind, value) = attribute.value.iter().next().unwrap();
        match kind.as_str() {
            "intValue" => assert!(value.parse::<i64>().is_ok(), "{value}"),
            kind => assert_eq!(kind, "stringValue"),
        }
        found.insert(attribute.key.as_str(), value.as_str());
    }
    found
}

/// A collector that keeps what it receives.
struct Collector {
    url: String,
    received: UnboundedReceiver<String>,
    handle: ServerHandle,
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn receive(
    queue: web::Data<UnboundedSender<String>>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let kind = request.headers().get("content-type");
    assert_eq!(kind.unwrap(), "application/json");
    queue.send(body).unwrap();
    HttpResponse::Ok().json(serde_json::json!({}))
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let (queue, received) = unbounded_channel();
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(web::Data::new(queue.clone()))
                .app_data(web::PayloadConfig::new(1 << 20))
                .route("/v1/traces", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals().listen(listener);
        let server = server.unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url,
            received,
            handle,
        }
    }

    async fn server(&self, settings: &str) -> TestApp {
        let traces = format!("[traces]\nexport_to = \"{}\"\n{settings}\n", self.url);
        TestApp::with(&format!("{PROXY}{traces}")).await
    }

    /// The spans until one with this name is there.
    async fn until(&mut self, name: &str) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        while !spans.iter().any(|span| span.name == name) {
            let next = tokio::time::timeout(Duration::from_secs(20), self.received.recv());
            let body = next.await.unwrap().unwrap();
            let export: Export = serde_json::from_str(&body).unwrap();
            let [resource] = &export.resource_spans[..] else {
                panic!("{body}");
            };
            let service = attributes(&resource.resource.attributes);
            assert_eq!(service["service.name"], "doorcode");
            assert_eq!(service["service.version"], env!("CARGO_PKG_VERSION"));
            for scope in &resource.scope_spans {
                assert_eq!(scope.scope["name"], "doorcode");
                spans.extend(scope.spans.iter().cloned());
            }
        }
        spans
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[track_caller]
fn times(span: &Span) -> (u64, u64) {
    let start = span.start_time_unix_nano.parse().unwrap();
    let end = span.end_time_unix_nano.parse().unwrap();
    assert!(start <= end, "{span:?}");
    (start, end)
}

#[actix_web::test]
async fn request_of_a_trace_is_exported_with_its_database_work() {
    let mut collector = Collector::start();
    let test = collector.server("one_in = 1000000").await;
    let token = test.token(&["tokens:read"]).await;
    let request = test.anon().get(test.at("/v1/me")).bearer_auth(&token);
    let request = request
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("x-request-id", "from-the-proxy-1");
    assert_eq!(request.send().await.unwrap().status(), 200);

    let spans = collector.until("GET /v1/me").await;
    assert!(spans.iter().all(|span| span.trace_id == TRACE), "{spans:?}");
    let (server, work): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.kind == 2);
    let [server] = server[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(server.parent_span_id.as_deref(), Some(PARENT));
    assert!(is_hex(&server.span_id, 16) && server.span_id != PARENT);
    let about = attributes(&server.attributes);
    assert_eq!(about["http.request.method"], "GET");
    assert_eq!(about["http.route"], "/v1/me");
    assert_eq!(about["http.response.status_code"], "200");
    assert_eq!(about["doorcode.request_id"], "from-the-proxy-1");
    assert!(server.status.is_empty());
    assert!(!work.is_empty());
    let whole = times(server);
    for span in work {
        assert_eq!(span.kind, 3);
        assert_eq!(span.parent_span_id.as_ref(), Some(&server.span_id));
        assert!(["read", "write"].contains(&span.name.as_str()), "{span:?}");
        assert!(attributes(&span.attributes).contains_key("db.system.name"));
        let (start, end) = times(span);
        assert!(whole.0 <= start && end <= whole.1, "{span:?} {server:?}");
    }
    let text = format!("{spans:?}");
    assert!(
        !text.contains(&token) && !text.contains("127.0.0.1"),
        "{text}"
    );
}

/// Without a trace of the proxy, one of `one_in` requests begins one. A proxy that does not record
/// decides for its requests.
#[actix_web::test]
async fn requests_without_a_trace_are_sampled() {
    let mut collector = Collector::start();
    let test = collector.server("one_in = 1").await;
    let unrecorded = test.anon().get(test.at("/healthz"));
    let unrecorded = unrecorded.header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    assert_eq!(unrecorded.send().await.unwrap().status(), 200);
    let path = "/v1/tokens/tok_00000000000000000000000000000000";
    let answer = test.anon().delete(test.at(path)).send().await.unwrap();
    assert_eq!(Answer::of(answer).await.status, 401);

    let spans = collector.until("DELETE /v1/tokens/{id}").await;
    assert!(spans.iter().all(|span| span.trace_id != TRACE), "{spans:?}");
    let found = spans.iter().find(|span| span.name.starts_with("DELETE"));
    let found = found.unwrap();
    assert_eq!(found.parent_span_id, None);
    assert!(is_hex(&found.trace_id, 32) && is_hex(&found.span_id, 16));
    // A refusal is no error of the server.
    assert!(found.status.is_empty());
}

/// What fails in the server is marked.
#[actix_web::test]
async fn internal_error_is_marked_in_its_spans() {
    let mut collector = Collector::start();
    let test = collector.server("").await;
    test.database.execute("DROP TABLE device_count");
    let form = [("client_id", crate::support::CLI)];
    assert!(test.oauth("/auth/device", &form).await.status >= 500);
    let spans = collector.until("POST /auth/device").await;
    let failed: Vec<_> = spans
        .iter()
        .filter(|span| span.status.get("code") == Some(&2))
        .collect();
    assert!(failed.iter().any(|span| span.kind == 2), "{spans:?}");
    assert!(failed.iter().any(|span| span.kind == 3), "{spans:?}");
}

/// A collector that is away delays nothing; the spans are counted.
#[actix_web::test]
async fn absent_collector_costs_spans_and_no_request() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let traces = format!("[traces]\nexport_to = \"http://{address}/v1/traces\"\n");
    let test = TestApp::with(&traces).await;
    assert_eq!(
        test.anon()
            .get(test.at("/healthz"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let dropped = async || {
        let answer = test.anon().get(test.at("/metrics")).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let sample = "doorcode_spans_total{result=\"dropped\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        line.unwrap().parse::<u64>().unwrap()
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while dropped().await == 0 {
        assert!(std::time::Instant::now() < deadline, "no span was dropped");
    }
}
