//! The head of the log outside the database, and the refusal to serve a log that lacks it.
//!
//! Checkpoints are minutes apart. Each server therefore also signs the head of the log every second
//! and keeps it in its local state (see [`mod@super::keys`]). A log that lacks a head or a
//! checkpoint was truncated, or restored from an old copy, in which revoked tokens are active again.
//! The server then refuses all requests until the operator restores the right database or recovers
//! the log (see [`super::recover`]).

use super::checkpoint::{compare, sign_head};
use super::keys::{LocalState, known_keys, present_key, verify_note};
use super::seal;
use crate::{App, Error};
use domain::audit::checkpoint::Checkpoint;
use domain::audit::discrepancy::Discrepancy;
use std::sync::{PoisonError, RwLock};

/// The discrepancy that this server has found in its log.
#[derive(Default)]
pub struct Contradiction(RwLock<Option<Discrepancy>>);

impl Contradiction {
    fn is_found(&self) -> bool {
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner);
        found.is_some()
    }

    /// Replaces the discrepancy and returns the previous one.
    fn replace(&self, found: Option<Discrepancy>) -> Option<Discrepancy> {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut present, found)
    }
}

impl App {
    /// Fails with [`Error::Contradicted`] while the audit log contradicts its checkpoints.
    pub fn require_sound_log(&self) -> Result<(), Error> {
        match self.contradiction().is_found() {
            true => Err(Error::Contradicted),
            false => Ok(()),
        }
    }

    /// Stores the result of a comparison of the log, and logs it if it changed.
    pub(super) fn note_comparison(&self, found: Option<&Discrepancy>) {
        let before = self.contradiction().replace(found.cloned());
        match (before, found) {
            (None, Some(Discrepancy { says, .. })) => tracing::error!(
                "the audit log contradicts its signed checkpoints: {says} The server refuses all \
                 requests. If an old copy of the database was restored by mistake, stop the server \
                 and restore the right one. To continue with this one, run `doorcode audit recover \
                 --revoke all`, or `--revoke since` to revoke only the tokens issued after the last \
                 checkpoint that agrees. The server then continues within seconds."
            ),
            (Some(_), None) => {
                tracing::info!("the audit log agrees with its checkpoints again: serving requests");
            }
            _ => {}
        }
    }
}

/// Compares the log with the last head in the local state, and replaces that if the log has new
/// records.
pub(crate) async fn remember(app: &App) -> Result<(), Error> {
    let begun = seal::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let keys = known_keys(&local_state, &present_key(app, &begun));
    // The log is read last: it may be ahead of the local state, and never behind.
    let log = seal::find(app).await?;
    let kept = local_state.head.as_deref();
    let kept = kept.map_or(Ok(None), |note| verify_note(note, &keys));
    let found = match &kept {
        Ok(Some(kept)) => compare(app, &log, kept).await?,
        Ok(None) => None,
        Err(discrepancy) => Some(discrepancy.clone()),
    };
    if let Some(discrepancy) = found {
        app.note_comparison(Some(&discrepancy));
        return Ok(());
    }
    let is_known = matches!(kept, Ok(Some(kept)) if kept.head == log.head);
    // The head of a wrong log would contradict the right one.
    if is_known || log.head.sequence == 0 || app.require_sound_log().is_err() {
        return Ok(());
    }
    let head = sign_head(app, &log);
    LocalState::change(app, move |local_state| {
        // Another server with this local state may be ahead.
        let present = local_state.head.as_deref();
        let present = present.and_then(|note| Checkpoint::verify(note, &keys).ok());
        if present.is_none_or(|present| present.head.sequence <= log.head.sequence) {
            local_state.keys = keys;
            local_state.head = Some(head);
        }
    })
    .await?;
    Ok(())
}
