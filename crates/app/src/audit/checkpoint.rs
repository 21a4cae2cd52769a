//! Checkpoints: what the end of the log was, signed and put where whoever can write the
//! database cannot reach.
//!
//! Before one is signed the log is held against the last one in the database, in the file that
//! they go to, and in the memory of this server (see [`super::local_state`]): a log that went back,
//! since its end was cut off or an old copy restored, contradicts it. Then nothing is signed until
//! the operator has looked (see [`super::recovery`]).

use super::local_state::LocalState;
use super::publish;
use super::retention;
use super::sink::{self, Form};
use super::verification::{self, Evidence};
use super::{sealing, shipping};
use crate::{App, Context, Error};
use chrono::Duration;
use config::Destination;
use domain::audit::checkpoint::{Checkpoint, SignedCheckpoint};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::{NoteFault, VerifierKey};
use domain::audit::record::Record;
use domain::audit::{Action, Actor};
use serde_json::json;
use std::path::PathBuf;
use store::Conn;
use store::audit::Log;

/// The log, what was signed of it, and by whom.
struct Signed {
    log: Log,
    /// What this server remembers of it.
    local_state: LocalState,
    /// The last checkpoint in the database, in the file that they go to, and in the memory of
    /// this server, each if there is one that a known key has signed.
    last: [Option<Checkpoint>; 3],
    /// What is wrong with one of them.
    discrepancy: Option<Discrepancy>,
    /// Whether the log has named the present key.
    is_key_recorded: bool,
}

impl Signed {
    fn of_file(&self) -> Option<&Checkpoint> {
        self.last[1].as_ref()
    }
}

/// Signs where the log ends, if that is due, and hands out what was signed. Tells what
/// contradicts the log instead, if something does.
pub(crate) async fn sign(app: &App) -> Result<Option<Discrepancy>, Error> {
    let mut signed = load(app).await?;
    if let Some(discrepancy) = contradiction(app, &signed).await? {
        return Ok(Some(discrepancy));
    }
    if !signed.is_key_recorded {
        introduce_key(app, &signed).await?;
        signed = load(app).await?;
    }
    if is_due(app, &signed) {
        let head = signed.log.head;
        let checkpoint = Checkpoint {
            origin: signed.log.origin.clone(),
            head,
            at: app.now(),
        };
        let note = SignedCheckpoint::sign(&checkpoint, app.signing_key()).to_string();
        // It is remembered first: what is once signed is never to be contradicted.
        let (present, last) = (present_key(app, &signed.log), note.clone());
        signed.local_state = LocalState::change(app, move |local_state| {
            local_state.keys = known_keys(local_state, &present);
            local_state.last = Some(last);
        })
        .await?;
        let kept = app
            .store()
            .write(move |conn| {
                let at = checkpoint.at;
                Ok::<_, Error>(store::audit::insert_checkpoint(
                    conn,
                    head.sequence,
                    at,
                    &note,
                )?)
            })
            .await;
        match kept {
            // Another server signed the same.
            Ok(()) | Err(Error::Store(store::Error::Duplicate)) => {}
            Err(error) => return Err(error),
        }
    }
    let of_file = signed.of_file().map(|signed| signed.head.sequence);
    publish::publish(app, &signed.log, &signed.local_state, of_file).await?;
    Ok(None)
}

/// What contradicts the log, as far as its last checkpoints tell.
pub async fn inspect(app: &App) -> Result<Option<Discrepancy>, Error> {
    let signed = load(app).await?;
    contradiction(app, &signed).await
}

