//! The outermost layer of every request: its id, its log line and metrics, and the security
//! headers for browsers.

use super::capacity::ConnectionLimit;
use super::extract;
use super::failure::Failure;
use super::headers::REQUEST_ID;
use super::log_limit::LogLimit;
use super::metrics::Metrics;
use super::oauth::{introspect, verify};
use super::{probe, route};
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use app::trace::{Answered, Recording, TraceContext};
use app::{App, Context};
use config::{Config, StrictTransport};
use domain::audit::Actor;
use domain::id;
use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// Pages load scripts and styles only from this server, send forms only to it, and cannot be
/// framed.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
     frame-ancestors 'none'";

/// Headers of every response but those of `/auth/verify`. The policies are for pages and have no effect elsewhere.
const FIXED: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The URL may contain a user code.
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Value of `Strict-Transport-Security`: one year, as browsers' preload lists require. `None` on
/// this machine, whose other services may have no https.
fn strict_transport(config: &Config) -> Option<&'static str> {
    let url = &config.server.public_url;
    if !url.is_https() || url.is_loopback() {
        return None;
    }
    match config.server.hsts {
        StrictTransport::Host => Some("max-age=31536000"),
        StrictTransport::Subdomains => Some("max-age=31536000; includeSubDomains"),
        StrictTransport::Off => None,
    }
}

/// What the outermost layer of one worker needs.
pub struct Worker {
    app: App,
    metrics: Metrics,
    logs: LogLimit,
    connections: ConnectionLimit,
    /// The application with the configuration in force, as requests carry it.
    current: RefCell<Carried>,
}

/// The application as the data of a request.
#[derive(Clone)]
struct Carried {
    app: App,
    data: Rc<Extensions>,
}

impl From<App> for Carried {
    fn from(app: App) -> Self {
        let mut data = Extensions::new();
        data.insert(web::Data::new(app.clone()));
        Self {
            app,
            data: Rc::new(data),
        }
    }
}

impl Worker {
    /// The data of a worker.
    pub fn new(app: App, metrics: Metrics, logs: LogLimit, connections: ConnectionLimit) -> Self {
        Self {
            current: RefCell::new(app.current().into()),
            app,
            metrics,
            logs,
            connections,
        }
    }

    /// The application with the configuration in force now.
    fn current(&self) -> Carried {
        let mut current = self.current.borrow_mut();
        if !self.app.is_current(&current.app) {
            *current = self.app.current().into();
        }
        current.clone()
    }
}

/// Outermost layer: takes the configuration, assigns the request id, limits the time for the
/// database, logs the request without its content, sets the headers.
pub async fn every_answer(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let worker = request.app_data::<Rc<Worker>>().cloned();
    let worker = worker.ok_or_else(|| Failure::Internal("no data of the worker".into()))?;
    // A reload during the request must not change its configuration.
    let Carried { app, data } = worker.current();
    request.add_data_container(data);
    let known = route::find_known(request.request());
    let context = Context {
        route: known.as_ref().map(|route| route.name.clone()),
        ..extract::context(&app, request.request())
    };
    let (request_id, address) = (context.request_id.clone(), context.source());
    let received = extract::trace(&app, request.request());
    let recording = app.record_trace(received);
    let trace = recording.as_ref().map(Recording::context).or(received);
    request.extensions_mut().insert(context);
    let started = std::time::Instant::now();

    let answer = app::within_request(next.call(request));
    let (answer, operations) = app::trace::within(trace, recording.is_some(), answer).await;
    let mut response = answer?;

    let took = started.elapsed();
    let route = known.or_else(|| route::find(response.request()));
    let pattern = route.map(|route| route.pattern);
    worker.metrics.count(
        response.request().method(),
        pattern.as_ref(),
        response.status(),
        took,
    );
    log(
        &response,
        &worker.logs,
        &LogLine {
            request_id: &request_id,
            trace,
            address,
            pattern: pattern.as_deref(),
            took,
        },
    );
    if let Some(recording) = recording {
        let answered = Answered {
            method: route::method_name(response.request().method()),
            route: pattern.as_deref().unwrap_or("other"),
            status: response.status().as_u16(),
            request_id: &request_id,
            operations,
        };
        app.export_trace(&recording, &answered);
    }
    // Proxies hand a refusal of `/auth/verify` to the callers of the API, whose policies are not
    // this server's.
    if verify::is_at(response.request().uri().path()) {
        response.headers_mut().remove(header::PRAGMA);
    } else {
        set_headers(response.headers_mut(), strict_transport(app.config()));
    }
    // A proxy must not reuse a connection that the server is about to close.
    if worker.connections.is_near() || app.is_draining() {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// What the log line of a request has beside its response.
struct LogLine<'a> {
    request_id: &'a str,
    trace: Option<TraceContext>,
    address: IpAddr,
    /// Pattern of the route; `None` if none matches.
    pattern: Option<&'a str>,
    took: Duration,
}

/// Logs a request. Successful probes and checks of tokens are frequent and say little, and each use
/// of a token is in the audit log: they have the level `debug`.
fn log<B>(response: &ServiceResponse<B>, logs: &LogLimit, line: &LogLine<'_>) {
    let is_routine = is_routine(response);
    if is_routine && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let unlogged = match is_caller_known(response) {
        true => Some(0),
        false => logs.take(std::time::Instant::now()),
    };
    let Some(unlogged) = unlogged else {
        return;
    };
    let unlogged = (unlogged > 0).then_some(unlogged);
    let request = response.request();
    let (request_id, method) = (line.request_id, request.method());
    let path = logged_path(request, line.pattern);
    let status = response.status().as_u16();
    // In whole microseconds, without the noise of a float.
    let seconds = (line.took.as_secs_f64() * 1e6).round() / 1e6;
    let trace_id = line.trace.map(|trace| trace.trace_id());
    let trace_id = trace_id.as_deref();
    let client_address = line.address;
    match is_routine {
        true => {
            tracing::debug!(request_id, trace_id, %client_address, %method, path, status, seconds, unlogged, "request");
        }
        false => {
            tracing::info!(request_id, trace_id, %client_address, %method, path, status, seconds, unlogged, "request");
        }
    }
}

/// Whether a request is a successful probe, or a successful check of a token by a proxy or an API.
fn is_routine<B>(response: &ServiceResponse<B>) -> bool {
    let path = response.request().uri().path();
    response.status().is_success() && (is_check(path) || probe::is_at(path))
}

/// Whether proxies or APIs check tokens at this path.
fn is_check(path: &str) -> bool {
    verify::is_at(path) || introspect::is_at(path)
}

/// Whether the request was authenticated. Proxies and APIs that check tokens are, if the answer is
/// a success.
fn is_caller_known<B>(response: &ServiceResponse<B>) -> bool {
    let request = response.request();
    let is_check = is_check(request.uri().path());
    request.extensions().contains::<Actor>() || is_check && response.status().is_success()
}

/// Path to log: the route pattern with well-formed ids filled in. Any other segment may be a token
/// that a user put there by mistake, and so may any part of an unknown path.
fn logged_path(request: &HttpRequest, pattern: Option<&str>) -> String {
    let ids = request.match_info().iter().filter(|(_, id)| id::is_any(id));
    ids.fold(pattern.unwrap_or("other").to_owned(), |path, (name, id)| {
        path.replace(&format!("{{{name}}}"), id)
    })
}

fn set_headers(headers: &mut HeaderMap, strict_transport: Option<&'static str>) {
    // With the two that follow.
    headers.reserve(FIXED.len() + 2);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(value) = strict_transport {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(value),
        );
    }
}
