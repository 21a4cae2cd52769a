//! Throttles: the number of wrong guesses before the caller must wait.

use super::Instant;
use chrono::Duration;

/// The limit of guesses under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// At most `allowed` attempts in each window.
    Window {
        /// The number of allowed attempts.
        allowed: u32,
        /// The length of the window.
        window: Duration,
    },
    /// For consecutive failures of one user: the first few are free, then each one doubles the
    /// wait, up to `longest`. From [`HARD_LIMIT`] failures in a row the wait is a day, which
    /// stops further guessing (NIST SP 800-63B-4 section 3.2.2).
    Rising {
        /// Failures without a wait.
        free: u32,
        /// The first wait.
        first: Duration,
        /// The longest wait below the hard limit.
        longest: Duration,
    },
}

/// Consecutive failures after which one guess a day is allowed.
pub const HARD_LIMIT: u32 = 100;

const HARD_WAIT: Duration = Duration::days(1);

/// How long consecutive failures are kept: longer than the longest wait.
const FAILURES_KEPT: Duration = Duration::days(2);

/// The largest tolerated clock difference between servers that share a database.
const CLOCKS_DIFFER: Duration = Duration::minutes(1);

/// The stored count of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Attempts so far.
    pub attempts: u32,
    /// The time of the first attempt of the window, or of the last one in a row.
    pub since: Instant,
}

impl Count {
    /// A first attempt.
    const fn first(now: Instant) -> Self {
        Self {
            attempts: 1,
            since: now,
        }
    }
}

/// The time that the caller must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Rule {
    /// Counts one more attempt, or returns the time to wait. If attempts arrive out of order or
    /// the servers' clocks differ slightly, the elapsed time counts as zero. A clock that was set
    /// back further locks no user out.
    pub fn attempt(self, count: Option<Count>, now: Instant) -> Result<Count, Wait> {
        let Some(count) = count else {
            return Ok(Count::first(now));
        };
        let wait = self.wait_after(count.attempts);
        let passed = passed(count.since, now, wait);
        match self {
            Self::Window { allowed, window } => {
                if passed >= window {
                    Ok(Count::first(now))
                } else if count.attempts < allowed {
                    Ok(Count {
                        attempts: count.attempts + 1,
                        ..count
                    })
                } else {
                    Err(Wait(window - passed))
                }
            }
            Self::Rising { .. } => {
                if passed < wait {
                    return Err(Wait(wait - passed));
                }
                Ok(Count {
                    attempts: count.attempts.saturating_add(1),
                    since: now,
                })
            }
        }
    }

    /// The time from which a count has no effect and can be deleted.
    pub fn forgotten_at(self, count: Count) -> Instant {
        count.since
            + match self {
                Self::Window { window, .. } => window,
                Self::Rising { .. } => FAILURES_KEPT,
            }
    }

    /// Whether earlier attempts still count.
    pub fn has_earlier(self, count: Option<Count>, now: Instant) -> bool {
        count.is_some_and(|count| count.attempts > 0 && now < self.forgotten_at(count))
    }

    fn wait_after(self, failures: u32) -> Duration {
        match self {
            Self::Window { window, .. } => window,
            Self::Rising { free, .. } if failures < free => Duration::zero(),
            Self::Rising { .. } if failures >= HARD_LIMIT => HARD_WAIT,
            Self::Rising {
                free,
                first,
                longest,
            } => {
                let doublings = (failures - free).min(20);
                (first * (1 << doublings)).min(longest)
            }
        }
    }
}

/// A limit of attempts that many users share. Beyond it attempts are slowed and never refused, so
/// that no user can stop another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedRule {
    /// The number of attempts in a window before further ones are slowed.
    pub allowed: u32,
    /// The length of the window.
    pub window: Duration,
}

impl SharedRule {
    /// Counts one more attempt.
    pub fn attempt(self, count: Option<Count>, now: Instant) -> Count {
        match count {
            Some(count) if passed(count.since, now, self.window) < self.window => Count {
                attempts: count.attempts.saturating_add(1),
                ..count
            },
            _ => Count::first(now),
        }
    }

    /// Whether a count is beyond the limit.
    pub fn is_exceeded(self, count: Count) -> bool {
        count.attempts > self.allowed
    }

    /// The time from which a count has no effect and can be deleted.
    pub fn forgotten_at(self, count: Count) -> Instant {
        count.since + self.window
    }
}

/// The time since the beginning of a count; see [`Rule::attempt`].
fn passed(since: Instant, now: Instant, wait: Duration) -> Duration {
    match now - since {
        passed if passed < -wait.max(CLOCKS_DIFFER) => wait,
        passed => passed.max(Duration::zero()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_window_allows_some_attempts_and_then_restarts() {
        let rule = Rule::Window {
            allowed: 5,
            window: Duration::minutes(10),
        };
        let mut count = None;
        for second in 0..5 {
            count = Some(rule.attempt(count, at(second)).unwrap());
        }
        assert_eq!(
            rule.attempt(count, at(60)),
            Err(Wait(Duration::seconds(540)))
        );
        assert_eq!(rule.attempt(count, at(600)).unwrap().attempts, 1);
        // An attempt that arrives out of order still counts.
        assert!(rule.attempt(count, at(-1)).is_err());
        // A clock set back by two hours causes no lockout.
        assert_eq!(rule.attempt(count, at(-7200)).unwrap().attempts, 1);
    }

    #[test]
    fn a_shared_limit_counts_on_and_restarts() {
        let rule = SharedRule {
            allowed: 2,
            window: Duration::minutes(10),
        };
        let mut count = None;
        for (second, is_exceeded) in [(0, false), (1, false), (2, true), (599, true), (600, false)]
        {
            let new = rule.attempt(count, at(second));
            assert_eq!(rule.is_exceeded(new), is_exceeded, "{second}");
            count = Some(new);
        }
        // A clock set back by two hours starts a new window.
        assert_eq!(rule.attempt(count, at(-7200)).attempts, 1);
    }

    #[test]
    fn waits_rise_and_the_hundred_and_first_guess_waits_a_day() {
        let rule = Rule::Rising {
            free: 5,
            first: Duration::seconds(30),
            longest: Duration::minutes(15),
        };
        let mut now = at(0);
        let mut count = None;
        let mut waits = Vec::new();
        for _ in 0..HARD_LIMIT {
            count = Some(match rule.attempt(count, now) {
                Ok(count) => count,
                Err(Wait(wait)) => {
                    waits.push(wait.num_seconds());
                    now += wait;
                    rule.attempt(count, now).unwrap()
                }
            });
        }
        assert_eq!(waits[..7], [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(rule.attempt(count, now), Err(Wait(Duration::days(1))));
        assert!(rule.attempt(count, now + Duration::days(1)).is_ok());
    }
}