async fn load(app: &App) -> Result<Signed, Error> {
    let log = sealing::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let present = present_key(app, &log);
    let keys = known_keys(&local_state, &present);
    let key = present.to_string();
    let (of_database, is_key_recorded) = app
        .store()
        .read(move |conn| {
            let note = store::audit::find_last_checkpoint(conn)?;
            let changes = store::audit::list_of_action(conn, Action::AuditKeyChanged.as_str())?;
            let named = |record: &Record| record.detail.get("key") == Some(&json!(key));
            Ok::<_, Error>((note, changes.iter().any(named)))
        })
        .await?;
    let of_file = match file(app) {
        Some(path) => sink::last(path, Form::Notes).await?,
        None => Vec::new(),
    };
    let mut discrepancy = retention::discrepancy(&log, &keys);
    let notes = [
        of_database.into_iter().collect(),
        of_file,
        local_state.last.iter().cloned().collect(),
    ];
    let last = notes.map(|notes| {
        last_of(&notes, &keys).unwrap_or_else(|wrong| {
            discrepancy.get_or_insert(wrong);
            None
        })
    });
    Ok(Signed {
        log,
        local_state,
        last,
        discrepancy,
        is_key_recorded,
    })
}

/// What a note says; nothing if no known key has signed it.
fn read(note: &str, keys: &[VerifierKey]) -> Result<Option<Checkpoint>, Discrepancy> {
    match SignedCheckpoint::parse(note).and_then(|note| note.verify(keys)) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(NoteFault::Unknown) => Ok(None),
        Err(fault) => {
            let says = format!("The last checkpoint does not count: {fault}.");
            Err(Discrepancy::new(0, Kind::Signature, says))
        }
    }
}

/// What the first of some notes says that a known key has signed. In a file there may be those of
/// servers with keys of their own.
pub(super) fn last_of(
    notes: &[String],
    keys: &[VerifierKey],
) -> Result<Option<Checkpoint>, Discrepancy> {
    let read = notes.iter().map(|note| read(note, keys));
    read.filter_map(Result::transpose).next().transpose()
}

pub(super) fn present_key(app: &App, log: &Log) -> VerifierKey {
    VerifierKey::of(&log.origin, app.signing_key())
}

/// The keys whose signatures count, the present one last. What the log says of keys does not
/// count: whoever has the database could name their own.
pub(super) fn known_keys(local_state: &LocalState, present: &VerifierKey) -> Vec<VerifierKey> {
    let earlier = local_state.keys.iter().filter(|key| *key != present);
    earlier.chain([present]).cloned().collect()
}

/// The log says which key signs from now on, before it does.
async fn introduce_key(app: &App, signed: &Signed) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditKeyChanged);
    let key = present_key(app, &signed.log).to_string();
    app.store()
        .write(move |conn| event.write(conn, None, json!({"key": key})))
        .await?;
    sealing::seal(app).await
}

fn is_due(app: &App, signed: &Signed) -> bool {
    let audit = &app.config().audit;
    let head = signed.log.head;
    let last = signed.last.iter().flatten();
    let Some(last) = last.max_by_key(|last| last.head.sequence) else {
        return head.sequence > 0;
    };
    let new = head.sequence.saturating_sub(last.head.sequence);
    let every = Duration::from_std(audit.checkpoint_every).unwrap_or(Duration::MAX);
    // A clock that was set back puts nothing off.
    let since = (app.now() - last.at).abs();
    new >= audit.checkpoint_records || (new > 0 && since >= every)
}

async fn contradiction(app: &App, signed: &Signed) -> Result<Option<Discrepancy>, Error> {
    if signed.discrepancy.is_some() {
        return Ok(signed.discrepancy.clone());
    }
    let Some(discrepancy) = first_contradiction(app, signed).await? else {
        return Ok(None);
    };
    // Records that were taken out meanwhile are missed here, and nowhere else.
    let is_same = sealing::find(app).await?.pruned == signed.log.pruned;
    Ok(is_same.then_some(discrepancy))
}

async fn first_contradiction(app: &App, signed: &Signed) -> Result<Option<Discrepancy>, Error> {
    for checkpoint in signed.last.iter().flatten() {
        if let Some(discrepancy) = compare(app, &signed.log, checkpoint).await? {
            return Ok(Some(discrepancy));
        }
    }
    shipping::contradiction(app, &signed.log).await
}

