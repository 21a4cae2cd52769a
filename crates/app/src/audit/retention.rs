//! Pruning of records that are older than the configured retention.
//!
//! A log is pruned up to a checkpoint, so that anyone who kept that checkpoint can verify its new
//! start. The server signs the pruning, which distinguishes it from tampering.

use super::{checkpoint, keys, pruned, sealing, shipping, verification};
use crate::{App, Context, Error};
use chrono::Duration;
use config::Lifetime;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::checkpoint::Checkpoint;
use domain::audit::{Action, Actor};
use serde_json::json;
use store::audit::Log;

/// Records deleted in one transaction; small, to keep other writes from waiting.
const BATCH: i64 = 500;

/// Prunes the log according to the settings. A log that contradicts its checkpoints is not
/// pruned, nor are records that are not shipped yet.
pub(crate) async fn prune(app: &App) -> Result<(), Error> {
    if let Lifetime::For(kept) = app.config().audit.keep_records
        && let Ok(kept) = Duration::from_std(kept)
        && let Some(before) = app.now().checked_sub_signed(kept)
        && let Some((log, last)) = find_last(app, before).await?
    {
        announce(app, log, last).await?;
    }
    let log = sealing::find(app).await?;
    delete(app, &log).await
}

/// Returns the last checkpoint before a time, if the log may be pruned up to it.
async fn find_last(app: &App, before: Instant) -> Result<Option<(Log, Checkpoint)>, Error> {
    let log = sealing::find(app).await?;
    let keys = keys::keys(app).await?;
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
        .filter_map(|note| Checkpoint::verify(&note, &keys).ok());
    let mut of_log = checkpoints.filter(|signed| {
        signed.origin == log.origin && signed.head.sequence <= shipped && signed.at < before
    });
    let last = of_log.next();
    let Some(last) = last else {
        return Ok(None);
    };
    // Records that fail verification are evidence.
    let is_sound = checkpoint::inspect(app).await?.is_none()
        && verification::fits_until(app, &log, last.clone()).await?;
    if !is_sound {
        tracing::warn!("audit log not pruned: verification failed; run `doorcode audit verify`");
    }
    Ok(is_sound.then_some((log, last)))
}

/// Stores the new start of the log with its signed note, and records the pruning.
async fn announce(app: &App, log: Log, last: Checkpoint) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditPruned);
    let pruned = pruned::sign(app, &log, last.head);
    tracing::info!(
        through = last.head.sequence,
        "pruning old records of the audit log"
    );
    let detail = json!({
        "through": last.head.sequence,
        "hash": last.head.hash.to_string(),
        "before": moment::write(last.at),
    });
    app.store()
        .write(move |conn| {
            // Another server may have pruned the log meanwhile.
            if store::audit::replace_pruned(conn, log.pruned.as_ref(), &pruned)? {
                event.write(conn, None, detail.clone())?;
            }
            Ok(())
        })
        .await
}

/// Deletes the pruned records, including those left by an interrupted deletion. Deletes nothing
/// unless a known key signed the pruning.
async fn delete(app: &App, log: &Log) -> Result<(), Error> {
    if log.pruned.is_none() || pruned::discrepancy(log, &keys::keys(app).await?).is_some() {
        return Ok(());
    }
    let through = log.start().sequence;
    loop {
        let found = app
            .store()
            .write(move |conn| Ok::<_, Error>(store::audit::delete_pruned(conn, through, BATCH)?))
            .await?;
        if found == 0 {
            return Ok(());
        }
    }
}
