//! Polls that wait for a decision (`Prefer: wait`, RFC 7240).

use crate::App;
use domain::secret::Digest;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Waiting polls of one device code; further ones get an immediate response.
const PER_GRANT: usize = 4;

/// Device codes with waiting polls; beyond this, polls get an immediate response.
const GRANTS: usize = 20_000;

/// Waiting polls, by the digest of their device code.
#[derive(Default)]
pub struct Waiting {
    state: Mutex<State>,
    held: AtomicUsize,
}

#[derive(Default)]
struct State {
    closed: bool,
    grants: HashMap<Digest, (Arc<Notify>, usize)>,
}

/// Slot of one waiting poll, released on drop.
pub struct PollSlot<'a> {
    waiting: &'a Waiting,
    device_code: Digest,
    notify: Arc<Notify>,
}

impl Waiting {
    /// Takes a slot; `None` if there are too many, or the server is stopping. Take it before
    /// reading the state, or a decision in between is missed.
    pub fn enter(&self, device_code: &Digest) -> Option<PollSlot<'_>> {
        let mut state = self.lock();
        if state.closed || state.grants.len() >= GRANTS {
            return None;
        }
        let (notify, count) = state.grants.entry(device_code.clone()).or_default();
        if *count >= PER_GRANT {
            return None;
        }
        *count += 1;
        let notify = notify.clone();
        Some(PollSlot {
            waiting: self,
            device_code: device_code.clone(),
            notify,
        })
    }

    /// Wakes the polls of a device code.
    pub fn wake(&self, device_code: &Digest) {
        if let Some((notify, _)) = self.lock().grants.get(device_code) {
            notify.notify_waiters();
        }
    }

    /// Device codes with waiting polls.
    pub fn device_codes(&self) -> Vec<Digest> {
        self.lock().grants.keys().cloned().collect()
    }

    /// Wakes all polls and accepts no more.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for (notify, _) in state.grants.values() {
            notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Number of polls that wait for a decision now; for the metrics.
    pub fn held_polls(&self) -> usize {
        self.waiting().held.load(Ordering::Relaxed)
    }
}

impl PollSlot<'_> {
    /// A future that completes at the next wake-up after this call.
    pub fn woken(&self) -> std::pin::Pin<Box<tokio::sync::futures::Notified<'_>>> {
        let mut notified = Box::pin(self.notify.notified());
        notified.as_mut().enable();
        notified
    }
}

impl PollSlot<'_> {
    /// Waits for a wake-up, at most for this time. The poll counts as held meanwhile.
    pub async fn hold(&self, woken: impl Future<Output = ()>, time: Duration) {
        self.waiting.held.fetch_add(1, Ordering::Relaxed);
        let held = Held(&self.waiting.held);
        // The caller reads the state again in both cases.
        let _ = tokio::time::timeout(time, woken).await;
        drop(held);
    }
}

/// A poll that counts as held until this is dropped, also if its caller disconnects.
struct Held<'a>(&'a AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for PollSlot<'_> {
    fn drop(&mut self) {
        let mut state = self.waiting.lock();
        if let Some((_, count)) = state.grants.get_mut(&self.device_code) {
            *count -= 1;
            if *count == 0 {
                state.grants.remove(&self.device_code);
            }
        }
    }
}
