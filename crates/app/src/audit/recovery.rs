//! Going on with a log that contradicts its checkpoints, or what was shipped of it: an old copy of
//! the database was restored, or the end of the log was cut off.
//!
//! Nobody signs such a log by itself. The operator looks, and says what is to become of the
//! tokens: of what was issued after the last checkpoint that agrees there may be no trace, and in
//! a restored copy what was revoked since lives again. The log then says what it lost, the file
//! of checkpoints is put aside, not deleted, and what may not have been shipped is shipped again.
//! Where the log begins behind records that nobody known has taken out, the operator vouches for
//! that.

use super::{checkpoint, retention, sealing, shipping, sink};
use crate::token::end_all;
use crate::{App, Context, Error};
use domain::audit::discrepancy::Discrepancy;
use domain::audit::note::VerifierKey;
use domain::audit::{Action, Actor};
use domain::token::RevocationReason;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use store::token_filter::TokenFilter;

/// What is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoking {
    /// Tokens that were issued after the last checkpoint that agrees.
    Since,
    /// All tokens.
    All,
    /// Nothing.
    Nothing,
}

/// What a recovery did.
#[derive(Debug)]
pub struct Recovered {
    /// What contradicted the log.
    pub discrepancy: Discrepancy,
    /// How many tokens were revoked.
    pub revoked: usize,
    /// Where the checkpoints are now that were signed before.
    pub moved: Option<PathBuf>,
}

/// Goes on with the log. Fails with [`Error::Conflict`] if nothing contradicts it.
pub async fn recover(app: &App, context: &Context, revoking: Revoking) -> Result<Recovered, Error> {
    let discrepancy = checkpoint::inspect(app).await?.ok_or(Error::Conflict(
        "Nothing contradicts the log: there is nothing to recover from.",
    ))?;
    let (log, keys) = (sealing::find(app).await?, super::keys(app).await?);
    let agreed = checkpoint::last_agreeing(app, &log).await?;
    let is_start_doubted = retention::discrepancy(&log, &keys).is_some();
    let pruned = is_start_doubted.then(|| retention::sign(app, &log, log.start()));
    let accepted = app.event(context, Actor::Operator, Action::AuditForkAccepted);
    let revoked = app.event(context, Actor::Operator, Action::TokenRevoked);
    let detail = json!({
        "kind": discrepancy.kind.as_str(),
        "sequence": discrepancy.sequence,
        "says": discrepancy.says,
    });
    let count = app
        .store()
        .write(move |conn| {
            checkpoint::forget_contradicting(conn, &log, &keys)?;
            if let Some(pruned) = &pruned
                && !store::audit::replace_pruned(conn, log.pruned.as_ref(), pruned)?
            {
                return Err(Error::Conflict(
                    "Where the log begins was changed meanwhile: look at it again.",
                ));
            }
            let agreed_until = agreed.as_ref().map_or(0, |signed| signed.head.sequence);
            shipping::go_back(conn, &log, agreed_until)?;
            accepted.write(conn, None, detail.clone())?;
            let (everything, reason) = (TokenFilter::Everything, RevocationReason::Operator);
            let filter = match (revoking, &agreed) {
                (Revoking::Nothing, _) => return Ok(0),
                (Revoking::Since, Some(signed)) => &TokenFilter::IssuedAfter(signed.at),
                (Revoking::Since, None) | (Revoking::All, _) => &everything,
            };
            end_all(conn, &revoked, filter, None, reason)
        })
        .await?;
    // Only now: were it done first and the rest not, nothing would contradict the log any more.
    checkpoint::forget_remembered(app).await?;
    let moved = put_aside(app)?;
    Ok(Recovered {
        discrepancy,
        revoked: count,
        moved,
    })
}

/// Lets the signatures of an earlier key of this log count, where the server does not remember it:
/// with the key itself it lost its memory of what it had signed. Fails with [`Error::Conflict`] for
/// a key of another log.
pub async fn trust(app: &App, context: &Context, key: VerifierKey) -> Result<(), Error> {
    if *key.name() != sealing::begin(app).await?.origin {
        return Err(Error::Conflict(
            "This is a key of another log: the name before the + is not that of this one.",
        ));
    }
    let event = app.event(context, Actor::Operator, Action::AuditKeyTrusted);
    let detail = json!({"key": key.to_string()});
    app.store()
        .write(move |conn| event.write(conn, None, detail.clone()))
        .await?;
    checkpoint::remember(app, key).await
}

/// Gives the file of checkpoints another name, so that the next one begins anew.
fn put_aside(app: &App) -> Result<Option<PathBuf>, Error> {
    let Some(path) = checkpoint::file(app) else {
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
