//! Limits the log lines of requests whose caller is unknown, so that a stranger cannot fill the disk
//! with them. The metrics count all requests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines at once.
const LINES: u32 = 1_000;

/// Time in which one more line is written.
const LINE_EVERY: Duration = Duration::from_millis(100);

/// Limits log lines: 1,000 at once, and 10 more in a second.
#[derive(Clone, Default)]
pub struct LogLimit(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// When all lines are free again.
    full_at: Option<Instant>,
    unlogged: u64,
}

impl LogLimit {
    /// Whether to write the line of a request, and then how many were left out since the last one.
    pub fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = state.full_at.map_or(now, |at| at.max(now)) + LINE_EVERY;
        if full_at > now + LINE_EVERY * LINES {
            state.unlogged += 1;
            return None;
        }
        state.full_at = Some(full_at);
        Some(std::mem::take(&mut state.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_limited_and_those_left_out_are_counted() {
        let (limit, start) = (LogLimit::default(), Instant::now());
        let written = |now, count| (0..count).filter_map(|_| limit.take(now)).collect();
        let at_once: Vec<_> = written(start, 1_500);
        assert_eq!(at_once, vec![0; 1_000]);
        let later: Vec<_> = written(start + LINE_EVERY * 3, 10);
        assert_eq!(later, [500, 0, 0]);
        let last: Vec<_> = written(start + Duration::from_secs(3_600), 2_000);
        assert_eq!((last.len(), last[0]), (1_000, 7));
    }
}
