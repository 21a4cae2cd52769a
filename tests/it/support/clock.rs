//! Clock and entropy under the control of tests.

use doorcode::app::{Clock, Entropy};
use doorcode::domain::Instant;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A clock that stands still until it is moved.
pub struct ManualClock(Mutex<(Instant, Duration)>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Mutex::new((
            "2026-11-22T12:00:00Z".parse().unwrap(),
            Duration::ZERO,
        )))
    }
}

impl ManualClock {
    /// Moves the clock, also backwards.
    pub fn advance(&self, seconds: i64) {
        self.advance_ms(seconds * 1_000);
    }

    /// Moves the clock by milliseconds.
    pub fn advance_ms(&self, milliseconds: i64) {
        let mut clock = self.0.lock().unwrap();
        clock.0 += chrono::Duration::milliseconds(milliseconds);
        clock.1 += Duration::from_millis(milliseconds.max(0).unsigned_abs());
    }

    /// Sets the wall clock forward without elapsed time.
    pub fn set_forward(&self, seconds: i64) {
        self.0.lock().unwrap().0 += chrono::Duration::seconds(seconds);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.0.lock().unwrap().0
    }

    fn passed(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// Random bytes that are the same in every run, unless a test sets the next ones.
pub struct SeededEntropy {
    state: Mutex<(StdRng, VecDeque<Vec<u8>>)>,
    draws: AtomicUsize,
}

impl Default for SeededEntropy {
    fn default() -> Self {
        Self::with_seed(42)
    }
}

impl SeededEntropy {
    /// Random bytes that are the same for the same seed.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            state: Mutex::new((StdRng::seed_from_u64(seed), VecDeque::new())),
            draws: AtomicUsize::default(),
        }
    }

    /// Number of draws so far.
    pub fn draws(&self) -> usize {
        self.draws.load(Ordering::SeqCst)
    }

    /// Returns these bytes for the next request of the same length.
    pub fn next(&self, bytes: &[u8]) {
        self.state.lock().unwrap().1.push_back(bytes.to_vec());
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        self.draws.fetch_add(1, Ordering::SeqCst);
        let mut state = self.state.lock().unwrap();
        let planned = state.1.iter().position(|bytes| bytes.len() == buffer.len());
        match planned.and_then(|index| state.1.remove(index)) {
            Some(bytes) => buffer.copy_from_slice(&bytes),
            None => state.0.fill_bytes(buffer),
        }
    }
}
