//! Detects a clock that jumps forward. A clock that was set back shows in the order of records
//! (see [`super::sealing`]); a forward jump does not.

use super::sealing::CLOCK_STEP;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Compares the wall clock with the monotonic clock.
pub struct Watch(Mutex<Look>);

/// Wall-clock time and monotonic time of one observation.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    passed: std::time::Duration,
}

impl Look {
    fn take(app: &App) -> Self {
        Self {
            at: app.now(),
            passed: app.passed(),
        }
    }

    /// Wall-clock time that the monotonic clock predicts for `now`.
    fn expected(&self, now: &Self) -> Option<Instant> {
        let since = now.passed.saturating_sub(self.passed);
        self.at.checked_add_signed(Duration::from_std(since).ok()?)
    }
}

impl Watch {
    /// Takes the first observation.
    pub fn start(app: &App) -> Self {
        Self(Mutex::new(Look::take(app)))
    }

    fn last(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a forward step of the clock since the last observation.
    pub async fn look(&self, app: &App) -> Result<(), Error> {
        let (last, now) = (*self.last(), Look::take(app));
        if let Some(expected) = last.expected(&now)
            && now.at - expected > CLOCK_STEP
        {
            let event = app.event(
                &Context::local(),
                Actor::System,
                Action::ClockSteppedForward,
            );
            let [from, to] = [expected, now.at].map(moment::write);
            app.store()
                .write(move |conn| event.write(conn, None, json!({"from": from, "to": to})))
                .await?;
        }
        *self.last() = now;
        Ok(())
    }
}
