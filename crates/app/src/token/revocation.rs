//! The end of tokens, by their owners or by the clients that they were issued to.

use super::{WRITE, Whose, find_within, lock_owner};
use crate::audit::refusals::{self, Refusal};
use crate::caller::Caller;
use crate::receipt::Receipt;
use crate::{App, Context, Error, Event, OAuthError};
use domain::Instant;
use domain::audit::{Action, Actor};
use domain::client::Client;
use domain::id::{OrganizationId, TokenId, UserId};
use domain::purview::Purview;
use domain::secret::Secret;
use domain::token::{self, Owner, RevocationReason, Token};
use serde_json::json;
use store::Conn;
use store::selection::Selection;

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
    let refusal = Refusal::access(OAuthError::InvalidGrant.as_str(), actor.clone());
    let event = app.event(context, actor.clone(), Action::TokenRevoked);
    let client_id = client.id.clone();
    let revoked = app
        .store()
        .write(move |conn| {
            let Some(token) = store::token::find_token_by_digest(conn, &digest)? else {
                return Ok(());
            };
            lock_owner(conn, &token.owner)?;
            if token.client_id.as_ref().is_some_and(|id| *id != client_id) {
                return Err(Error::OAuth(
                    OAuthError::InvalidGrant,
                    "The token was issued to another client.",
                ));
            }
            revoke_one(
                conn,
                &event,
                &token,
                actor.label(),
                RevocationReason::Client,
                now,
            )
        })
        .await;
    if let Err(Error::OAuth(OAuthError::InvalidGrant, _)) = revoked {
        refusals::note(app, context, refusal);
    }
    revoked
}

fn revoke_one(
    conn: &mut Conn,
    event: &Event,
    token: &Token,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<(), Error> {
    if store::token::mark_revoked(conn, &token.id, by, reason, now)? {
        event.write_in(
            conn,
            token.organization(),
            Some(token.id.as_str()),
            json!({"reason": reason.as_str()}),
        )?;
    }
    Ok(())
}

/// Revokes a token. Doing it twice is no fault.
pub async fn revoke(
    app: &App,
    context: &Context,
    caller: &Caller,
    whose: &Whose,
    id: &str,
) -> Result<(), Error> {
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    let (handle, caller, whose, id) = (app.clone(), caller.clone(), whose.clone(), id.to_owned());
    app.store()
        .write(move |conn| {
            whose.hold(conn, &caller)?;
            let authority = caller.hold_authority(&handle, conn)?;
            let purview = whose.purview(conn, &caller, &authority, WRITE)?;
            let token = find_within(conn, &purview, &id)?;
            let reason = RevocationReason::Owner;
            revoke_one(conn, &event, &token, event.actor.label(), reason, event.at)
        })
        .await
}

/// Whether all tokens are meant, or those that were made before a moment.
pub type Before = Option<Instant>;

/// Revokes all tokens that the caller may end; tells how many were alive.
pub async fn revoke_all(
    app: &App,
    context: &Context,
    caller: &Caller,
    whose: &Whose,
    before: Before,
    receipt: Receipt<usize>,
) -> Result<usize, Error> {
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    let (handle, caller, whose) = (app.clone(), caller.clone(), whose.clone());
    app.store()
        .write(move |conn| {
            whose.hold(conn, &caller)?;
            let authority = caller.hold_authority(&handle, conn)?;
            let purview = whose.purview(conn, &caller, &authority, WRITE)?;
            let (all, reason) = (Selection::Purview(purview), RevocationReason::RevokeAll);
            let ended = end_all(conn, &event, &all, before, reason)?;
            receipt.file(conn, &ended)?;
            Ok(ended)
        })
        .await
}

/// Whose tokens the operator ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A person's.
    User(UserId),
    /// Those that a client asked for.
    Client(String),
    /// Everybody's.
    Everything,
}

/// Revokes many tokens at once, for the operator; tells how many were alive.
pub async fn revoke_selection(
    app: &App,
    context: &Context,
    caller: &Caller,
    whose: Ended,
    before: Before,
    receipt: Receipt<usize>,
) -> Result<usize, Error> {
    caller.require_operator()?;
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    app.store()
        .write(move |conn| {
            let selection = match &whose {
                Ended::User(id) => {
                    store::user::lock_user(conn, id)?;
                    store::user::find_user(conn, id)?.ok_or(Error::NotFound)?;
                    Selection::Owner(Owner::User(id.clone()))
                }
                Ended::Client(id) => {
                    store::client::find_client(conn, id)?.ok_or(Error::NotFound)?;
                    Selection::Client(id.clone())
                }
                Ended::Everything => Selection::Everything,
            };
            let ended = end_all(conn, &event, &selection, before, RevocationReason::Operator)?;
            receipt.file(conn, &ended)?;
            Ok(ended)
        })
        .await
}

/// Revokes the living tokens of a selection, with one audit record; tells how many there were.
pub(crate) fn end_all(
    conn: &mut Conn,
    event: &Event,
    selection: &Selection,
    before: Before,
    reason: RevocationReason,
) -> Result<usize, Error> {
    let by = event.actor.label();
    let ended = store::selection::mark_all_revoked(conn, selection, before, by, reason, event.at)?;
    if ended.count == 0 {
        return Ok(0);
    }
    let (target, organization): (Option<&str>, Option<&OrganizationId>) = match selection {
        Selection::Owner(owner) | Selection::Purview(Purview { owner, .. }) => {
            (Some(owner.id()), owner.organization())
        }
        Selection::Organization(id) | Selection::SoleMembers(id) => (Some(id.as_str()), Some(id)),
        Selection::LimitedTo(user, organization) => (Some(user.as_str()), Some(organization)),
        Selection::Client(id) => (Some(id), None),
        Selection::Everything | Selection::IssuedAfter(_) => (None, None),
    };
    let tokens: Vec<_> = ended.newest.iter().map(TokenId::as_str).collect();
    event.write_in(
        conn,
        organization,
        target,
        json!({"tokens": tokens, "count": ended.count, "reason": reason.as_str()}),
    )?;
    Ok(ended.count)
}
