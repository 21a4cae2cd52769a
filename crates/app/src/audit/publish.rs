//! Publishes checkpoints to a file or an address out of reach of anyone who can write the
//! database.

use super::evidence::{file, last_of};
use super::keys::{known_keys, present_key};
use super::local_state::LocalState;
use super::sealing;
use super::sink::{self, Form};
use crate::{App, Error};
use config::Destination;
use domain::audit::checkpoint::Checkpoint;
use store::audit::{Log, Shipped};

/// Kind of the sink that receives checkpoints at an address.
const CHECKPOINTS: &str = "checkpoints";

/// Checkpoints published in one batch.
const BATCH: i64 = 200;

/// Name of the sink for checkpoints of the current key. Servers with their own keys each publish
/// their own checkpoints.
pub(super) fn sink_name(app: &App, log: &Log, to: &Destination) -> String {
    sink::sink_name(CHECKPOINTS, &format!("{to} {}", present_key(app, log)))
}

/// Sequence numbers up to which known keys signed the log, in the database and in the checkpoint
/// file.
pub(super) async fn reach(app: &App) -> Result<(u64, u64), Error> {
    let log = sealing::begin(app).await?;
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
