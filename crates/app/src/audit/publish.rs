//! Publishes checkpoints to a file or an address out of reach of anyone who can write the
//! database.
//!
//! It also measures the lag of sealing, signing, publishing and shipping, which is exported for
//! monitoring, since a step that hangs reports no error.

use super::keys::{LocalState, known_keys, last_of, present_key};
use super::ship::sink::{self, Form};
use super::{seal, ship};
use crate::{App, Error};
use chrono::Duration;
use config::Destination;
use domain::Instant;
use domain::audit::checkpoint::Checkpoint;
use std::path::PathBuf;
use store::audit::{Log, Shipped};

/// Kind of the sink that receives checkpoints at an address.
const CHECKPOINTS: &str = "checkpoints";

/// How much later than expected a step may be.
const TOLERATED: Duration = Duration::seconds(10);

/// Checkpoints published in one batch.
const BATCH: i64 = 200;

/// The file that checkpoints are published to, if the destination is a file.
pub(super) fn file(app: &App) -> Option<PathBuf> {
    match &app.config().audit.checkpoint_to {
        Some(Destination::File(path)) => Some(path.clone()),
        _ => None,
    }
}

/// Publishes the checkpoints that the destination lacks. It skips checkpoints of unknown keys,
/// which an attacker could have added to the database, and includes the last one of the local
/// state, which an attacker could have replaced in the database. `of_file` is the last sequence
/// number in a file destination.
pub(super) async fn publish(
    app: &App,
    log: &Log,
    local_state: &LocalState,
    of_file: Option<u64>,
) -> Result<(), Error> {
    let Some(to) = app.config().audit.checkpoint_to.clone() else {
        return Ok(());
    };
    let sink_name = sink_name(app, log, &to);
    let mut after = match &to {
        Destination::File(_) => of_file.unwrap_or(0),
        Destination::Url(_) => sink::shipped(app, &sink_name).await?.sequence,
    };
    let keys = known_keys(local_state, &present_key(app, log));
    let sequence_of = |note: &str| {
        let read = Checkpoint::verify(note, &keys);
        read.ok().map(|signed| signed.head.sequence)
    };
    let deliver = async |notes: Vec<String>, last: u64| {
        let text: String = notes.iter().map(|note| format!("{note}\n")).collect();
        sink::deliver(app, &to, Form::Notes, text).await?;
        match to {
            Destination::Url(_) => {
                let shipped = Shipped {
                    sequence: last,
                    hash: None,
                };
                sink::mark_shipped(app, &sink_name, shipped).await
            }
            Destination::File(_) => Ok(()),
        }
    };
    let mut looked = after;
    loop {
        let notes = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, looked, BATCH)?))
            .await?;
        let Some((last, _)) = notes.last() else {
            break;
        };
        looked = *last;
        // SQLite reads do not await; yield to other tasks on this thread.
        tokio::task::yield_now().await;
        let counting = |(sequence, note): &(u64, String)| sequence_of(note) == Some(*sequence);
        let (sequences, notes): (Vec<_>, Vec<_>) = notes.into_iter().filter(counting).unzip();
        if let Some(last) = sequences.last() {
            after = *last;
            deliver(notes, after).await?;
        }
    }
    if let Some(note) = local_state.last.clone()
        && let Some(sequence) = sequence_of(&note).filter(|sequence| *sequence > after)
    {
        deliver(vec![note], sequence).await?;
    }
    Ok(())
}

/// Name of the sink for checkpoints of the current key. Servers with their own keys each publish
/// their own checkpoints.
fn sink_name(app: &App, log: &Log, to: &Destination) -> String {
    sink::sink_name(CHECKPOINTS, &format!("{to} {}", present_key(app, log)))
}

/// Step in the processing of a record, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The record is added to the chain.
    Seal,
    /// A checkpoint covers the record.
    Sign,
    /// That checkpoint is published.
    Publish,
    /// The record is shipped to the sink.
    Ship,
}

