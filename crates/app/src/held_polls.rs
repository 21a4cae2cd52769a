//! Polls that wait for a decision (`Prefer: wait`, RFC 7240).

use domain::secret::Digest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Polls of one device code that wait at once; further ones are answered at once.
const PER_GRANT: usize = 4;

/// Device codes with waiting polls; beyond this, polls are answered at once.
const GRANTS: usize = 20_000;

/// The polls that wait, by the digest of their device code.
#[derive(Default)]
pub struct Waiting(Mutex<State>);

#[derive(Default)]
struct State {
    closed: bool,
    grants: HashMap<Digest, (Arc<Notify>, usize)>,
}

/// One poll's place among those that wait; leaving it gives the place up.
pub struct PollSlot<'a> {
    waiting: &'a Waiting,
    device_code: Digest,
    notify: Arc<Notify>,
}

impl Waiting {
    /// Takes a place. Take it before the state is read, or a decision in between is missed.
    /// `None` if there are too many already, or the server is stopping.
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

    /// The device codes with polls that wait.
    pub fn device_codes(&self) -> Vec<Digest> {
        self.lock().grants.keys().cloned().collect()
    }

    /// Wakes everybody, and lets nobody wait any more.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for (notify, _) in state.grants.values() {
            notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PollSlot<'_> {
    /// A future that ends with the next wake-up. It counts from this call on.
    pub fn woken(&self) -> std::pin::Pin<Box<tokio::sync::futures::Notified<'_>>> {
        let mut notified = Box::pin(self.notify.notified());
        notified.as_mut().enable();
        notified
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
