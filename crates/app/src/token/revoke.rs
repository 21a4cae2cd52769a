//! Revocation of tokens, by their owners, by clients and by the operator.

use super::{OwnerRef, WRITE, find_within, lock_owner};
use crate::access::Caller;
use crate::audit::refusals::{self, Refusal};
use crate::idempotency::IdempotencyRecord;
use crate::{App, Context, Error, Event, OAuthError};
use domain::Instant;
use domain::audit::{Action, Actor};
use domain::client::Client;
use domain::id::{OrganizationId, TokenId, UserId};
use domain::secret::Secret;
use domain::token::{self, RevocationReason, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;
use serde_json::json;
use store::Conn;
use store::token_filter::TokenFilter;

/// Revokes a token for a client (RFC 7009). A token of another client is refused; a token created
/// in the console can be revoked by any client that sends it. Unknown and revoked tokens are no
/// error.
pub async fn give_back(
    app: &App,
    context: &Context,
    client: &Client,
    text: &Secret,
) -> Result<(), Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(());
    }
    // An invented token costs only a read, and does not enter the write queue.
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

/// Revokes a token. Idempotent.
pub async fn revoke(
    app: &App,
    context: &Context,
    caller: &Caller,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<(), Error> {
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    let (handle, caller, owner_ref, id) = (
        app.clone(),
        caller.clone(),
        owner_ref.clone(),
        id.to_owned(),
    );
    app.store()
        .write(move |conn| {
            owner_ref.lock(conn, &caller)?;
            let authority = caller.lock_authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let token = find_within(conn, &visible, &id)?;
            let reason = RevocationReason::Owner;
            revoke_one(conn, &event, &token, event.actor.label(), reason, event.at)
        })
        .await
}

/// Restricts a revocation to tokens created before this time; `None` for all.
pub type Before = Option<Instant>;

/// Revokes all tokens that the caller may revoke; returns how many were active.
pub async fn revoke_all(
    app: &App,
    context: &Context,
    caller: &Caller,
    owner_ref: &OwnerRef,
    before: Before,
    idempotency: IdempotencyRecord<usize>,
) -> Result<usize, Error> {
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    let (handle, caller, owner_ref) = (app.clone(), caller.clone(), owner_ref.clone());
    app.store()
        .write(move |conn| {
            owner_ref.lock(conn, &caller)?;
            let authority = caller.lock_authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let (all, reason) = (
                TokenFilter::VisibleTokens(visible),
                RevocationReason::RevokeAll,
            );
            let ended = end_all(conn, &event, &all, before, reason)?;
            idempotency.file(conn, &ended)?;
            Ok(ended)
        })
        .await
}

/// The tokens that an operator revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Those of a user.
    User(UserId),
    /// Those issued to a client.
    Client(String),
    /// All tokens.
    Everything,
}

/// Revokes the matching tokens for the operator; returns how many were active.
pub async fn revoke_matching(
    app: &App,
    context: &Context,
    caller: &Caller,
    ended: Ended,
    before: Before,
    idempotency: IdempotencyRecord<usize>,
) -> Result<usize, Error> {
    caller.require_operator()?;
    let event = app.event(context, caller.actor(), Action::TokenRevoked);
    app.store()
        .write(move |conn| {
            let filter = match &ended {
                Ended::User(id) => {
                    store::user::lock_user_exclusive(conn, id)?;
                    store::user::find_user(conn, id)?.ok_or(Error::NotFound)?;
                    TokenFilter::Owner(TokenOwner::User(id.clone()))
                }
                Ended::Client(id) => {
                    store::client::find_client(conn, id)?.ok_or(Error::NotFound)?;
                    TokenFilter::Client(id.clone())
                }
                Ended::Everything => TokenFilter::Everything,
            };
            let ended = end_all(conn, &event, &filter, before, RevocationReason::Operator)?;
            idempotency.file(conn, &ended)?;
            Ok(ended)
        })
        .await
}

/// Revokes the active tokens of a filter, with one audit record; returns how many there were.
pub(crate) fn end_all(
    conn: &mut Conn,
    event: &Event,
    filter: &TokenFilter,
    before: Before,
    reason: RevocationReason,
) -> Result<usize, Error> {
    let by = event.actor.label();
    let ended = store::token_filter::mark_all_revoked(conn, filter, before, by, reason, event.at)?;
    if ended.count == 0 {
        return Ok(0);
    }
    let (target, organization): (Option<&str>, Option<&OrganizationId>) = match filter {
        TokenFilter::Owner(owner) | TokenFilter::VisibleTokens(VisibleTokens { owner, .. }) => {
            (Some(owner.id()), owner.organization())
        }
        TokenFilter::Organization(id) | TokenFilter::SingleOrgMembers(id) => {
            (Some(id.as_str()), Some(id))
        }
        TokenFilter::LimitedTo(user, organization) => (Some(user.as_str()), Some(organization)),
        TokenFilter::Client(id) => (Some(id), None),
        TokenFilter::Everything | TokenFilter::IssuedAfter(_) => (None, None),
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
