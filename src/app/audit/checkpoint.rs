//! Checkpoints: what the end of the log was, signed and put where whoever can write the
//! database cannot reach.
//!
//! Before one is signed the log is held against the last one, in the database and in the file:
//! a log that went back, since its end was cut off or an old copy restored, contradicts it.
//! Then nothing is signed until the operator has looked (see [`super::recovery`]).

use super::outlet::{self, Form};
use super::{sealing, verification};
use crate::app::{App, Context, Error};
use crate::config::Destination;
use crate::domain::Instant;
use crate::domain::audit::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::domain::audit::doubt::{Doubt, Kind};
use crate::domain::audit::note::VerifierKey;
use crate::domain::audit::record::Record;
use crate::domain::audit::{Action, Actor};
use crate::store::audit::Log;
use crate::store::{self, Conn};
use chrono::Duration;
use serde_json::json;
use std::path::PathBuf;

/// Checkpoints that are handed out at once.
const BATCH: i64 = 200;

/// The name under which it is remembered how far an address has got the checkpoints.
const PLACE: &str = "checkpoints";

/// The log, what was signed of it, and by whom.
struct Signed {
    log: Log,
    /// The last checkpoint in the database, or why it is none.
    last: Result<Option<Checkpoint>, Doubt>,
    /// The same in the file that checkpoints go to, if they go to one.
    kept: Result<Option<Checkpoint>, Doubt>,
    /// Whether the log knows the present key.
    is_key_known: bool,
}

/// Signs where the log ends, if that is due, and hands out what was signed. Tells what
/// contradicts the log instead, if something does.
pub(in crate::app) async fn sign(app: &App) -> Result<Option<Doubt>, Error> {
    let signed = load(app).await?;
    if let Some(doubt) = contradiction(app, &signed).await? {
        return Ok(Some(doubt));
    }
    if !signed.is_key_known {
        introduce_key(app, &signed).await?;
    } else if is_due(app, &signed) {
        let head = signed.log.head;
        let checkpoint = Checkpoint {
            origin: signed.log.origin.clone(),
            head,
            at: app.now(),
        };
        let note = SignedCheckpoint::sign(&checkpoint, app.signing_key()).to_string();
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
    hand_out(app, &signed).await?;
    Ok(None)
}

/// What contradicts the log, as far as its last checkpoints tell.
pub async fn inspect(app: &App) -> Result<Option<Doubt>, Error> {
    let signed = load(app).await?;
    contradiction(app, &signed).await
}

async fn load(app: &App) -> Result<Signed, Error> {
    let log = sealing::begin(app).await?;
    let present = VerifierKey::of(&log.origin, app.signing_key());
    let kept = match file(app) {
        Some(path) => outlet::last(path.clone(), Form::Notes)
            .await?
            .map(|note| (path, note)),
        None => None,
    };
    app.store()
        .read(move |conn| {
            let (keys, is_key_known) = list_keys(conn, &present)?;
            let note = store::audit::find_last_checkpoint(conn)?;
            let kept = kept.as_ref().map(|(path, note)| {
                read(note, &keys).map_err(|doubt| {
                    let says = format!("{}: {}", path.display(), doubt.says);
                    Doubt { says, ..doubt }
                })
            });
            Ok(Signed {
                log: log.clone(),
                last: note.map(|note| read(&note, &keys)).transpose(),
                kept: kept.transpose(),
                is_key_known,
            })
        })
        .await
}

fn read(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, Doubt> {
    SignedCheckpoint::parse(note)
        .and_then(|signed| signed.verify(keys))
        .map_err(|fault| {
            let says = format!("The last checkpoint does not count: {fault}.");
            Doubt::new(0, Kind::Signature, says)
        })
}

/// The keys that sign and have signed, as the log tells, the present one last; and whether the
/// log knows that it is the present one.
fn list_keys(conn: &mut Conn, present: &VerifierKey) -> Result<(Vec<VerifierKey>, bool), Error> {
    let changes = store::audit::list_of_action(conn, Action::AuditKeyChanged.as_str())?;
    let key = |record: &Record| VerifierKey::parse(record.detail.get("key")?.as_str()?);
    let mut keys: Vec<_> = changes.iter().filter_map(key).collect();
    let is_key_known = keys.last() == Some(present);
    keys.retain(|key| key != present);
    keys.push(present.clone());
    Ok((keys, is_key_known))
}

/// The log says which key signs from now on, before it does.
async fn introduce_key(app: &App, signed: &Signed) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditKeyChanged);
    let key = VerifierKey::of(&signed.log.origin, app.signing_key()).to_string();
    app.store()
        .write(move |conn| event.write(conn, None, json!({"key": key})))
        .await?;
    sealing::seal(app).await
}

