//! Confirmation of a token: its owner signs in again, for routes that need a recent sign-in.

use super::{OwnerRef, WRITE, find_within, visible};
use crate::{Error, Request};
use chrono::Duration;
use domain::audit::Action;
use domain::token::State;
use serde_json::json;

/// Stores in a personal token that its owner, who is the caller, signed in. Fails with
/// [`Error::SignInTooOld`] unless that was less than `within` ago and later than the last
/// confirmation of the token, and with [`Error::Conflict`] for an inactive token.
pub async fn confirm(req: &Request, id: &str, within: Duration) -> Result<(), Error> {
    let id = id.to_owned();
    req.change(Action::TokenConfirmed, move |tx| {
        tx.require_recent_sign_in()?;
        let session = &tx.caller().signed_in()?.session;
        let visible = visible(tx, &OwnerRef::Own, WRITE)?;
        let token = find_within(tx, &visible, &id)?;
        if token.state(tx.now) != State::Live {
            return Err(Error::Conflict(
                "The token has ended: create a new one instead.",
            ));
        }
        let signed_in_at = session
            .authenticated_at()
            .filter(|_| session.is_recent(tx.now, within))
            .ok_or(Error::SignInTooOld)?;
        if !store::token::mark_confirmed(tx.conn, &token.id, signed_in_at)? {
            return Err(Error::SignInTooOld);
        }
        tx.record(&token, json!({}))
    })
    .await
}