/// What a checkpoint finds wrong with the log.
async fn compare(
    app: &App,
    log: &Log,
    checkpoint: &Checkpoint,
) -> Result<Option<Discrepancy>, Error> {
    let sequence = checkpoint.head.sequence;
    let of = format!(
        "The checkpoint of {}",
        checkpoint.at.format("%Y-%m-%d %H:%M UTC")
    );
    if checkpoint.origin != log.origin {
        let says = format!("{of} is of another log, {}.", checkpoint.origin);
        return Ok(Some(Discrepancy::new(0, Kind::Forked, says)));
    }
    if sequence > log.head.sequence {
        let last = log.head.sequence;
        let says = format!("{of} knows {sequence} records, and the log has {last}.");
        return Ok(Some(Discrepancy::new(last + 1, Kind::Cut, says)));
    }
    if sequence < log.start().sequence {
        // It is of records that were taken out since.
        return Ok(None);
    }
    let hash = sealing::find_hash(app, log, sequence).await?;
    if hash == Some(checkpoint.head.hash) {
        return Ok(None);
    }
    let says = format!("{of} names another record {sequence} than the log.");
    Ok(Some(Discrepancy::new(sequence, Kind::Forked, says)))
}

/// The last checkpoint that agrees with the log, of all that are at hand.
pub(super) async fn last_agreeing(app: &App, log: &Log) -> Result<Option<Checkpoint>, Error> {
    let known = verification::known(app, Evidence::default()).await?;
    let mut signed: Vec<_> = known.checkpoints.into_iter().flatten().collect();
    signed.sort_by_key(|checkpoint| checkpoint.head.sequence);
    for checkpoint in signed.into_iter().rev() {
        if compare(app, log, &checkpoint).await?.is_none() {
            return Ok(Some(checkpoint));
        }
    }
    Ok(None)
}

/// Forgets the checkpoints in the database that contradict the log. What unknown keys have
/// signed counts for nothing, and stays.
pub(super) fn forget_contradicting(
    conn: &mut Conn,
    log: &Log,
    keys: &[VerifierKey],
) -> Result<(), Error> {
    for (sequence, note) in store::audit::list_checkpoints(conn, 0, i64::MAX)? {
        if sequence < log.start().sequence {
            continue;
        }
        let hash = store::audit::find_hash(conn, log, sequence)?;
        let agrees =
            |signed: &Checkpoint| signed.origin == log.origin && Some(signed.head.hash) == hash;
        let is_kept = read(&note, keys).is_ok_and(|signed| signed.as_ref().is_none_or(agrees));
        if !is_kept {
            store::audit::delete_checkpoint(conn, sequence)?;
        }
    }
    Ok(())
}

/// Forgets the checkpoint that this server remembers, as the operator goes on without it.
pub(super) async fn forget_remembered(app: &App) -> Result<(), Error> {
    LocalState::change(app, |local_state| local_state.last = None).await?;
    Ok(())
}

/// Remembers an earlier key.
pub(super) async fn remember(app: &App, key: VerifierKey) -> Result<(), Error> {
    LocalState::change(app, |local_state| {
        if !local_state.keys.contains(&key) {
            local_state.keys.insert(0, key);
        }
    })
    .await?;
    Ok(())
}

/// The keys whose signatures of checkpoints count, the present one last.
pub async fn keys(app: &App) -> Result<Vec<VerifierKey>, Error> {
    Ok(remembered(app).await?.0)
}

/// These, and the note of the last checkpoint that this server signed.
pub(super) async fn remembered(app: &App) -> Result<(Vec<VerifierKey>, Option<String>), Error> {
    let log = sealing::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let keys = known_keys(&local_state, &present_key(app, &log));
    Ok((keys, local_state.last))
}

/// The file that checkpoints go to.
pub(super) fn file(app: &App) -> Option<PathBuf> {
    match &app.config().audit.checkpoint_to {
        Some(Destination::File(path)) => Some(path.clone()),
        _ => None,
    }
}