fn is_due(app: &App, signed: &Signed) -> bool {
    let audit = &app.config().audit;
    let head = signed.log.head;
    let Ok(Some(last)) = &signed.last else {
        return head.sequence > 0;
    };
    let new = head.sequence.saturating_sub(last.head.sequence);
    let every = Duration::from_std(audit.checkpoint_every).unwrap_or(Duration::MAX);
    new >= audit.checkpoint_records || (new > 0 && app.now() - last.at >= every)
}

async fn contradiction(app: &App, signed: &Signed) -> Result<Option<Doubt>, Error> {
    let (kept, last) = match (&signed.kept, &signed.last) {
        (Ok(kept), Ok(last)) => (kept, last),
        (Err(doubt), _) | (_, Err(doubt)) => return Ok(Some(doubt.clone())),
    };
    for checkpoint in last.iter().chain(kept) {
        if let Some(doubt) = compare(app, &signed.log, checkpoint).await? {
            return Ok(Some(doubt));
        }
    }
    Ok(None)
}

/// What a checkpoint finds wrong with the log.
async fn compare(app: &App, log: &Log, checkpoint: &Checkpoint) -> Result<Option<Doubt>, Error> {
    let sequence = checkpoint.head.sequence;
    let of = format!(
        "The checkpoint of {}",
        checkpoint.at.format("%Y-%m-%d %H:%M UTC")
    );
    if checkpoint.origin != log.origin {
        let says = format!("{of} is of another log, {}.", checkpoint.origin);
        return Ok(Some(Doubt::new(0, Kind::Forked, says)));
    }
    if sequence > log.head.sequence {
        let last = log.head.sequence;
        let says = format!("{of} knows {sequence} records, and the log has {last}.");
        return Ok(Some(Doubt::new(last + 1, Kind::Cut, says)));
    }
    let hash = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_hash(conn, sequence)?))
        .await?;
    if hash == Some(checkpoint.head.hash) {
        return Ok(None);
    }
    let says = format!("{of} names another record {sequence} than the log.");
    Ok(Some(Doubt::new(sequence, Kind::Forked, says)))
}

/// When the last checkpoint was signed, in the database or the file, that agrees with the log.
pub(super) async fn last_agreeing(app: &App, log: &Log) -> Result<Option<Instant>, Error> {
    let mut all = verification::checkpoints(app, None).await?;
    while let Some(checkpoint) = all.pop() {
        if let Ok(checkpoint) = checkpoint
            && compare(app, log, &checkpoint).await?.is_none()
        {
            return Ok(Some(checkpoint.at));
        }
    }
    Ok(None)
}

/// Forgets the checkpoints in the database that contradict the log.
pub(super) fn forget_contradicting(
    conn: &mut Conn,
    log: &Log,
    keys: &[VerifierKey],
) -> Result<(), Error> {
    for (sequence, note) in store::audit::list_checkpoints(conn, 0, i64::MAX)? {
        let signed = read(&note, keys)
            .ok()
            .filter(|signed| signed.origin == log.origin);
        let hash = store::audit::find_hash(conn, sequence)?;
        if signed.is_none() || signed.map(|signed| signed.head.hash) != hash {
            store::audit::delete_checkpoint(conn, sequence)?;
        }
    }
    Ok(())
}

/// The keys that sign and have signed checkpoints, the present one last.
pub async fn keys(app: &App) -> Result<Vec<VerifierKey>, Error> {
    let log = sealing::begin(app).await?;
    let present = VerifierKey::of(&log.origin, app.signing_key());
    app.store()
        .read(move |conn| list_keys(conn, &present).map(|(keys, _)| keys))
        .await
}

/// The file that checkpoints go to.
pub(super) fn file(app: &App) -> Option<PathBuf> {
    match &app.config().audit.checkpoint_to {
        Some(Destination::File(path)) => Some(path.clone()),
        _ => None,
    }
}

/// Hands out the checkpoints that are not yet where they go to.
async fn hand_out(app: &App, signed: &Signed) -> Result<(), Error> {
    let Some(to) = app.config().audit.checkpoint_to.clone() else {
        return Ok(());
    };
    let mut after = match &to {
        Destination::File(_) => match &signed.kept {
            Ok(Some(checkpoint)) => checkpoint.head.sequence,
            _ => 0,
        },
        Destination::Url(_) => outlet::shipped(app, PLACE).await?,
    };
    loop {
        let notes = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, after, BATCH)?))
            .await?;
        let Some((last, _)) = notes.last() else {
            return Ok(());
        };
        after = *last;
        let text: String = notes.iter().map(|(_, note)| format!("{note}\n")).collect();
        outlet::deliver(app, &to, Form::Notes, text).await?;
        if matches!(to, Destination::Url(_)) {
            outlet::mark_shipped(app, PLACE, after).await?;
        }
    }
}
