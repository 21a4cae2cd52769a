//! The log of the server, on standard error: plain lines on a terminal, otherwise JSON.
//!
//! No request waits for it. A thread writes the lines from a bounded queue: while the reader is
//! stalled, further lines are dropped and counted.

use std::io::{BufWriter, IsTerminal};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that may wait to be written: a few megabytes.
const WAITING: usize = 16_384;

/// Bytes that are written at once, if as much waits.
const AT_ONCE: usize = 64 * 1024;

/// The log. When it is dropped, it writes the waiting lines, so that a panic that ends the program
/// loses none.
pub struct Log {
    dropped: ErrorCounter,
    levels: Handle<Targets, Registry>,
    _writes: WorkerGuard,
}

impl Log {
    /// Starts to log.
    pub fn start() -> Self {
        let stderr = BufWriter::with_capacity(AT_ONCE, std::io::stderr());
        let (writer, guard) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(WAITING)
            .thread_name("log")
            .finish(stderr);
        let dropped = writer.error_counter();
        let (levels, handle) = reload::Layer::new(levels());
        let log = tracing_subscriber::registry().with(levels);
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        if std::io::stderr().is_terminal() {
            log.with(lines.with_target(false).compact()).init();
        } else {
            log.with(lines.json().flatten_event(true)).init();
        }
        Self {
            dropped,
            levels: handle,
            _writes: guard,
        }
    }

    /// Leaves out that sockets cannot accept connections: from now on they are closed on purpose.
    pub fn end_accepting(&self) {
        let levels = levels().with_target("actix_server::accept", LevelFilter::OFF);
        if let Err(error) = self.levels.reload(levels) {
            tracing::debug!("the levels of the log cannot be changed: {error}");
        }
    }

    /// Counts the lines that were dropped so far.
    pub fn dropped(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines()
    }
}

/// The log levels of `RUST_LOG`: one for all modules, or levels per module, such as
/// `warn,doorcode=debug`. Default: `info`, and warnings of the HTTP library.
fn levels() -> Targets {
    let named = std::env::var("RUST_LOG").unwrap_or_default();
    // An empty item would be parsed as the lowest level.
    let items: Vec<_> = named.split(',').filter(|item| !item.is_empty()).collect();
    match items.join(",").parse() {
        Ok(levels) if !items.is_empty() => levels,
        // Its start has no information for an operator.
        _ => Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("actix_server", LevelFilter::WARN),
    }
}
