//! A log for each test, with the log lines of its servers.
//!
//! A test and the workers of its servers share one actix system, whose number identifies their
//! lines. The few lines of other threads, such as the writer's, belong to every test.

use actix_web::rt::System;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, Once};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Number of an actix system; `None` for threads without one.
type Key = Option<usize>;

static LOGS: Mutex<BTreeMap<Key, Vec<u8>>> = Mutex::new(BTreeMap::new());

fn key() -> Key {
    System::try_current().map(|system| system.id())
}

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let key = key();
        let mut logs = LOGS.lock().unwrap();
        logs.entry(key).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Starts to capture log lines, at every level of this crate.
pub fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let levels: Targets = "info,doorcode=trace".parse().unwrap();
        let lines = tracing_subscriber::fmt::layer().json();
        tracing_subscriber::registry()
            .with(levels)
            .with(lines.with_writer(|| Sink))
            .init();
    });
}

/// Log lines of this test's servers so far.
pub fn text() -> String {
    let beginning = [key(), None].map(|key| (key, 0)).into();
    String::from_utf8_lossy(&Mark(beginning).since()).into_owned()
}

/// A position in the log of a test: the length of each log that belongs to it.
pub struct Mark(BTreeMap<Key, usize>);

impl Mark {
    /// The current end of the log.
    pub fn now() -> Self {
        let keys = [key(), None];
        let logs = LOGS.lock().unwrap();
        let end = |key| (key, logs.get(&key).map_or(0, Vec::len));
        Self(keys.map(end).into())
    }

    /// Log lines since this position.
    pub fn since(&self) -> Vec<u8> {
        let logs = LOGS.lock().unwrap();
        let tail = |(key, from): (&Key, &usize)| logs.get(key).map(|log| &log[*from..]);
        self.0.iter().filter_map(tail).collect::<Vec<_>>().concat()
    }
}
