//! One thread's time at work, and whether it makes progress.

use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A thread is stalled after this time without progress. PostgreSQL cancels a statement earlier,
/// and the kernel drops a connection earlier whose packets vanish.
const STALLED: Duration = Duration::from_secs(5);

/// The progress of a thread that waits for work or for a connection.
const RESTS: u64 = u64::MAX;

/// The progress of a thread that another one has replaced.
const ABANDONED: u64 = u64::MAX - 1;

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
    /// When the thread last made progress, in milliseconds after `began`; [`RESTS`] or
    /// [`ABANDONED`]. One value holds all three, so that a thread is abandoned only while it makes
    /// no progress, and never with work that it has just taken.
    progress: AtomicU64,
    /// Disconnected when the thread ends.
    running: Receiver<Infallible>,
}

impl Shift {
    /// The shift of a thread that ends when the channel is disconnected.
    pub fn new(running: Receiver<Infallible>) -> Self {
        Self {
            began: Instant::now(),
            progress: AtomicU64::new(RESTS),
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
        self.set(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(RESTS));
    }

    /// Notes that the thread waits for work, or for a connection. Such a thread is never stalled.
    pub fn rest(&self) {
        self.set(RESTS);
    }

    fn set(&self, to: u64) {
        let unless_abandoned = |progress| (progress != ABANDONED).then_some(to);
        // An abandoned thread stays so.
        let _ = self
            .progress
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_abandoned);
    }

    /// Abandons the thread if it has work and makes no progress. Returns whether it did.
    pub fn abandon_if_stalled(&self) -> bool {
        let progress = self.progress.load(Ordering::Acquire);
        let stalled_at = Duration::from_millis(progress).saturating_add(STALLED);
        let is_stalled = progress < ABANDONED && self.began.elapsed() > stalled_at;
        is_stalled
            && self
                .progress
                .compare_exchange(progress, ABANDONED, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Whether another thread has taken over: this one must not run or commit anything more.
    pub fn is_abandoned(&self) -> bool {
        self.progress.load(Ordering::Acquire) == ABANDONED
    }

    /// Waits for the end of the thread. Returns whether it ended before this time.
    pub fn ends_before(&self, until: Instant) -> bool {
        self.running.recv_deadline(until) != Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shift of a thread that began this long ago.
    fn shift(began: Duration) -> Shift {
        let (_, running) = crossbeam_channel::bounded(0);
        Shift {
            began: Instant::now().checked_sub(began).unwrap(),
            ..Shift::new(running)
        }
    }

    #[test]
    fn only_a_thread_at_work_without_progress_is_abandoned() {
        let shift = shift(2 * STALLED);
        assert!(!shift.abandon_if_stalled(), "it waits for work");
        shift.step();
        assert!(!shift.abandon_if_stalled(), "it makes progress");
        shift.progress.store(0, Ordering::Release);
        assert!(shift.abandon_if_stalled());
        assert!(shift.is_abandoned());
        assert!(!shift.abandon_if_stalled(), "once");
    }

    /// It would take work from the queue that it must not do.
    #[test]
    fn abandoned_thread_stays_so_when_it_wakes_up() {
        let shift = shift(2 * STALLED);
        shift.progress.store(0, Ordering::Release);
        assert!(shift.abandon_if_stalled());
        shift.step();
        shift.rest();
        assert!(shift.is_abandoned());
    }
}
