//! What the tests of one system share.

use std::sync::{Arc, Weak};
use tokio::sync::Mutex;

/// A value that exists while a test uses it: the first one creates it, and the last one drops it,
/// so that its programs end and its files are removed.
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    /// No value yet.
    pub const fn new() -> Self {
        Self(Mutex::const_new(Weak::new()))
    }

    /// The value, created if no other test uses it now.
    pub async fn get(&self, create: impl AsyncFnOnce() -> T) -> Arc<T> {
        let mut current = self.0.lock().await;
        if let Some(value) = current.upgrade() {
            return value;
        }
        let value = Arc::new(create().await);
        *current = Arc::downgrade(&value);
        value
    }
}
