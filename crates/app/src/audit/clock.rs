//! A clock that jumps forward: no record by itself shows it, as one of an earlier time shows that
//! a clock was set back (see [`super::sealing`]).

use super::sealing::CLOCK_STEP;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds the clock of a server against one that nobody can set.
pub struct Watch(Mutex<Look>);

/// What the clock said, and how much time had passed by then.
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

    /// What the clock would say by now, had nobody set it.
    fn expected(&self, now: &Self) -> Option<Instant> {
        let since = now.passed.saturating_sub(self.passed);
        self.at.checked_add_signed(Duration::from_std(since).ok()?)
    }
}

impl Watch {
    /// Begins to look.
    pub fn start(app: &App) -> Self {
        Self(Mutex::new(Look::take(app)))
    }

    fn last(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records if the clock was set forward since the last time.
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
