//! Sealing: adds committed records to the hash chain, and detects clock steps.
//!
//! One server at a time seals, under a database lock that ends with its transaction; the others
//! skip the step. If that server crashes another one continues, and two records never get the
//! same sequence number.
//!
//! A clock that was set back shows in the order of records; a forward jump does not, so that
//! [`Watch`] looks for it.

use super::record::Event;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::chain::Head;
use domain::audit::hash::Hash;
use domain::audit::origin::Origin;
use domain::audit::{Action, Actor};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::Conn;
use store::audit::Log;

/// Records sealed in one transaction; small, to keep other writes from waiting.
const BATCH: i64 = 200;

/// How much earlier a record may be than the one before it: server clocks differ slightly, and
/// writes may wait. A larger step means that a clock was set back, and is recorded.
const CLOCK_STEP: Duration = Duration::seconds(30);

/// Returns the log of this deployment, and creates it if there is none.
pub(crate) async fn begin(app: &App) -> Result<Log, Error> {
    let begun = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::find_head(conn)?))
        .await?;
    if let Some(log) = begun {
        return Ok(log);
    }
    let name = format!("doorcode-{}", hex::encode(app.random::<16>()));
    let origin = Origin::parse(&name)
        .ok_or_else(|| store::Error::Other("the log has no proper name".to_owned()))?;
    let new = Log {
        head: Head::genesis(&origin),
        origin,
        pruned: None,
    };
    let begun = app
        .store()
        .write(move |conn| match store::audit::find_head(conn)? {
            Some(log) => Ok::<_, Error>(log),
            None => {
                store::audit::insert_head(conn, &new)?;
                Ok(new.clone())
            }
        })
        .await;
    match begun {
        // Another server created it at the same moment.
        Err(Error::Store(store::Error::Duplicate)) => find(app).await,
        begun => begun,
    }
}

/// Returns the log with its head.
pub(crate) async fn find(app: &App) -> Result<Log, Error> {
    let log = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::find_head(conn)?))
        .await?;
    Ok(log.ok_or(store::Error::Other(
        "the audit log has not begun".to_owned(),
    ))?)
}

/// Returns the hash of the record with a sequence number, or of the head from which a pruned log
/// starts.
pub(super) async fn find_hash(app: &App, log: &Log, sequence: u64) -> Result<Option<Hash>, Error> {
    let log = log.clone();
    app.store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_hash(conn, &log, sequence)?))
        .await
}

/// Seals all committed records, unless another server is sealing.
pub(crate) async fn seal(app: &App) -> Result<(), Error> {
    loop {
        let (log, waits) = app
            .store()
            .read(|conn| {
                let log = store::audit::find_head(conn)?;
                Ok::<_, Error>((log, store::audit::is_any_unsealed(conn)?))
            })
            .await?;
        if log.is_none() {
            begin(app).await?;
        }
        if !waits {
            return Ok(());
        }
        let stepped = app.event(&Context::local(), Actor::System, Action::ClockSteppedBack);
        let is_all = app
            .store()
            .write(move |conn| match store::audit::lock_head(conn)? {
                Some(log) => seal_batch(conn, &log, &stepped),
                None => Ok(true),
            })
            .await?;
        if is_all {
            return Ok(());
        }
    }
}

/// Interval and number of checks for a seal by another server.
const WAIT: std::time::Duration = std::time::Duration::from_millis(20);
const LOOKS: usize = 1_500;

/// Seals all records committed so far, or waits until another server has.
pub(super) async fn seal_present(app: &App) -> Result<(), Error> {
    begin(app).await?;
    let last = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::find_last_unsealed(conn)?))
        .await?;
    match last {
        Some(id) => seal_through(app, &id).await,
        None => Ok(()),
    }
}

/// Seals until a record has a sequence number, from any server. Fails after half a minute.
pub(super) async fn seal_through(app: &App, id: &str) -> Result<(), Error> {
    for _ in 0..LOOKS {
        seal(app).await?;
        let id = id.to_owned();
        let found = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::find_record(conn, &id)?))
            .await?;
        if found.is_some() {
            return Ok(());
        }
        tokio::time::sleep(WAIT).await;
    }
    Err(store::Error::Other("a record is not sealed, though it was committed".to_owned()).into())
}

/// Seals the oldest waiting records. Returns whether none is left.
fn seal_batch(conn: &mut Conn, log: &Log, stepped: &Event) -> Result<bool, Error> {
    let events = store::audit::list_unsealed(conn, BATCH)?;
    let is_all = events.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
    let (mut head, mut lines) = (log.head, Vec::with_capacity(events.len()));
    let mut last = store::audit::find_last_moment(conn)?;
    let mut seal = |record| {
        let line = head.seal(record);
        head = line.head();
        lines.push(line);
    };
    for event in events {
        if let Some(before) = last.filter(|before| *before - event.at > CLOCK_STEP) {
            let [from, to] = [before, event.at].map(moment::write);
            seal(stepped.record(None, None, json!({"from": from, "to": to}))?);
            // The rest of this batch follows the same step.
            last = None;
        } else {
            last = last.map(|_| event.at);
        }
        seal(event);
    }
    store::audit::append(conn, &lines)?;
    Ok(is_all)
}

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
