//! How often shared limits were reached, for metrics and the log.

use crate::App;
use chrono::Duration;
use domain::Instant;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How often the log reports that a limit is reached.
const LOG_EVERY: Duration = Duration::minutes(10);

/// A limit that a caller shares with strangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedLimit {
    /// Wrong passwords of all users from all sources.
    Password,
    /// Wrong user codes of all users.
    UserCode,
    /// Wrong user codes from one source.
    UserCodeSource,
    /// Requests to reset a password.
    PasswordReset,
    /// Pending device codes of one client.
    DeviceClient,
    /// Pending device codes from one site.
    DeviceSite,
}

impl SharedLimit {
    /// All limits, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::UserCode,
        Self::UserCodeSource,
        Self::PasswordReset,
        Self::DeviceClient,
        Self::DeviceSite,
    ];

    /// Its name in metrics and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::UserCode => "user_code",
            Self::UserCodeSource => "user_code_source",
            Self::PasswordReset => "password_reset",
            Self::DeviceClient => "device_client",
            Self::DeviceSite => "device_site",
        }
    }
}

/// Counts attempts beyond shared limits, and logs the first of each interval.
#[derive(Default)]
pub struct ReachedLimits([Reached; SharedLimit::ALL.len()]);

#[derive(Default)]
struct Reached {
    /// Attempts since the last [`ReachedLimits::take`].
    attempts: AtomicU64,
    /// Time of the last log line, in milliseconds since 1970.
    logged_at: AtomicI64,
}

impl ReachedLimits {
    /// Counts an attempt beyond a limit.
    pub fn note(&self, limit: SharedLimit, now: Instant) {
        let reached = &self.0[limit as usize];
        reached.attempts.fetch_add(1, Ordering::Relaxed);
        let (now, every) = (now.timestamp_millis(), LOG_EVERY.num_milliseconds());
        let logged = reached
            .logged_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                let is_due = !(last..last + every).contains(&now);
                is_due.then_some(now)
            });
        if logged.is_ok() {
            tracing::warn!(limit = limit.as_str(), "a shared limit is reached");
        }
    }

    /// The attempts beyond each limit since the last call.
    pub fn take(&self) -> [(SharedLimit, u64); SharedLimit::ALL.len()] {
        SharedLimit::ALL.map(|limit| {
            let attempts = &self.0[limit as usize].attempts;
            (limit, attempts.swap(0, Ordering::Relaxed))
        })
    }
}

impl App {
    /// Attempts beyond shared limits.
    pub(crate) fn reached_limits(&self) -> &ReachedLimits {
        &self.0.reached_limits
    }

    /// The attempts beyond each shared limit since the last call, by its name; for the metrics.
    pub fn take_reached_limits(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let taken = self.reached_limits().take();
        taken
            .into_iter()
            .map(|(limit, attempts)| (limit.as_str(), attempts))
    }
}
