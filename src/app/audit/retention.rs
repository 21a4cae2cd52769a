//! Taking records out of the log that are older than the settings say.
//!
//! A log is pruned up to a checkpoint, so that whoever kept that checkpoint can tell where the log
//! begins now, and the server signs that it did so: else nobody could tell it from records that
//! were taken away.

use super::checkpoint;
use super::{sealing, shipping};
use crate::app::{App, Context, Error};
use crate::config::Lifetime;
use crate::domain::Instant;
use crate::domain::audit::canonical::moment;
use crate::domain::audit::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::domain::audit::pruning;
use crate::domain::audit::{Action, Actor};
use crate::store;
use crate::store::audit::{Log, Pruned};
use chrono::Duration;
use serde_json::json;

/// Records that are deleted in one transaction, so that other writes do not wait long.
const BATCH: i64 = 500;

/// Prunes the log as the settings say. A log that contradicts its checkpoints stays as it is, and
/// so does what was not shipped yet.
pub(in crate::app) async fn prune(app: &App) -> Result<(), Error> {
    if let Lifetime::For(kept) = app.config().audit.keep_records
        && let Ok(kept) = Duration::from_std(kept)
        && let Some(before) = app.now().checked_sub_signed(kept)
        && let Some((log, last)) = find_last(app, before).await?
    {
        announce(app, log, last).await?;
    }
    delete(app).await
}

/// The last checkpoint before a moment, if the log may be pruned up to it.
async fn find_last(app: &App, before: Instant) -> Result<Option<(Log, Checkpoint)>, Error> {
    let log = sealing::find(app).await?;
    let keys = super::keys(app).await?;
    let shipped = shipping::shipped(app).await?;
    let after = log.start().sequence;
    let notes = app
        .store()
        .read(move |conn| {
            Ok::<_, Error>(store::audit::list_checkpoints_before(conn, after, before)?)
        })
        .await?;
    let checkpoints = notes
        .into_iter()
        .filter_map(|note| SignedCheckpoint::parse(&note).ok()?.verify(&keys).ok());
    let mut of_log = checkpoints.filter(|signed| {
        signed.origin == log.origin && signed.head.sequence <= shipped && signed.at < before
    });
    let last = of_log.next();
    let Some(last) = last else {
        return Ok(None);
    };
    match checkpoint::inspect(app).await? {
        Some(_) => Ok(None),
        None => Ok(Some((log, last))),
    }
}

/// The log says that it begins later from now on, and so does a note that is signed.
async fn announce(app: &App, log: Log, last: Checkpoint) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditPruned);
    let signed = Checkpoint {
        at: app.now(),
        ..last.clone()
    };
    let pruned = Pruned {
        head: last.head,
        note: pruning::sign(&signed, app.signing_key()),
    };
    let detail = json!({
        "through": last.head.sequence,
        "hash": last.head.hash.to_string(),
        "before": moment::write(last.at),
    });
    app.store()
        .write(move |conn| {
            let present = store::audit::find_head(conn)?;
            let sequence = last.head.sequence;
            let is_there = store::audit::find_hash(conn, &log, sequence)? == Some(last.head.hash);
            // Another server may have pruned it meanwhile.
            if present.is_some_and(|present| present.pruned == log.pruned) && is_there {
                store::audit::replace_pruned(conn, &pruned)?;
                event.write(conn, None, detail.clone())?;
            }
            Ok(())
        })
        .await
}

/// Deletes what the log was pruned of, also where that was broken off before.
async fn delete(app: &App) -> Result<(), Error> {
    let Some(pruned) = sealing::find(app).await?.pruned else {
        return Ok(());
    };
    let through = pruned.head.sequence;
    loop {
        let deleted = app
            .store()
            .write(move |conn| Ok::<_, Error>(store::audit::delete_pruned(conn, through, BATCH)?))
            .await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}
