//! The end of tokens, by their owners or by the clients that they were issued to.

use crate::app::session::SignedIn;
use crate::app::{App, Context, Error, Event, OAuthError};
use crate::domain::Instant;
use crate::domain::audit::{Action, Actor};
use crate::domain::client::Client;
use crate::domain::id::TokenId;
use crate::domain::secret::Secret;
use crate::domain::token::{self, RevocationReason};
use crate::store::{self, Conn};
use serde_json::json;

/// A client gives a token back (RFC 7009). A token that another client was given is refused;
/// one that a person made in the console belongs to whoever holds it. Unknown tokens and
/// repetitions are no fault.
pub async fn give_back(
    app: &App,
    context: &Context,
    client: &Client,
    text: &Secret,
) -> Result<(), Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(());
    }
    // Whoever invents tokens costs a read, not a place in the queue of writes.
    let (digest, now) = (text.digest(), app.now());
    let find = digest.clone();
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::token::find_token_by_digest(conn, &find)?))
        .await?;
    if found.is_none() {
        return Ok(());
    }
    let actor = Actor::Client(client.id.clone());
    let event = app.event(context, actor.clone(), Action::TokenRevoked);
    let client_id = client.id.clone();
    app.store()
        .write(move |conn| {
            let Some(token) = store::token::find_token_by_digest(conn, &digest)? else {
                return Ok(());
            };
            if token.client_id.as_ref().is_some_and(|id| *id != client_id) {
                return Err(Error::OAuth(
                    OAuthError::InvalidGrant,
                    "The token was issued to another client.",
                ));
            }
            revoke_one(
                conn,
                &event,
                &token.id,
                actor.label(),
                RevocationReason::Client,
                now,
            )
        })
        .await
}

fn revoke_one(
    conn: &mut Conn,
    event: &Event,
    id: &TokenId,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<(), Error> {
    if store::token::mark_revoked(conn, id, by, reason, now)? {
        event.write(conn, Some(id.as_str()), json!({"reason": reason.as_str()}))?;
    }
    Ok(())
}

/// Revokes one of a person's tokens. Doing it twice is no fault.
pub async fn revoke(
    app: &App,
    context: &Context,
    person: &SignedIn,
    id: &TokenId,
) -> Result<(), Error> {
    let event = app.event(context, person.actor(), Action::TokenRevoked);
    let (account_id, id, now) = (person.account.id.clone(), id.clone(), app.now());
    app.store()
        .write(move |conn| {
            store::token::find_token(conn, &account_id, &id)?.ok_or(Error::NotFound)?;
            let by = account_id.as_str();
            revoke_one(conn, &event, &id, by, RevocationReason::Owner, now)
        })
        .await
}

/// Revokes all of a person's tokens; tells how many were alive.
pub async fn revoke_all(app: &App, context: &Context, person: &SignedIn) -> Result<usize, Error> {
    let event = app.event(context, person.actor(), Action::TokenRevoked);
    let (account_id, now) = (person.account.id.clone(), app.now());
    app.store()
        .write(move |conn| {
            let reason = RevocationReason::RevokeAll;
            let by = account_id.as_str();
            let ended = store::token::mark_all_revoked(conn, &account_id, by, reason, now)?;
            if !ended.is_empty() {
                let tokens: Vec<_> = ended.iter().map(TokenId::as_str).collect();
                event.write(
                    conn,
                    Some(by),
                    json!({"tokens": tokens, "reason": reason.as_str()}),
                )?;
            }
            Ok(ended.len())
        })
        .await
}