impl Step {
    /// Name of the step.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::Publish => "publish",
            Self::Ship => "ship",
        }
    }
}

/// Lag of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Number of waiting records.
    pub records: u64,
    /// Age of the oldest waiting record.
    pub age: Duration,
}

/// Returns the lag of each configured step.
pub async fn lags(app: &App) -> Result<Vec<(Step, Lag)>, Error> {
    let audit = &app.config().audit;
    let log = seal::begin(app).await?;
    let sealed = log.head.sequence;
    let (signed, in_file) = reach(app).await?;
    let mut all = vec![
        (Step::Seal, sealing_lag(app).await?),
        (Step::Sign, lag_between(app, signed, sealed).await?),
    ];
    if let Some(to) = &audit.checkpoint_to {
        let handed_out = match to {
            Destination::File(_) => in_file,
            Destination::Url(_) => {
                let sink_name = sink_name(app, &log, to);
                sink::shipped(app, &sink_name).await?.sequence
            }
        };
        all.push((Step::Publish, lag_between(app, handed_out, signed).await?));
    }
    if let Some(to) = &audit.ship_to {
        let shipped = sink::shipped(app, &ship::sink_name(to)).await?;
        all.push((
            Step::Ship,
            lag_between(app, shipped.sequence, sealed).await?,
        ));
    }
    Ok(all)
}

/// Sequence numbers up to which known keys signed the log, in the database and in the checkpoint
/// file.
async fn reach(app: &App) -> Result<(u64, u64), Error> {
    let log = seal::begin(app).await?;
    // An unreadable state counts as missing, which shows as lag.
    let local_state = LocalState::load(app).await.unwrap_or_default();
    let keys = known_keys(&local_state, &present_key(app, &log));
    let of_file = match file(app) {
        Some(path) => sink::last(path, Form::Notes).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let mut before = u64::MAX;
    let of_database = loop {
        let notes = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_checkpoints_back(conn, before)?))
            .await?;
        let Some((first, _)) = notes.last() else {
            break None;
        };
        before = *first;
        let notes: Vec<_> = notes.into_iter().map(|(_, note)| note).collect();
        if let Ok(Some(last)) = last_of(&notes, &keys) {
            break Some(last);
        }
        tokio::task::yield_now().await;
    };
    let sequence = |last: Option<Checkpoint>| last.map_or(0, |last| last.head.sequence);
    let of_file = last_of(&of_file, &keys).unwrap_or(None);
    Ok((sequence(of_database), sequence(of_file)))
}

/// Returns the lag of sealing.
pub async fn sealing_lag(app: &App) -> Result<Lag, Error> {
    let (records, oldest) = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::count_unsealed(conn)?))
        .await?;
    Ok(Lag::since(app, records, oldest))
}

/// Lag of a step that has processed records up to `is_at` and could have reached `could_be`.
async fn lag_between(app: &App, is_at: u64, could_be: u64) -> Result<Lag, Error> {
    let records = could_be.saturating_sub(is_at);
    if records == 0 {
        return Ok(Lag::since(app, 0, None));
    }
    let oldest = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_moment_behind(conn, is_at)?))
        .await?;
    Ok(Lag::since(app, records, oldest))
}

/// Whether a step is later than its settings explain.
pub fn is_late(app: &App, step: Step, lag: Lag) -> bool {
    let expected = match step {
        Step::Seal | Step::Ship => Duration::zero(),
        Step::Sign | Step::Publish => {
            let every = app.config().audit.checkpoint_every;
            Duration::from_std(every).unwrap_or(Duration::MAX)
        }
    };
    lag.age
        .checked_sub(&expected)
        .is_some_and(|late| late > TOLERATED)
}

impl Lag {
    fn since(app: &App, records: u64, oldest: Option<Instant>) -> Self {
        let now = app.now();
        // Server clocks differ slightly.
        let age = oldest.map_or(Duration::zero(), |oldest| now - oldest);
        Self {
            records,
            age: age.max(Duration::zero()),
        }
    }
}
