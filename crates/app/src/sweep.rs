//! Background tasks: sealing the audit log, writing buffered uses, waking polls that another
//! server decided, and purging expired data.

use super::audit::{self, seal};
use super::{App, Error, clock, device, idempotency, identity, session, uses};
use chrono::Duration as Span;
use std::cell::Cell;
use std::time::Duration;

/// Interval for recording token uses: a use is recorded within a second, including the time for
/// writing.
const RECORD_EVERY: Duration = Duration::from_millis(800);

/// Interval for recording counted events. Equal events in between share one record.
const GATHER_EVERY: Duration = Duration::from_secs(5);

/// Interval for writing last uses of tokens.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Interval for sealing committed records.
const SEAL_EVERY: Duration = Duration::from_millis(500);

/// Interval for keeping the head of the audit log outside the database.
const REMEMBER_EVERY: Duration = Duration::from_secs(1);

/// Interval for checking the lag of sealing and forward steps of the clock.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// Maximum wait of a committed record for its seal in normal operation.
const SEALED_WITHIN: Span = Span::seconds(10);

/// Interval for checking whether a checkpoint is due.
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// Interval for shipping sealed records.
const SHIP_EVERY: Duration = Duration::from_secs(1);

/// Interval for polling decisions of other servers.
const DECISIONS_EVERY: Duration = Duration::from_millis(200);

/// Interval for revoking tokens that devices did not receive.
const END_EVERY: Duration = Duration::from_secs(5);

/// Interval for purging expired data.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Interval for checking which users are due for a check at their identity provider.
const CHECK_USERS_EVERY: Duration = Duration::from_secs(20);

/// Interval for pruning old uses and records.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Timeout for publishing and shipping when the server stops. The rest follows at the next start.
const PUBLISH_WITHIN: Duration = Duration::from_secs(3);

/// Runs all tasks until the server stops. A running task completes first, except publishing and
/// shipping, whose duration is unbounded.
pub async fn run(app: App) {
    let watched = audit::seal::Watch::start(&app);
    let slow = Rarely::default();
    let work = async {
        tokio::join!(
            every(&app, SEAL_EVERY, "sealing the audit log", || seal::seal(
                &app
            )),
            every(
                &app,
                REMEMBER_EVERY,
                "keeping the head of the audit log",
                || { audit::remember(&app) }
            ),
            every(&app, FLUSH_EVERY, "writing last uses", || uses::flush(&app)),
            every(&app, RECORD_EVERY, "recording uses", || audit::uses::flush(
                &app
            )),
            every(&app, GATHER_EVERY, "recording counted events", || async {
                app.usage_buffer().gather_inactive();
                audit::tally::flush(&app).await
            }),
            every(&app, WATCH_EVERY, "watching the clock", || async {
                // The step of this machine alone is not one of the time that the server uses.
                clock::compare(&app).await?;
                watched.look(&app).await
            }),
            every(&app, WATCH_EVERY, "watching the audit log", || watch(
                &app, &slow
            )),
            every(&app, END_EVERY, "ending unused tokens", || {
                device::end_unused(&app)
            }),
            every(&app, PURGE_EVERY, "purging expired data", || {
                by_true_time(&app, purge(&app))
            }),
            every(&app, FORGET_EVERY, "pruning old data", || {
                by_true_time(&app, forget_old(&app))
            }),
            async {
                // Without a shared database no other server can decide.
                if app.store().is_shared() {
                    every(&app, DECISIONS_EVERY, "polling for decisions", || {
                        device::poll::wake_decided(&app)
                    })
                    .await;
                }
            },
        )
    };
    let elsewhere = async {
        tokio::select! {
            () = every(&app, SIGN_EVERY, "signing the audit log", || audit::sign(&app)) => {}
            () = every(&app, SHIP_EVERY, "shipping the audit log", || audit::ship(&app)) => {}
            () = every(&app, CHECK_USERS_EVERY, "checking users at their providers", || {
                identity::check_due(&app)
            }) => {}
            () = app.stopping() => {}
        }
    };
    tokio::join!(work, elsewhere);
}

/// Deletes data by its age, unless the clock of this machine is wrong: it would delete valid data
/// of other servers.
pub async fn by_true_time(
    app: &App,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    clock::compare(app).await?;
    match app.is_clock_wrong() {
        true => Ok(()),
        false => work.await,
    }
}

