//! A log for each test: what its servers have logged.
//!
//! A test and the workers of its servers share one actix system, by whose number their lines are
//! told apart. The few lines of other threads, such as the writer's, belong to every test.

use actix_web::rt::System;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, Once};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The number of an actix system; `None` for threads that belong to none.
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

/// Begins to keep what is logged, at every level of our own code.
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

/// What the servers of this test have logged so far.
pub fn text() -> String {
    let beginning = [key(), None].map(|key| (key, 0)).into();
    String::from_utf8_lossy(&Mark(beginning).since()).into_owned()
}

/// A place in the log of a test: in each of the logs that belong to it, how long that was.
pub struct Mark(BTreeMap<Key, usize>);

impl Mark {
    /// The end of the log as it is now.
    pub fn now() -> Self {
        let keys = [key(), None];
        let logs = LOGS.lock().unwrap();
        let end = |key| (key, logs.get(&key).map_or(0, Vec::len));
        Self(keys.map(end).into())
    }

    /// What was logged since.
    pub fn since(&self) -> Vec<u8> {
        let logs = LOGS.lock().unwrap();
        let tail = |(key, from): (&Key, &usize)| logs.get(key).map(|log| &log[*from..]);
        self.0.iter().filter_map(tail).collect::<Vec<_>>().concat()
    }
}
