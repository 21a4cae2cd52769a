//! The polling interval (RFC 8628 section 3.5).

use std::time::Duration;

/// Increase of the interval on `slow_down`.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The pause after a first failure; it doubles with each consecutive failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);

/// Maximum pause after failures, without `Retry-After`.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Minimum duration of a held response. A server that applies `Prefer: wait` but responds sooner
/// (for example while it shuts down) is polled at the interval.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);

/// The result of a poll that did not end the flow.
#[derive(Debug, Clone, Copy)]
pub enum Polled {
    /// `authorization_pending`.
    Pending {
        /// Whether the server applied `Prefer: wait`.
        held: bool,
        /// How long the response took.
        took: Duration,
    },
    /// `slow_down`.
    SlowDown,
    /// No usable response.
    Failed {
        /// The pause from `Retry-After`.
        retry_after: Option<Duration>,
    },
}

/// The polling interval and back-off. It reads no clock, so it can be tested as a table.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    failures: u32,
}

impl Pace {
    /// The interval from the server, limited to 1 to 300 seconds.
    pub fn new(interval_seconds: u64) -> Self {
        Self {
            interval: Duration::from_secs(interval_seconds.clamp(1, 300)),
            failures: 0,
        }
    }

    /// The pause before the next poll, counted from the response.
    ///
    /// Counted from the request, a slow first connection and a fast second one could reach
    /// the server within less than the interval.
    pub fn pause_after(&mut self, polled: Polled) -> Duration {
        if !matches!(polled, Polled::Failed { .. }) {
            self.failures = 0;
        }
        match polled {
            Polled::Pending { held: true, took } if took >= SHORTEST_HOLD => Duration::ZERO,
            Polled::Pending { took, .. } if took >= self.interval => Duration::ZERO,
            Polled::Pending { .. } => self.interval,
            Polled::SlowDown => {
                self.interval += SLOW_DOWN;
                self.interval
            }
            Polled::Failed { retry_after } => {
                let backoff = FIRST_BACKOFF
                    .saturating_mul(2_u32.saturating_pow(self.failures))
                    .min(LONGEST_BACKOFF);
                self.failures = self.failures.saturating_add(1);
                retry_after.unwrap_or(backoff).max(self.interval)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Polled::{Failed, Pending, SlowDown};

    fn pauses(interval: u64, story: &[Polled]) -> Vec<u64> {
        let mut pace = Pace::new(interval);
        story
            .iter()
            .map(|polled| pace.pause_after(*polled).as_secs())
            .collect()
    }

    fn pending(held: bool, seconds: u64) -> Polled {
        Pending {
            held,
            took: Duration::from_secs(seconds),
        }
    }

    const FAILED: Polled = Failed { retry_after: None };

    #[test]
    fn a_held_response_is_followed_immediately_and_another_after_the_interval() {
        assert_eq!(pauses(5, &[pending(true, 25), pending(true, 2)]), [0, 0]);
        assert_eq!(pauses(5, &[pending(false, 0), pending(false, 4)]), [5, 5]);
        assert_eq!(pauses(5, &[pending(false, 5), pending(false, 25)]), [0, 0]);
        assert_eq!(pauses(5, &[pending(true, 0)]), [5], "not immediately");
    }

    #[test]
    fn slow_down_adds_five_seconds_permanently() {
        assert_eq!(
            pauses(
                5,
                &[
                    SlowDown,
                    pending(false, 0),
                    SlowDown,
                    FAILED,
                    pending(false, 0)
                ]
            ),
            [10, 10, 15, 15, 15]
        );
    }

    #[test]
    fn failures_back_off_up_to_a_limit_until_a_response() {
        assert_eq!(
            pauses(5, &[FAILED, FAILED, FAILED, FAILED, FAILED, FAILED]),
            [5, 10, 20, 40, 60, 60]
        );
        assert_eq!(
            pauses(5, &[FAILED, FAILED, pending(false, 0), FAILED]),
            [5, 10, 5, 5]
        );
        assert_eq!(pauses(5, &[FAILED; 100])[99], 60);
        let asked = |seconds| Failed {
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(pauses(5, &[asked(90), asked(1), FAILED]), [90, 5, 20]);
    }

    #[test]
    fn an_unreasonable_interval_is_bounded() {
        assert_eq!(pauses(0, &[pending(false, 0)]), [1]);
        assert_eq!(pauses(u64::MAX, &[pending(false, 0)]), [300]);
    }
}
