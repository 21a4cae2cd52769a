//! Taking records out of the log that are older than the settings say.
//!
//! A log is pruned up to a checkpoint, so that whoever kept that checkpoint can tell where the log
//! begins now, and the server signs that it did so: else nobody could tell it from records that
//! were taken away.

use super::checkpoint;
use super::{sealing, shipping, verification};
use crate::{App, Context, Error};
use chrono::Duration;
use config::Lifetime;
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::chain::Head;
use domain::audit::checkpoint::{Checkpoint, SignedCheckpoint};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::VerifierKey;
use domain::audit::pruning;
use domain::audit::{Action, Actor};
use serde_json::json;
use store::audit::{Log, Pruned};

/// Records that are deleted in one transaction, so that other writes do not wait long.
const BATCH: i64 = 500;

/// Prunes the log as the settings say. A log that contradicts its checkpoints stays as it is, and
/// so does what was not shipped yet.
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
    // Records that do not fit are evidence.
    let is_sound = checkpoint::inspect(app).await?.is_none()
        && verification::fits_until(app, &log, last.clone()).await?;
    if !is_sound {
        tracing::warn!(
            "the audit log is not pruned, for it does not fit; see `doorcode audit verify`"
        );
    }
    Ok(is_sound.then_some((log, last)))
}

/// What is wrong with the place behind which the log begins: only who signs may have pruned it.
pub(super) fn discrepancy(log: &Log, keys: &[VerifierKey]) -> Option<Discrepancy> {
    let pruned = log.pruned.as_ref()?;
    let signed = pruning::verify(&pruned.note, keys);
    let is_signed = |signed: Checkpoint| signed.origin == log.origin && signed.head == pruned.head;
    if signed.is_ok_and(is_signed) {
        return None;
    }
    let says = format!(
        "The records up to {} are gone, and no key that is known has signed that they were taken \
         out.",
        pruned.head.sequence
    );
    Some(Discrepancy::new(1, Kind::Missing, says))
}

/// Vouches for it that a log begins behind a head.
pub(super) fn sign(app: &App, log: &Log, head: Head) -> Pruned {
    let signed = Checkpoint {
        origin: log.origin.clone(),
        head,
        at: app.now(),
    };
    let note = pruning::sign(&signed, app.signing_key());
    Pruned { head, note }
}

/// The log says that it begins later from now on, and so does a note that is signed.
async fn announce(app: &App, log: Log, last: Checkpoint) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditPruned);
    let pruned = sign(app, &log, last.head);
    tracing::info!(
        through = last.head.sequence,
        "old records are taken out of the audit log"
    );
    let detail = json!({
        "through": last.head.sequence,
        "hash": last.head.hash.to_string(),
        "before": moment::write(last.at),
    });
    app.store()
        .write(move |conn| {
            // Another server may have pruned it meanwhile.
            if store::audit::replace_pruned(conn, log.pruned.as_ref(), &pruned)? {
                event.write(conn, None, detail.clone())?;
            }
            Ok(())
        })
        .await
}

/// Deletes what the log was pruned of, also where that was broken off before; nothing, where
/// nobody known has signed that it was.
pub(super) async fn delete(app: &App, log: &Log) -> Result<(), Error> {
    if log.pruned.is_none() || discrepancy(log, &super::keys(app).await?).is_some() {
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
