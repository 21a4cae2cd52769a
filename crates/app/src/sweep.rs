//! What runs beside the requests: sealing the audit log, writing gathered uses, waking polls
//! that another server decided, and forgetting what is over.

use super::audit::{self, sealing};
use super::{App, Error, device, idempotency, session, uses};
use chrono::Duration as Span;
use std::cell::Cell;
use std::time::Duration;

/// How often every use of a token is recorded: a second after it at the latest, with the time
/// that writing takes.
const RECORD_EVERY: Duration = Duration::from_millis(800);

/// How often refusals are recorded. What is alike in between becomes one record.
const GATHER_EVERY: Duration = Duration::from_secs(5);

/// How often last uses of tokens are written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How often what was committed is sealed.
const SEAL_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked whether sealing gets on, and whether the clock was set forward.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// How long a committed record waits for its seal at the most, as long as all is well.
const SEALED_WITHIN: Span = Span::seconds(10);

/// How often it is looked whether a checkpoint is due.
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// How often sealed records are shipped.
const SHIP_EVERY: Duration = Duration::from_secs(1);

/// How often the database is asked for decisions that another server took.
const DECISIONS_EVERY: Duration = Duration::from_millis(200);

/// How often what is over is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// How often uses and records that are too old are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// How long counters of throttles are kept; longer than their longest wait.
const THROTTLES_KEPT: Span = Span::days(2);

/// How long what goes elsewhere may take when the server stops. It is tried again at the next
/// start.
const HAND_OUT_WITHIN: Duration = Duration::from_secs(3);

/// Does all this until the server stops. What it is at is done first, but for what goes
/// elsewhere: nobody knows how long that takes.
pub async fn run(app: App) {
    let clock = audit::clock::Watch::start(&app);
    let slow = Rarely::default();
    let work = async {
        tokio::join!(
            every(&app, SEAL_EVERY, "sealing the audit log", || sealing::seal(
                &app
            )),
            every(&app, FLUSH_EVERY, "writing last uses", || uses::flush(&app)),
            every(&app, RECORD_EVERY, "recording uses", || audit::uses::flush(
                &app
            )),
            every(&app, GATHER_EVERY, "recording refusals", || {
                audit::refusals::flush(&app)
            }),
            every(&app, WATCH_EVERY, "watching the clock", || clock.look(&app)),
            every(&app, WATCH_EVERY, "watching the audit log", || watch(
                &app, &slow
            )),
            every(&app, PURGE_EVERY, "forgetting what is over", || purge(&app)),
            every(&app, FORGET_EVERY, "forgetting what is old", || forget_old(
                &app
            )),
            async {
                // A database that is not shared has no other server that could decide.
                if app.store().is_shared() {
                    every(&app, DECISIONS_EVERY, "looking for decisions", || {
                        device::poll::wake_decided(&app)
                    })
                    .await;
                }
            },
        )
    };
    let doubted = Rarely::default();
    let elsewhere = async {
        tokio::select! {
            () = every(&app, SIGN_EVERY, "signing the audit log", || sign(&app, &doubted)) => {}
            () = every(&app, SHIP_EVERY, "shipping the audit log", || audit::ship(&app)) => {}
            () = app.stopping() => {}
        }
    };
    tokio::join!(work, elsewhere);
}

async fn sign(app: &App, doubted: &Rarely) -> Result<(), Error> {
    match audit::sign(app).await? {
        None => doubted.end(),
        Some(discrepancy) if doubted.again().is_some() => {
            tracing::error!("the audit log is not signed: {}", discrepancy.says);
        }
        Some(_) => {}
    }
    Ok(())
}

/// Warns of committed records that nobody seals: where that fails somebody says so, but not where
/// it hangs, or where the server that is at it does.
pub async fn watch(app: &App, slow: &Rarely) -> Result<(), Error> {
    let lag = audit::lag::of_sealing(app).await?;
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

/// Says when to tell of what does not stop: ever more rarely.
#[derive(Default)]
pub struct Rarely(Cell<u32>);

impl Rarely {
    /// It happened again: how often by now, if that is to be told.
    fn again(&self) -> Option<u32> {
        let times = self.0.get().saturating_add(1);
        self.0.set(times);
        times.is_power_of_two().then_some(times)
    }

    /// It has stopped.
    fn end(&self) {
        self.0.set(0);
    }
}

/// Forgets the uses of tokens, and the records, that are older than the settings say.
pub async fn forget_old(app: &App) -> Result<(), Error> {
    let forgotten = [
        audit::uses::purge(app).await,
        audit::retention::prune(app).await,
    ];
    match app.store().wipe().await {
        // The next time will do.
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
            tracing::warn!(?error, failures, "{what} failed and will be tried again");
        }
    }
}

/// Writes at once what is gathered in memory, seals what was committed, signs it if that is due
/// and ships it. Tells what could not be done.
pub async fn settle(app: &App) -> Vec<Error> {
    let mut failed = write_and_seal(app).await;
    failed.extend(publish(app).await);
    failed
}

/// Writes at once what is gathered in memory, and seals what was committed.
pub(super) async fn write_and_seal(app: &App) -> Vec<Error> {
    let mut failed = write_gathered(app).await;
    failed.extend(sealing::seal(app).await.err());
    failed
}

/// Writes at once what is gathered in memory.
pub async fn write_gathered(app: &App) -> Vec<Error> {
    let written = [
        uses::flush(app).await,
        audit::uses::flush(app).await,
        audit::refusals::flush(app).await,
    ];
    written.into_iter().filter_map(Result::err).collect()
}

async fn publish(app: &App) -> Vec<Error> {
    let handed = [audit::sign(app).await.map(drop), audit::ship(app).await];
    handed.into_iter().filter_map(Result::err).collect()
}

/// Does all this for the last time, when the server stops.
pub async fn end(app: &App) {
    let mut failed = write_and_seal(app).await;
    let handed = tokio::time::timeout(HAND_OUT_WITHIN, publish(app)).await;
    failed.extend(handed.unwrap_or_default());
    for error in failed {
        tracing::warn!(?error, "something is left for the next start");
    }
}

/// Forgets what is over. Requests are kept for one more lifetime, so that a late poll still
/// learns that it expired.
pub async fn purge(app: &App) -> Result<(), Error> {
    let now = app.now();
    let lifetime = Span::from_std(app.config().device.code_lifetime).unwrap_or(Span::zero());
    let limits = session::limits(app);
    device::expire_over(app).await?;
    app.store()
        .write(move |conn| {
            store::device::delete_grants(conn, now - lifetime)?;
            store::session::delete_over_sessions(conn, now, limits)?;
            store::invitation::delete_over_invitations(conn, now)?;
            store::policy::delete_over_graces(conn, now)?;
            store::throttle::delete_counts(conn, now - THROTTLES_KEPT)?;
            store::idempotency::delete_calls(conn, now - idempotency::KEPT)?;
            Ok(())
        })
        .await
}
