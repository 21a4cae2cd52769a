//! The time of a server follows the clock of its database, which all servers share: what one of them
//! stores neither ends early nor lasts longer for the others.

use super::{App, Error};
use chrono::Duration as Span;
use domain::Instant;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Difference of the clocks beyond which a server is not ready.
const MOST: u64 = 30_000;

/// Smaller changes of the difference are within the accuracy of its measurement, in milliseconds.
/// Following them would let the time step back.
const NOTICED: u64 = 500;

/// A slower answer of the database is too inexact to be used.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// The difference of the database's clock from that of this machine, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Offset(AtomicI64);

impl Offset {
    /// The time by the database's clock, for one of this machine's.
    pub(super) fn apply(&self, at: Instant) -> Instant {
        let offset = Span::milliseconds(self.0.load(Ordering::Relaxed));
        at.checked_add_signed(offset).unwrap_or(at)
    }

    /// Whether the clocks differ by more than 30 seconds.
    pub(super) fn is_far(&self) -> bool {
        self.0.load(Ordering::Relaxed).unsigned_abs() > MOST
    }

    fn follow(&self, measured: i64) {
        let present = self.0.load(Ordering::Relaxed);
        if present.abs_diff(measured) < NOTICED {
            return;
        }
        self.0.store(measured, Ordering::Relaxed);
        let seconds = Span::milliseconds(measured).num_seconds();
        if self.is_far() {
            tracing::error!(
                seconds,
                "not ready: the clock of this machine differs from that of the database. Set it, \
                 such as with NTP. Until then nothing is purged"
            );
        } else {
            tracing::info!(seconds, "following the clock of the database");
        }
    }
}

impl App {
    /// Whether the clock of this machine differs too much from that of the database.
    pub(super) fn is_clock_wrong(&self) -> bool {
        self.0.offset.is_far()
    }
}

/// Compares the clock of this machine with that of the database, and follows the latter. To be called
/// each few seconds, before a command writes, and before data is purged by its age.
pub async fn compare(app: &App) -> Result<(), Error> {
    let (began, before) = (app.passed(), app.0.clock.now());
    let Some(theirs) = app.store().read_one(store::clock::read).await? else {
        return Ok(());
    };
    let took = app.passed().saturating_sub(began);
    if took <= ANSWERED_WITHIN {
        let half = i64::try_from(took.as_millis() / 2).unwrap_or_default();
        app.0
            .offset
            .follow(theirs - before.timestamp_millis() - half);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_database() {
        let own = Instant::UNIX_EPOCH + Span::days(1);
        let offset = Offset::default();
        assert_eq!(offset.apply(own), own);
        for (measured, followed, is_far) in [
            (400, 0, false),
            (-400, 0, false),
            (2_000, 2_000, false),
            (2_300, 2_000, false),
            (-30_000, -30_000, false),
            (-31_000, -31_000, true),
            (90_000_000, 90_000_000, true),
            (0, 0, false),
        ] {
            offset.follow(measured);
            assert_eq!(offset.apply(own), own + Span::milliseconds(followed));
            assert_eq!(offset.is_far(), is_far, "{measured}");
        }
    }
}
