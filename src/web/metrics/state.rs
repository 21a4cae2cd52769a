//! Metrics that others count: they are read at each scrape.

use super::READ_WITHIN;
use app::{App, ErrorKind, Figures, NotReady, Outage};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use tokio::time::timeout;

/// The labels of a value. One type for all metrics, since each costs a copy of the code.
type Labels = Vec<(&'static str, &'static str)>;

type FloatGauge = Gauge<f64, AtomicU64>;

/// Adds a counter without labels.
pub(super) fn counter(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let counter = Counter::<f64, AtomicU64>::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

/// Adds a gauge without labels.
pub(super) fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = FloatGauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn counters(
    registry: &mut Registry,
    (name, help): (&str, &str),
    values: impl IntoIterator<Item = (Labels, u64)>,
) {
    let family = Family::<Labels, Counter>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).inc_by(value);
    }
    registry.register(name, help, family);
}

fn gauges(
    registry: &mut Registry,
    (name, help): (&str, &str),
    values: impl IntoIterator<Item = (Labels, f64)>,
) {
    let family = Family::<Labels, FloatGauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}

/// The state of the server.
pub(super) async fn read(app: &App) -> Registry {
    let mut registry = Registry::with_prefix("doorcode");
    let database = match app.is_on_postgres() {
        true => "postgresql",
        false => "sqlite",
    };
    let build: Labels = vec![
        ("version", env!("CARGO_PKG_VERSION")),
        ("database", database),
    ];
    registry.register("build", "This program and its database", Info::new(build));
    let not_ready = app.is_ready().await.err();
    readiness(&mut registry, not_ready);
    database_work(&mut registry, &app.database_figures());
    let failures = app.sign_in_failures().into_iter();
    counters(
        &mut registry,
        ("sign_in_failures", "Failed sign-ins"),
        failures.map(|(reason, count)| (vec![("reason", reason)], count)),
    );
    let (sent, dropped) = app.exported_spans();
    let spans = [("sent", sent), ("dropped", dropped)];
    counters(
        &mut registry,
        (
            "spans",
            "Spans of traces, by whether the collector took them",
        ),
        spans.map(|(result, count)| (vec![("result", result)], count)),
    );
    // A database that does not answer is asked once.
    if not_ready != Some(NotReady::Outage(Outage::Database))
        && let Ok(Ok(codes)) = timeout(READ_WITHIN, app.count_live_codes()).await
    {
        let help = "Device codes that wait for a decision, of all servers";
        gauge(&mut registry, "live_codes", help, codes as f64);
    }
    registry
}

fn readiness(registry: &mut Registry, not_ready: Option<NotReady>) {
    let is_ready = f64::from(u8::from(not_ready.is_none()));
    gauge(registry, "ready", "1 while /readyz is 200", is_ready);
    let reason = |reason: NotReady| {
        let holds = not_ready == Some(reason);
        (
            vec![("reason", reason.as_str())],
            f64::from(u8::from(holds)),
        )
    };
    let about = ("not_ready", "1 for the reason why /readyz is 503");
    gauges(registry, about, NotReady::ALL.map(reason));
}

fn database_work(registry: &mut Registry, figures: &Figures) {
    let by_kind = |(kind, count): (ErrorKind, u64)| {
        let labels = vec![("kind", kind.as_str()), ("class", kind.sqlstate_class())];
        (labels, count)
    };
    let about = (
        "database_errors",
        "Operations of the database that failed, by kind and class of the SQLSTATE",
    );
    counters(registry, about, figures.errors.map(by_kind));
    let about = (
        "database_reruns",
        "Operations of the database that ran once more, by the error before",
    );
    counters(registry, about, figures.reruns.map(by_kind));
    counter(
        registry,
        "database_commits",
        "Transactions that the writer committed",
        figures.commits as f64,
    );
    counter(
        registry,
        "database_writes",
        "Writes in these transactions",
        figures.writes as f64,
    );
    counter(
        registry,
        "database_writing_seconds",
        "Time for which the writer worked",
        figures.writing.as_secs_f64(),
    );
    gauge(
        registry,
        "database_waiting_writes",
        "Writes in the queue of the writer",
        figures.waiting as f64,
    );
    gauge(
        registry,
        "database_stalled_threads",
        "Threads that the database does not answer and that others replaced",
        figures.stalled as f64,
    );
    let pool = figures.pool.unwrap_or_default();
    let connections = [("in_use", pool.in_use), ("idle", pool.idle)]
        .map(|(state, count)| (vec![("state", state)], count as f64));
    let about = (
        "database_connections",
        "Connections that read on PostgreSQL",
    );
    gauges(registry, about, connections);
    gauge(
        registry,
        "database_connections_limit",
        "The most connections that read on PostgreSQL; 0 on SQLite, which has no pool",
        pool.most as f64,
    );
}
