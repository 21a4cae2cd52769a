//! The operator of the deployment: recognising the one token that passes every check, and
//! replacing it.

mod tokens;

pub use tokens::{OperatorTokens, Rotation};

use super::{App, Context, Error, deployment, throttle};
use domain::audit::{Action, Actor};
use domain::secret::Secret;
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

/// Whether a text is the operator token, or for an overlap the one before it, and comes from
/// where the operator may be. From elsewhere it is like any wrong token to its sender; for
/// us it is in other hands, or on the wrong way.
pub async fn is_operator(app: &App, context: &Context, text: &Secret) -> bool {
    if !app.0.secrets.operator.recognises(text, app.now()) {
        return false;
    }
    match context.address {
        Some(address) if !app.config().operator.is_reachable_from(address) => {
            if let Err(error) = record_refusal(app, context, address).await {
                tracing::error!(?error, "a refused operator token could not be recorded");
            }
            false
        }
        _ => true,
    }
}

/// One record for each source and minute tells enough.
async fn record_refusal(app: &App, context: &Context, address: IpAddr) -> Result<(), Error> {
    tracing::warn!(
        request_id = %context.request_id,
        %address,
        "the operator token is refused: it came from outside of [operator] networks"
    );
    let guess = throttle::refused_operator(address);
    let event = app.event(context, Actor::Anonymous, Action::OperatorRefused);
    let now = app.now();
    let recorded = app.store().write(move |conn| {
        guess.count(conn, now)?;
        event.write(conn, None, json!({}))
    });
    match recorded.await {
        Err(Error::Throttled(_)) => Ok(()),
        recorded => recorded,
    }
}

/// Why the operator token was not replaced.
#[derive(Debug)]
pub enum RotationError {
    /// Its files do not allow it, or it is in none.
    Secrets(deployment::Error),
    /// The database did not take the record.
    Record(Error),
}

impl From<deployment::Error> for RotationError {
    fn from(error: deployment::Error) -> Self {
        Self::Secrets(error)
    }
}

impl From<Error> for RotationError {
    fn from(error: Error) -> Self {
        Self::Record(error)
    }
}

/// Replaces the operator token. The old one stays valid for the overlap; an even older one
/// ends. What can fail comes before the record, and the record before the change: there may
/// be a record of a rotation that a crash prevented, but no rotation without one.
pub async fn rotate(
    app: &App,
    context: &Context,
    overlap: Duration,
) -> Result<Rotation, RotationError> {
    let new = tokens::draw(app.config(), app.0.entropy.as_ref());
    let prepared = app.0.secrets.operator.prepare(&new, overlap, app.now())?;
    let event = app.event(context, Actor::Operator, Action::OperatorTokenRotated);
    let detail = json!({"overlap_seconds": overlap.as_secs()});
    app.store()
        .write(move |conn| event.write(conn, None, detail.clone()))
        .await?;
    Ok(prepared.put_in_force()?)
}
