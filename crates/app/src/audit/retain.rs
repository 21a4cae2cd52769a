//! Retention: prunes records that are older than configured, and erases personal data.
//!
//! A log is pruned up to a checkpoint, so that anyone who kept that checkpoint can verify its new
//! start. The server signs the pruning, which distinguishes it from tampering. After an erasure
//! the hashes of the log stay valid.

use super::keys::keys;
use super::{checkpoint, seal, ship, verify};
use crate::user::Named;
use crate::{App, Context, Error, Request};
use chrono::Duration;
use config::Lifetime;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::checkpoint::Checkpoint;
use domain::audit::erasure;
use domain::audit::origin::Origin;
use domain::audit::{Action, Actor};
use domain::id::UserId;
use serde_json::json;
use store::audit::Log;

/// Records deleted in one transaction; small, to keep other writes from waiting.
const PRUNED_AT_ONCE: i64 = 500;

/// Records erased in one transaction and named by one audit record.
const ERASED_AT_ONCE: usize = 500;

/// Prunes the log according to the settings. A log that contradicts its checkpoints is not
/// pruned, nor are records that are not shipped yet.
pub(crate) async fn prune(app: &App) -> Result<(), Error> {
    if let Lifetime::For(kept) = app.config().audit.keep_records
        && let Ok(kept) = Duration::from_std(kept)
        && let Some(before) = app.now().checked_sub_signed(kept)
        && let Some((log, last)) = find_last(app, before).await?
    {
        announce_pruning(app, log, last).await?;
    }
    let log = seal::find(app).await?;
    delete_pruned(app, &log).await
}

/// Returns the last checkpoint before a time, if the log may be pruned up to it.
async fn find_last(app: &App, before: Instant) -> Result<Option<(Log, Checkpoint)>, Error> {
    let log = seal::find(app).await?;
    let keys = keys(app).await?;
    let shipped = ship::shipped(app).await?;
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
        && verify::fits_until(app, &log, last.clone()).await?;
    if !is_sound {
        tracing::warn!("audit log not pruned: verification failed; run `doorcode audit verify`");
    }
    Ok(is_sound.then_some((log, last)))
}

/// Stores the new start of the log with its signed note, and records the pruning.
async fn announce_pruning(app: &App, log: Log, last: Checkpoint) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditPruned);
    let pruned = checkpoint::sign_start(app, &log, last.head);
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
async fn delete_pruned(app: &App, log: &Log) -> Result<(), Error> {
    if log.pruned.is_none() || checkpoint::start_discrepancy(log, &keys(app).await?).is_some() {
        return Ok(());
    }
    let through = log.start().sequence;
    loop {
        let found = app
            .store()
            .write(move |conn| {
                Ok::<_, Error>(store::audit::delete_pruned(conn, through, PRUNED_AT_ONCE)?)
            })
            .await?;
        if found == 0 {
            return Ok(());
        }
    }
}

/// Erases personal data from all records about a user: addresses, user agents, and names of
/// tokens and devices. Returns the number of records. Later actions of the user are recorded as
/// usual.
///
/// Fails with [`Error::NotFound`] if there is no such user, and with [`Error::Conflict`] if the
/// data is erased, but not removed from the files of the database.
pub async fn erase(req: &Request, named: Named) -> Result<usize, Error> {
    let count = erase_records(req, named).await?;
    match wipe(&req.app).await? {
        true => Ok(count),
        false => Err(Error::Conflict(
            "The records are erased, but the database is in use, so SQLite keeps what they were in \
             its log of writes: run this again.",
        )),
    }
}

/// The same, but the files of the database keep the data until [`wipe`].
pub(crate) async fn erase_records(req: &Request, named: Named) -> Result<usize, Error> {
    let app = &req.app;
    let user_id = app
        .store()
        .read(move |conn| Ok::<_, Error>(named.find(conn)?.id))
        .await?;
    seal::seal_present(app).await?;
    let log = seal::find(app).await?;
    let id = user_id.clone();
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::list_personal(conn, &id)?))
        .await?;
    let mut count = 0;
    for sequences in found.chunks(ERASED_AT_ONCE) {
        announce_erasure(req, &log.origin, &user_id, sequences).await?;
        let sequences = sequences.to_vec();
        count += app
            .store()
            .write(move |conn| Ok::<_, Error>(store::audit::erase(conn, &sequences)?))
            .await?;
    }
    Ok(count)
}

/// Removes erased data from the files of the database; `false` if the database is in use.
pub(crate) async fn wipe(app: &App) -> Result<bool, Error> {
    match app.store().wipe().await {
        Ok(()) => Ok(true),
        Err(store::Error::Busy) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Records the erasure before it happens, so that neither a concurrent check nor a check after an
/// interrupted erasure reports a discrepancy.
async fn announce_erasure(
    req: &Request,
    origin: &Origin,
    user_id: &UserId,
    sequences: &[u64],
) -> Result<(), Error> {
    let target = user_id.to_string();
    let detail = erasure::detail(origin, &target, sequences, req.app.signing_key());
    let announced = req.change(Action::AuditErased, move |tx| {
        let event = tx.event(Action::AuditErased);
        event.write(tx.conn, Some(target.as_str()), detail.clone())?;
        Ok(event.id)
    });
    let id = announced.await?;
    seal::seal_through(&req.app, id.as_str()).await
}
