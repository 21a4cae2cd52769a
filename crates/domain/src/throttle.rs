//! Throttles: how many wrong guesses are let through before a guesser has to wait.

use super::Instant;
use chrono::Duration;

/// How guesses under one key are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// At most `allowed` attempts in each window.
    Window {
        /// Attempts let through.
        allowed: u32,
        /// How long they are counted.
        window: Duration,
    },
    /// For consecutive failures on one account: the first few are free, then each one
    /// doubles the wait, up to `longest`. At [`HARD_LIMIT`] failures in a row the wait is a
    /// day, so that nobody can guess on (NIST SP 800-63B-4 section 3.2.2).
    Rising {
        /// Failures without a wait.
        free: u32,
        /// The first wait.
        first: Duration,
        /// The longest wait below the hard limit.
        longest: Duration,
    },
}

/// Consecutive failures after which guesses are let through once a day only.
pub const HARD_LIMIT: u32 = 100;

const HARD_WAIT: Duration = Duration::days(1);

/// How far the clocks of servers that share a database may lie apart.
const CLOCKS_DIFFER: Duration = Duration::minutes(1);

/// What is remembered of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Attempts so far.
    pub attempts: u32,
    /// When the first attempt of the window, or the last one of the row, was made.
    pub since: Instant,
}

/// The guesser has to wait this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Rule {
    /// Counts one more attempt, or tells how long to wait. When attempts come out of order,
    /// or servers' clocks differ a little, no time counts as passed; a clock that was set
    /// back by more than that locks nobody out.
    pub fn attempt(self, count: Option<Count>, now: Instant) -> Result<Count, Wait> {
        let fresh = Count {
            attempts: 1,
            since: now,
        };
        let Some(count) = count else {
            return Ok(fresh);
        };
        let wait = self.wait_after(count.attempts);
        let passed = match now - count.since {
            passed if passed < -wait.max(CLOCKS_DIFFER) => wait,
            passed => passed.max(Duration::zero()),
        };
        match self {
            Self::Window { allowed, window } => {
                if passed >= window {
                    Ok(fresh)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_window_lets_so_many_through_and_then_opens_again() {
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
        // An attempt that was slower than another is counted all the same.
        assert!(rule.attempt(count, at(-1)).is_err());
        // Set back by two hours, the clock blocks nobody.
        assert_eq!(rule.attempt(count, at(-7200)).unwrap().attempts, 1);
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
