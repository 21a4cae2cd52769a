//! Recovery of a log that contradicts its checkpoints or its shipped records: an old copy of the
//! database was restored, or the end of the log was cut off.
//!
//! The server never signs such a log by itself, and refuses all requests. The operator inspects it and decides about
//! tokens: the log may lack tokens issued after the last checkpoint that agrees, and in a
//! restored copy tokens revoked since are active again. The log then records its loss, the
//! checkpoint file is renamed, not deleted, and records that may not have been shipped are
//! shipped again. If no known key signed the start of the log, the server signs it for the
//! operator.

use super::ship::sink;
use super::{checkpoint, keys, publish, seal, ship};
use crate::token::end_all;
use crate::{App, Error, Request};
use domain::audit::Action;
use domain::audit::discrepancy::Discrepancy;
use domain::audit::note::VerifierKey;
use domain::token::RevocationReason;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use store::token_filter::TokenFilter;

/// Tokens that a recovery revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoking {
    /// Tokens issued after the last checkpoint that agrees with the log.
    Since,
    /// All tokens.
    All,
    /// No tokens.
    Nothing,
}

/// Result of a recovery.
#[derive(Debug)]
pub struct Recovered {
    /// Discrepancy that was accepted.
    pub discrepancy: Discrepancy,
    /// Number of revoked tokens.
    pub revoked: usize,
    /// New path of the file with the earlier checkpoints.
    pub moved: Option<PathBuf>,
}

/// Recovers the log. Fails with [`Error::Conflict`] if nothing contradicts it.
pub async fn recover(req: &Request, revoking: Revoking) -> Result<Recovered, Error> {
    let app = &req.app;
    let discrepancy = checkpoint::inspect(app).await?.ok_or(Error::Conflict(
        "Nothing contradicts the log: there is nothing to recover from.",
    ))?;
    let (log, keys) = (seal::find(app).await?, keys::keys(app).await?);
    let agreed = checkpoint::last_agreeing(app, &log).await?;
    let is_start_contradicted = checkpoint::start_discrepancy(&log, &keys).is_some();
    let pruned = is_start_contradicted.then(|| checkpoint::sign_start(app, &log, log.start()));
    let detail = json!({
        "kind": discrepancy.kind.as_str(),
        "sequence": discrepancy.sequence,
        "says": discrepancy.says,
    });
    let recovered = req.change(Action::AuditForkAccepted, move |tx| {
        checkpoint::forget_contradicting(tx.conn, &log, &keys)?;
        if let Some(pruned) = &pruned
            && !store::audit::replace_pruned(tx.conn, log.pruned.as_ref(), pruned)?
        {
            return Err(Error::Conflict(
                "The start of the log changed meanwhile: inspect the log again.",
            ));
        }
        let agreed_until = agreed.as_ref().map_or(0, |signed| signed.head.sequence);
        ship::go_back(tx.conn, &log, agreed_until)?;
        tx.record(None, detail.clone())?;
        let filter = match (revoking, &agreed) {
            (Revoking::Nothing, _) => return Ok(0),
            (Revoking::Since, Some(signed)) => TokenFilter::IssuedAfter(signed.at),
            (Revoking::Since, None) | (Revoking::All, _) => TokenFilter::Everything,
        };
        end_all(tx, &filter, None, RevocationReason::Operator)
    });
    let count = recovered.await?;
    // Last: if only this step were done, nothing would contradict the log any more.
    keys::forget_remembered(app).await?;
    let moved = put_aside(app)?;
    app.note_comparison(None);
    Ok(Recovered {
        discrepancy,
        revoked: count,
        moved,
    })
}

/// Trusts an earlier key of this log that is missing from the local state, which is lost together
/// with the key file. Fails with [`Error::Conflict`] for a key of another log.
pub async fn trust(req: &Request, key: VerifierKey) -> Result<(), Error> {
    if *key.name() != seal::begin(&req.app).await?.origin {
        return Err(Error::Conflict(
            "This is a key of another log: the name before the + is not that of this one.",
        ));
    }
    let detail = json!({"key": key.to_string()});
    let trusted = req.change(Action::AuditKeyTrusted, move |tx| {
        tx.record(None, detail.clone())
    });
    trusted.await?;
    keys::remember(&req.app, key).await
}

/// Renames the checkpoint file, so that the next checkpoint starts a new one.
fn put_aside(app: &App) -> Result<Option<PathBuf>, Error> {
    let Some(path) = publish::file(app) else {
        return Ok(None);
    };
    let mut aside = path.clone().into_os_string();
    aside.push(format!(".{}", app.now().format("%Y%m%dT%H%M%S%3fZ")));
    match std::fs::rename(&path, &aside) {
        Ok(()) => Ok(Some(aside.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(sink::of_file(&path, error)),
    }
}