/// Warns of committed records that are not sealed. A failure of sealing is logged elsewhere; this
/// detects sealing that hangs, here or on the server with the lock.
pub async fn watch(app: &App, slow: &Rarely) -> Result<(), Error> {
    let lag = audit::publish::sealing_lag(app).await?;
    if lag.age <= SEALED_WITHIN {
        slow.end();
    } else if slow.again().is_some() {
        let (records, seconds) = (lag.records, lag.age.num_seconds());
        tracing::warn!(
            records,
            seconds,
            "committed records of the audit log wait to be sealed"
        );
    }
    Ok(())
}

/// Limits log messages about a persistent problem: with exponentially growing gaps.
#[derive(Default)]
pub struct Rarely(Cell<u32>);

impl Rarely {
    /// Counts an occurrence. Returns the count if it should be logged.
    fn again(&self) -> Option<u32> {
        let times = self.0.get().saturating_add(1);
        self.0.set(times);
        times.is_power_of_two().then_some(times)
    }

    /// The problem has ended.
    fn end(&self) {
        self.0.set(0);
    }
}

/// Prunes token uses and records that are older than the configured retention.
pub async fn forget_old(app: &App) -> Result<(), Error> {
    let forgotten = [
        audit::uses::purge(app).await,
        audit::retain::prune(app).await,
    ];
    match app.store().wipe().await {
        // Retried at the next run.
        Ok(()) | Err(store::Error::Busy) => {}
        Err(error) => return Err(error.into()),
    }
    forgotten.into_iter().collect()
}

async fn every<F>(app: &App, period: Duration, what: &str, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), Error>>,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let failing = Rarely::default();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.stopping() => return,
        }
        let Err(error) = work().await else {
            failing.end();
            continue;
        };
        if let Some(failures) = failing.again() {
            tracing::warn!(?error, failures, "{what} failed and will be retried");
        }
    }
}

/// Writes buffered data, seals committed records, keeps the head, signs a checkpoint if one is due,
/// and ships. Returns the errors.
pub async fn settle(app: &App) -> Vec<Error> {
    let mut failed = write_and_seal(app).await;
    failed.extend(audit::remember(app).await.err());
    failed.extend(publish(app).await);
    failed
}

/// Completes background tasks, writes buffered data and seals committed records. Returns the errors.
pub(super) async fn write_and_seal(app: &App) -> Vec<Error> {
    app.finish_background().await;
    let mut failed = write_gathered(app).await;
    failed.extend(seal::seal(app).await.err());
    failed
}

/// Writes buffered data. Returns the errors.
pub async fn write_gathered(app: &App) -> Vec<Error> {
    app.usage_buffer().gather_inactive();
    let written = [
        uses::flush(app).await,
        audit::uses::flush(app).await,
        audit::tally::flush(app).await,
    ];
    written.into_iter().filter_map(Result::err).collect()
}

async fn publish(app: &App) -> Vec<Error> {
    let handed = [audit::sign(app).await, audit::ship(app).await];
    handed.into_iter().filter_map(Result::err).collect()
}

/// Runs these tasks a last time when the server stops.
pub async fn end(app: &App) {
    let mut failed = write_and_seal(app).await;
    let handed = tokio::time::timeout(PUBLISH_WITHIN, publish(app)).await;
    failed.extend(handed.unwrap_or_default());
    for error in failed {
        tracing::warn!(?error, "unfinished work is left for the next start");
    }
}

/// Purges expired data. Device grants are kept for one more lifetime, so that a late poll still
/// gets the expired error.
pub async fn purge(app: &App) -> Result<(), Error> {
    let now = app.now();
    let lifetime = Span::from_std(app.config().device.code_lifetime).unwrap_or(Span::zero());
    let limits = session::limits(app);
    device::expire_over(app).await?;
    app.store()
        .write(move |conn| {
            store::device::delete_grants(conn, now - lifetime)?;
            store::device::delete_over_answers(conn, now)?;
            store::session::delete_over_sessions(conn, now, limits)?;
            store::invitation::delete_over_invitations(conn, now)?;
            store::account_link::delete_over_links(conn, now)?;
            store::identity::delete_over_assertions(conn, now)?;
            store::policy::delete_over_graces(conn, now)?;
            store::throttle::delete_expired_counts(conn, now)?;
            store::idempotency::delete_calls(conn, now - idempotency::KEPT)?;
            store::sealed_text::delete_over_texts(conn, now)?;
            Ok(())
        })
        .await
}
