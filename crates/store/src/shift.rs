//! One thread's time at work, and whether it makes progress.

use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A thread is stalled after this time without progress. PostgreSQL cancels a statement earlier,
/// and the kernel drops a connection earlier whose packets vanish.
const STALLED: Duration = Duration::from_secs(5);

/// The progress of a thread without work.
const IDLE: u64 = u64::MAX;

thread_local! {
    /// The shift of this thread, if it is a worker.
    static SHIFT: RefCell<Option<Arc<Shift>>> = const { RefCell::new(None) };
}

/// Notes progress of this thread: a statement starts or ends.
pub(super) fn step() {
    SHIFT.with_borrow(|shift| {
        if let Some(shift) = shift {
            shift.step();
        }
    });
}

/// One thread's time at work.
pub struct Shift {
    began: Instant,
    /// When the thread last made progress, in milliseconds after `began`; [`IDLE`] if it waits for
    /// work.
    progress: AtomicU64,
    is_abandoned: AtomicBool,
    /// Disconnected when the thread ends.
    running: Receiver<Infallible>,
}

impl Shift {
    /// The shift of a thread that ends when the channel is disconnected.
    pub fn new(running: Receiver<Infallible>) -> Self {
        Self {
            began: Instant::now(),
            progress: AtomicU64::new(IDLE),
            is_abandoned: AtomicBool::new(false),
            running,
        }
    }

    /// Makes it the shift of this thread.
    pub fn begin(self: &Arc<Self>) {
        SHIFT.set(Some(self.clone()));
    }

    /// Whether it is the shift of this thread.
    pub fn is_own(self: &Arc<Self>) -> bool {
        SHIFT.with_borrow(|own| own.as_ref().is_some_and(|own| Arc::ptr_eq(own, self)))
    }

    /// Notes progress.
    pub fn step(&self) {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(IDLE);
        self.progress.store(passed, Ordering::Relaxed);
    }

    /// Notes that the thread waits for work.
    pub fn rest(&self) {
        self.progress.store(IDLE, Ordering::Relaxed);
    }

    /// Notes that another thread has taken over.
    pub fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Release);
    }

    /// Whether another thread has taken over: this one must not run or commit anything more.
    pub fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    /// Whether the thread has work and makes no progress.
    pub fn is_stalled(&self) -> bool {
        let progress = self.progress.load(Ordering::Relaxed);
        progress != IDLE
            && self.began.elapsed() > Duration::from_millis(progress).saturating_add(STALLED)
    }

    /// Waits for the end of the thread. Returns whether it ended before this time.
    pub fn ends_before(&self, until: Instant) -> bool {
        self.running.recv_deadline(until) != Err(RecvTimeoutError::Timeout)
    }
}
