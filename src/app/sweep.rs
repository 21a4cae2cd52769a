//! What runs beside the requests: sealing the audit log, writing gathered uses, waking polls
//! that another server decided, and forgetting what is over.

use super::audit::{self, sealing};
use super::{App, Error, device, receipt, session, uses};
use crate::store;
use chrono::Duration as Span;
use std::time::Duration;

/// How often every use of a token is recorded.
const RECORD_EVERY: Duration = Duration::from_millis(500);

/// How often refusals are recorded. What is alike in between becomes one record.
const GATHER_EVERY: Duration = Duration::from_secs(5);

/// How often last uses of tokens are written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How often what was committed is sealed.
const SEAL_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked whether a checkpoint is due.
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// How often sealed records are shipped.
const SHIP_EVERY: Duration = Duration::from_secs(1);

/// How often the database is asked for decisions that another server took.
const DECISIONS_EVERY: Duration = Duration::from_millis(200);

/// How often what is over is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// How often uses that are too old are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// How long counters of throttles are kept; longer than their longest wait.
const THROTTLES_KEPT: Span = Span::days(2);

/// Does all this until it is dropped.
pub async fn run(app: App) {
    tokio::join!(
        every(SEAL_EVERY, "sealing the audit log", || sealing::seal(&app)),
        every(SIGN_EVERY, "signing the audit log", || async {
            if let Some(doubt) = audit::sign(&app).await? {
                tracing::error!("the audit log is not signed: {}", doubt.says);
            }
            Ok(())
        }),
        every(SHIP_EVERY, "shipping the audit log", || audit::ship(&app)),
        every(FLUSH_EVERY, "writing last uses", || uses::flush(&app)),
        every(RECORD_EVERY, "recording uses", || audit::uses::flush(&app)),
        every(GATHER_EVERY, "recording refusals", || {
            audit::refusals::flush(&app)
        }),
        every(PURGE_EVERY, "forgetting what is over", || purge(&app)),
        every(FORGET_EVERY, "forgetting uses", || forget_uses(&app)),
        async {
            // A database that is not shared has no other server that could decide.
            if app.store().is_shared() {
                every(DECISIONS_EVERY, "looking for decisions", || {
                    device::poll::wake_decided(&app)
                })
                .await;
            }
        },
    );
}

/// Forgets the uses of tokens that are older than the settings say.
pub async fn forget_uses(app: &App) -> Result<(), Error> {
    audit::uses::purge(app).await
}

async fn every<F>(period: Duration, what: &str, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), Error>>,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(?error, "{what} failed and will be tried again");
        }
    }
}

/// Writes at once what is gathered in memory, seals what was committed, signs it if that is due
/// and ships it, as it is done for the last time when the server stops. Tells what could not be
/// done.
pub async fn settle(app: &App) -> Vec<Error> {
    let written = [
        uses::flush(app).await,
        audit::uses::flush(app).await,
        audit::refusals::flush(app).await,
        sealing::seal(app).await,
        audit::sign(app).await.map(drop),
        audit::ship(app).await,
    ];
    written.into_iter().filter_map(Result::err).collect()
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
            store::idempotency::delete_calls(conn, now - receipt::KEPT)?;
            Ok(())
        })
        .await
}
