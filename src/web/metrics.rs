//! Metrics of the running server in the text format of OpenMetrics. Labels hold route patterns,
//! methods, statuses, audit steps and reasons, and no personal data. Nothing is read whose cost grows
//! with the database.

mod process;
mod state;

use super::route::{method_name, read, resource};
use super::{failure::Failure, headers};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, web};
use app::audit::publish;
use app::{App, Error};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Media type of the text format.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Time limit for what is read from the database: a scrape has 10 seconds by default.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// Upper bounds of the duration buckets, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Routed {
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    limit: &'static str,
}

/// The metrics, shared by all threads of a server.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Routed, Histogram>,
    lag_records: Family<Done, Gauge<u64, AtomicU64>>,
    lag_seconds: Family<Done, Gauge<f64, AtomicU64>>,
    contradicted: Gauge<u64, AtomicU64>,
    reached: Family<Limited, Counter>,
    held_polls: Gauge<u64, AtomicU64>,
    log_lines_dropped: Counter,
    count_dropped: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Default for Metrics {
    /// Metrics of a server without a log of its own.
    fn default() -> Self {
        Self::new(|| 0)
    }
}

impl Metrics {
    /// Metrics without values. `dropped` returns the number of log lines that were dropped so far.
    pub fn new(dropped: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        let requests = Family::<Answered, Counter>::default();
        let durations =
            Family::<Routed, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        let mut registry = Registry::with_prefix("doorcode");
        registry.register("http_requests", "Answered requests", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request to its response",
            durations.clone(),
        );
        let lag_records = Family::<Done, Gauge<u64, AtomicU64>>::default();
        let lag_seconds = Family::<Done, Gauge<f64, AtomicU64>>::default();
        registry.register(
            "audit_lag_records",
            "Audit records that wait for this step: seal, sign, publish or ship",
            lag_records.clone(),
        );
        registry.register(
            "audit_lag_seconds",
            "Age of the oldest audit record that waits for this step",
            lag_seconds.clone(),
        );
        let contradicted = Gauge::<u64, AtomicU64>::default();
        registry.register(
            "audit_contradicted",
            "1 while the audit log contradicts its checkpoints and the server refuses requests",
            contradicted.clone(),
        );
        let reached = Family::<Limited, Counter>::default();
        registry.register(
            "limit_reached",
            "Attempts beyond a limit that callers share",
            reached.clone(),
        );
        let held_polls = Gauge::<u64, AtomicU64>::default();
        registry.register(
            "held_polls",
            "Polls of devices that wait for the decision of a user",
            held_polls.clone(),
        );
        let log_lines_dropped = Counter::default();
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because their reader was too slow",
            log_lines_dropped.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            requests,
            durations,
            lag_records,
            lag_seconds,
            contradicted,
            reached,
            held_polls,
            log_lines_dropped,
            count_dropped: Box::new(dropped),
        }))
    }

    /// Counts a request. `route` is the pattern of the matched route.
    pub fn count(
        &self,
        method: &Method,
        route: Option<&Arc<str>>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.filter(|_| status != StatusCode::NOT_FOUND).cloned();
        let route = route.unwrap_or_else(|| "other".into());
        let method = method_name(method);
        self.0
            .durations
            .get_or_create(&Routed {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.0
            .requests
            .get_or_create(&Answered {
                method,
                route,
                status: status.as_u16(),
            })
            .inc();
    }

    /// Adds the attempts beyond shared limits since the last call.
    fn count_reached(&self, app: &App) {
        for (limit, attempts) in app.take_reached_limits() {
            let counter = self.0.reached.get_or_create(&Limited { limit });
            counter.inc_by(attempts);
        }
    }

    /// Measures the lag of the audit log. If the database fails, clears the gauges instead of
    /// keeping old values.
    async fn measure(&self, app: &App) {
        let is_contradicted = app.require_sound_log().is_err();
        self.0.contradicted.set(u64::from(is_contradicted));
        let measured = timeout(READ_WITHIN, publish::lags(app)).await;
        let measured = measured.unwrap_or(Err(Error::Busy));
        if let Err(error) = &measured {
            tracing::warn!(?error, "cannot measure the lag of the audit log");
            self.0.lag_records.clear();
            self.0.lag_seconds.clear();
        }
        for (step, lag) in measured.unwrap_or_default() {
            let done = Done {
                step: step.as_str(),
            };
            self.0.lag_records.get_or_create(&done).set(lag.records);
            let seconds = lag.age.as_seconds_f64();
            self.0.lag_seconds.get_or_create(&done).set(seconds);
        }
    }
}

/// Route of the metrics.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/metrics", [read(show)]));
}

/// `GET /metrics`.
async fn show(app: web::Data<App>, metrics: web::Data<Metrics>) -> Result<HttpResponse, Failure> {
    metrics.measure(&app).await;
    metrics.count_reached(&app);
    metrics.0.held_polls.set(app.held_polls() as u64);
    let dropped = (metrics.0.count_dropped)() as u64;
    metrics
        .0
        .log_lines_dropped
        .inner()
        .store(dropped, Ordering::Relaxed);
    let (state, process) = (state::read(&app).await, process::read());
    let mut text = String::new();
    [&metrics.0.registry, &state, &process]
        .into_iter()
        .try_for_each(|registry| encode_registry(&mut text, registry))
        .and_then(|()| encode_eof(&mut text))
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let mut response = HttpResponse::Ok().content_type(MEDIA_TYPE).body(text);
    headers::no_store(response.headers_mut());
    Ok(response)
}
