//! Everything that the servers of this test run have logged.

use std::io::Write;
use std::sync::{Mutex, Once};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
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
        tracing_subscriber::fmt()
            .json()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(|| Sink)
            .finish()
            .with(levels)
            .init();
    });
}

/// What was logged so far.
pub fn text() -> String {
    String::from_utf8_lossy(&since(0)).into_owned()
}

/// How much was logged so far.
pub fn length() -> usize {
    LOG.lock().unwrap().len()
}

/// What was logged since so much had been.
pub fn since(length: usize) -> Vec<u8> {
    LOG.lock().unwrap()[length..].to_owned()
}
