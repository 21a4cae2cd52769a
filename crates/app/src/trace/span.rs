//! Spans of requests, and their form in OTLP.

use super::TraceContext;
use crate::App;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use store::timing::Operation;

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT` of OTLP.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// `STATUS_CODE_ERROR` of OTLP.
const ERROR: u8 = 2;

/// One operation of a trace.
pub(crate) struct Span {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: String,
    kind: u8,
    /// Nanoseconds since 1970.
    start: u64,
    end: u64,
    attributes: Vec<(&'static str, Value)>,
    is_error: bool,
}

/// A request that is recorded.
pub struct Recording {
    context: TraceContext,
    parent: Option<[u8; 8]>,
    /// Nanoseconds since 1970.
    start: u64,
    began: Instant,
}

impl Recording {
    /// Its place in the trace: the parent of what it causes.
    pub fn context(&self) -> TraceContext {
        self.context
    }
}

/// A request that was answered.
pub struct Answered<'a> {
    /// The method.
    pub method: &'a str,
    /// The pattern of its route, which has no ids.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// The id of the request.
    pub request_id: &'a str,
    /// Its operations of the database.
    pub operations: Vec<Operation>,
}

impl App {
    /// Records a request if the caller does, or if it has no trace and its turn has come.
    pub fn record_trace(&self, received: Option<TraceContext>) -> Option<Recording> {
        self.0.exporter.as_ref()?;
        let context = match received {
            Some(received) => TraceContext {
                span_id: self.random(),
                ..received
            },
            None => self.begin_trace(),
        };
        let start = self.now().timestamp_nanos_opt().unwrap_or_default();
        context.is_sampled.then(|| Recording {
            context,
            parent: received.map(|received| received.span_id),
            start: start.unsigned_abs(),
            began: Instant::now(),
        })
    }

    fn begin_trace(&self) -> TraceContext {
        let trace_id: [u8; 16] = self.random();
        let turn = trace_id
            .iter()
            .rev()
            .take(8)
            .fold(0u64, |turn, byte| (turn << 8) | u64::from(*byte));
        TraceContext {
            trace_id,
            span_id: self.random(),
            is_sampled: turn.is_multiple_of(u64::from(self.config().traces.one_in)),
        }
    }

    /// Exports a request and its operations.
    pub fn export_trace(&self, recording: &Recording, answered: &Answered<'_>) {
        let Some(exporter) = &self.0.exporter else {
            return;
        };
        let context = recording.context;
        for operation in &answered.operations {
            exporter.send(self.span_of(recording, operation));
        }
        let is_error = answered.status >= 500;
        let mut attributes = vec![
            ("http.request.method", json!(answered.method)),
            ("http.route", json!(answered.route)),
            ("http.response.status_code", json!(answered.status)),
            ("doorcode.request_id", json!(answered.request_id)),
        ];
        if is_error {
            attributes.push(("error.type", json!(answered.status.to_string())));
        }
        exporter.send(Span {
            trace_id: context.trace_id,
            span_id: context.span_id,
            parent: recording.parent,
            name: format!("{} {}", answered.method, answered.route),
            kind: SERVER,
            start: recording.start,
            end: recording.start + nanos(recording.began.elapsed()),
            attributes,
            is_error,
        });
    }

    fn span_of(&self, recording: &Recording, operation: &Operation) -> Span {
        let before = operation.began.saturating_duration_since(recording.began);
        let start = recording.start + nanos(before);
        let system = match self.is_on_postgres() {
            true => "postgresql",
            false => "sqlite",
        };
        let mut attributes = vec![("db.system.name", json!(system))];
        if let Some(kind) = operation.error {
            attributes.push(("error.type", json!(kind.as_str())));
        }
        let name = match operation.writes {
            true => "write",
            false => "read",
        };
        Span {
            trace_id: recording.context.trace_id,
            span_id: self.random(),
            parent: Some(recording.context.span_id),
            name: name.to_owned(),
            kind: CLIENT,
            start,
            end: start + nanos(operation.took),
            attributes,
            is_error: operation.error.is_some(),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or_default()
}

/// An attribute in the JSON form of OTLP, which writes whole numbers as text.
fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Number(number) => json!({"intValue": number.to_string()}),
        text => json!({"stringValue": text}),
    };
    json!({"key": key, "value": value})
}

impl Span {
    fn document(&self) -> Value {
        let attributes = self.attributes.iter();
        let attributes: Vec<_> = attributes
            .map(|(key, value)| attribute(key, value))
            .collect();
        let mut span = json!({
            "traceId": hex::encode(self.trace_id),
            "spanId": hex::encode(self.span_id),
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": self.start.to_string(),
            "endTimeUnixNano": self.end.to_string(),
            "attributes": attributes,
            "status": {},
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = json!(hex::encode(parent));
        }
        if self.is_error {
            span["status"] = json!({"code": ERROR});
        }
        span
    }
}

/// A request to a collector: `ExportTraceServiceRequest` of OTLP.
pub(super) fn document(spans: &[Span]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [
        ("service.name", json!("doorcode")),
        ("service.version", json!(version)),
    ];
    let spans: Vec<_> = spans.iter().map(Span::document).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource.map(|(key, value)| attribute(key, &value))},
        "scopeSpans": [{"scope": {"name": "doorcode", "version": version}, "spans": spans}],
    }]})
}
