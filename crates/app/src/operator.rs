//! The operator: authentication of the operator token, which passes every check, and its
//! rotation.

pub use super::deployment::operator_token::Rotation;

use super::deployment::operator_token;
use super::{App, Context, Error, deployment, throttle};
use domain::audit::{Action, Actor};
use domain::secret::Secret;
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

/// Whether a text is the current operator token, or the previous one during the overlap, from an
/// allowed network. From other addresses the sender gets the response for any wrong token; the
/// server records it, since the token has leaked or took a wrong route.
pub async fn is_operator(app: &App, context: &Context, text: &Secret) -> bool {
    if !app.0.secrets.operator.recognises(text, app.now()) {
        return false;
    }
    match context.address {
        Some(address) if !app.config().operator.is_reachable_from(address) => {
            if let Err(error) = Box::pin(record_refusal(app, context, address)).await {
                tracing::error!(?error, "a refused operator token could not be recorded");
            }
            false
        }
        _ => true,
    }
}

/// Records at most one refusal for each source and minute.
async fn record_refusal(app: &App, context: &Context, address: IpAddr) -> Result<(), Error> {
    tracing::warn!(
        request_id = %context.request_id,
        %address,
        "operator token rejected: the address is outside of [operator] networks"
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

/// Why the operator token was not rotated.
#[derive(Debug)]
pub enum RotationError {
    /// Its files do not permit it, or it is in none.
    Secrets(deployment::Error),
    /// The audit record could not be written.
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

/// Rotates the operator token. The old one stays valid for the overlap; an even older one ends.
/// Steps that can fail come before the record, and the record before the change: a crash may
/// leave a record without a rotation, but no rotation without a record.
pub async fn rotate(
    app: &App,
    context: &Context,
    overlap: Duration,
) -> Result<Rotation, RotationError> {
    let new = operator_token::draw(app.config(), app.0.entropy.as_ref());
    let prepared = app.0.secrets.operator.prepare(&new, overlap, app.now())?;
    let event = app.event(context, Actor::Operator, Action::OperatorTokenRotated);
    let detail = json!({"overlap_seconds": overlap.as_secs()});
    app.store()
        .write(move |conn| event.write(conn, None, detail.clone()))
        .await?;
    Ok(prepared.put_in_force()?)
}
