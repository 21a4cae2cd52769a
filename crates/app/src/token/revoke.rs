//! Revocation of tokens, by their owners, by clients and by the operator.

use super::{OwnerRef, WRITE, find_within, lock_owner, visible};
use crate::access::Caller;
use crate::audit::Target;
use crate::audit::tally::{self, Occurrence};
use crate::tx::Tx;
use crate::{Error, OAuthError, Request};
use domain::Instant;
use domain::audit::{Action, Actor, MOST_NAMED};
use domain::client::Client;
use domain::id::{InvitationId, OrganizationId, TokenId, UserId};
use domain::secret::Secret;
use domain::token::{self, Limits, Revocation, RevocationReason, State, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::device::Approvals;
use store::token_filter::TokenFilter;

/// Revokes a token for a client (RFC 7009). A token of another client is refused; a token created
/// in the console can be revoked by any client that sends it. Unknown and revoked tokens are no
/// error.
pub async fn give_back(req: &Request, client: &Client, text: &Secret) -> Result<(), Error> {
    let prefix = req.app.config().tokens.prefix.as_str();
    if !token::is_well_formed(prefix, text.expose()) {
        return Ok(());
    }
    // An invented token costs only a read, and does not enter the write queue.
    let digest = text.digest();
    let find = digest.clone();
    let found = req
        .app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::token::find_token_by_digest(conn, &find)?))
        .await?;
    if found.is_none() {
        return Ok(());
    }
    let req = req.with_caller(Caller::Client(client.id.clone()));
    let client_id = client.id.clone();
    let revoked = req
        .change(Action::TokenRevoked, move |tx| {
            let Some(token) = store::token::find_token_by_digest(tx.conn, &digest)? else {
                return Ok(());
            };
            lock_owner(tx.conn, &token.owner)?;
            if token.client_id.as_ref().is_some_and(|id| *id != client_id) {
                return Err(Error::OAuth(
                    OAuthError::InvalidGrant,
                    "The token was issued to another client.",
                ));
            }
            revoke_one(tx, &token, RevocationReason::Client).map(drop)
        })
        .await;
    if let Err(Error::OAuth(OAuthError::InvalidGrant, _)) = revoked {
        let refusal =
            Occurrence::refused_access(OAuthError::InvalidGrant.as_str(), req.caller.actor());
        tally::note(&req.app, &req.context, refusal);
    }
    revoked
}

/// A revocation by the caller now.
fn revocation(tx: &Tx<'_>, reason: RevocationReason) -> Revocation {
    Revocation::new(tx.now, tx.caller().actor().label(), reason)
}

/// Numbers of tokens and invitations that a revocation ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Active tokens.
    pub tokens: usize,
    /// Open invitations.
    pub invitations: usize,
}

fn revoke_one(tx: &mut Tx<'_>, token: &Token, reason: RevocationReason) -> Result<Revoked, Error> {
    let revocation = revocation(tx, reason);
    let was_live = token.state(tx.now) == State::Live;
    if !store::token::mark_revoked(tx.conn, &token.id, &revocation)? {
        return Ok(Revoked::default());
    }
    let mut detail = described(tx, token);
    detail["reason"] = revocation.reason.into();
    tx.record_as(Action::TokenRevoked, token, detail)?;
    let descendants = end_descendants(tx, std::slice::from_ref(&token.id))?;
    Ok(Revoked {
        tokens: descendants.tokens + usize::from(was_live),
        ..descendants
    })
}

/// Revokes an unused token that a device fetched, unless it is used meanwhile.
pub(crate) fn revoke_unused(tx: &mut Tx<'_>, id: &TokenId) -> Result<(), Error> {
    let Some(token) = store::token::find_token(tx.conn, id)? else {
        return Ok(());
    };
    lock_owner(tx.conn, &token.owner)?;
    tx.needs_no_record();
    // The first use deletes it too: only one of both succeeds.
    if store::device::delete_answer(tx.conn, id)? && token.last_use.is_none() {
        revoke_one(tx, &token, RevocationReason::AnswerLost)?;
    }
    Ok(())
}

/// Ends what was created with tokens that were just revoked, with a record for each owner of
/// tokens and each organization of invitations.
fn end_descendants(tx: &mut Tx<'_>, roots: &[TokenId]) -> Result<Revoked, Error> {
    let revocation = revocation(tx, RevocationReason::Creator);
    let ended = store::descendants::end(tx.conn, roots, &revocation)?;
    let mut owners: BTreeMap<&str, (&TokenOwner, Vec<TokenId>)> = BTreeMap::new();
    for (id, owner) in &ended.tokens {
        let (_, tokens) = owners.entry(owner.id()).or_insert((owner, Vec::new()));
        tokens.push(id.clone());
    }
    for (owner, mut tokens) in owners.into_values() {
        let count = tokens.len();
        tokens.truncate(MOST_NAMED);
        let target = Target::of(owner.organization(), Some(owner.id()));
        let ended = store::token_filter::Revoked {
            newest: tokens,
            count,
        };
        record_many(tx, target, &ended, &revocation)?;
    }
    record_invitations(tx, &ended.invitations)?;
    Ok(Revoked {
        tokens: ended.tokens.len(),
        invitations: ended.invitations.len(),
    })
}

/// What a token was, for the record of its revocation. The name of a personal token is personal data
/// of its user, so only a record that is erased with this user has it.
fn described(tx: &Tx<'_>, token: &Token) -> Value {
    let actor = tx.caller().actor();
    let is_erasable = match &token.owner {
        TokenOwner::Organization(_) => true,
        TokenOwner::User(id) => {
            actor.user_id() == Some(id) || matches!(actor, Actor::Client(_) | Actor::Anonymous)
        }
    };
    let mut detail = json!({"scopes": token.scopes.to_string()});
    if is_erasable {
        detail["token_name"] = token.name.as_str().into();
    }
    detail
}

/// Records the revocation of several tokens. The first of them are described as in the record of a
/// single one.
fn record_many(
    tx: &mut Tx<'_>,
    target: Target,
    ended: &store::token_filter::Revoked,
    revocation: &Revocation,
) -> Result<(), Error> {
    let named = store::token::list_tokens(tx.conn, &ended.newest)?;
    let named: Vec<_> = named
        .iter()
        .map(|token| {
            let mut detail = described(tx, token);
            detail["token_id"] = token.id.as_str().into();
            detail
        })
        .collect();
    tx.record_as(
        Action::TokenRevoked,
        target,
        json!({"tokens": named, "count": ended.count, "reason": revocation.reason}),
    )
}

/// Records that invitations ended, for each organization.
fn record_invitations(
    tx: &mut Tx<'_>,
    ended: &[(InvitationId, OrganizationId)],
) -> Result<(), Error> {
    let mut organizations: BTreeMap<&OrganizationId, Vec<&str>> = BTreeMap::new();
    for (id, organization_id) in ended {
        organizations
            .entry(organization_id)
            .or_default()
            .push(id.as_str());
    }
    for (organization_id, mut invitations) in organizations {
        let count = invitations.len();
        invitations.truncate(MOST_NAMED);
        tx.record_as(
            Action::InvitationWithdrawn,
            Target::within(organization_id, organization_id.as_str()),
            json!({"invitations": invitations, "count": count}),
        )?;
    }
    Ok(())
}

/// Revokes a token, and what was created with it. Idempotent.
pub async fn revoke(req: &Request, owner_ref: &OwnerRef, id: &str) -> Result<Revoked, Error> {
    let (owner_ref, id) = (owner_ref.clone(), id.to_owned());
    req.change(Action::TokenRevoked, move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let token = find_within(tx, &visible, &id)?;
        revoke_one(tx, &token, RevocationReason::Owner)
    })
    .await
}

/// Restricts a revocation to tokens created before this time; `None` for all.
pub type Before = Option<Instant>;

/// Revokes all tokens that the caller may revoke, and what was created with them.
pub async fn revoke_all(
    req: &Request,
    owner_ref: &OwnerRef,
    before: Before,
) -> Result<Revoked, Error> {
    let owner_ref = owner_ref.clone();
    req.change(Action::TokenRevoked, move |tx| {
        let all = TokenFilter::VisibleTokens(visible(tx, &owner_ref, WRITE)?);
        end_with_descendants(tx, &all, before, RevocationReason::RevokeAll)
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

/// Revokes the matching tokens for the operator, and what was created with them.
pub async fn revoke_matching(
    req: &Request,
    ended: Ended,
    before: Before,
) -> Result<Revoked, Error> {
    req.caller.require_operator()?;
    req.change(Action::TokenRevoked, move |tx| {
        let filter = match &ended {
            Ended::User(id) => {
                store::user::lock_user_exclusive(tx.conn, id)?;
                store::user::find_user(tx.conn, id)?.ok_or(Error::NotFound)?;
                TokenFilter::Owner(TokenOwner::User(id.clone()))
            }
            Ended::Client(id) => {
                store::client::find_client(tx.conn, id)?.ok_or(Error::NotFound)?;
                TokenFilter::Client(id.clone())
            }
            Ended::Everything => TokenFilter::Everything,
        };
        end_with_descendants(tx, &filter, before, RevocationReason::Operator)
    })
    .await
}

/// Denies the device grants that were approved and that no device has redeemed, with an audit
/// record if there are any. For those of a user, the transaction has locked the user.
pub(crate) fn deny_approved(
    tx: &mut Tx<'_>,
    approvals: Approvals<'_>,
    before: Before,
) -> Result<(), Error> {
    let target = match approvals {
        Approvals::OfUser(id) => Some(id.as_str()).into(),
        Approvals::ForClient(id) => Some(id).into(),
        Approvals::OfSingleOrgMembers(id) => Target::within(id, id.as_str()),
        Approvals::All => Target::default(),
    };
    match store::device::deny_approved(tx.conn, approvals, before)? {
        0 => Ok(()),
        count => tx.record_as(Action::DeviceDenied, target, json!({"count": count})),
    }
}

/// Revokes the active tokens of a filter, and what was created with them. If these are all tokens
/// of a user or a client, or of all, also denies the device grants that were approved.
pub(crate) fn end_with_descendants(
    tx: &mut Tx<'_>,
    filter: &TokenFilter,
    before: Before,
    reason: RevocationReason,
) -> Result<Revoked, Error> {
    let revocation = revocation(tx, reason);
    let tokens = end_all(tx, filter, before, reason)?;
    let (owner, is_whole) = match filter {
        TokenFilter::Owner(owner) => (Some(owner), true),
        TokenFilter::VisibleTokens(visible) => {
            (Some(&visible.owner), visible.limits == Limits::default())
        }
        TokenFilter::Terminals(..) => (None, false),
        _ => (None, true),
    };
    let roots = store::descendants::list_revoked(tx.conn, filter, &revocation)?;
    let mut revoked = end_descendants(tx, &roots)?;
    revoked.tokens += tokens;
    if is_whole && before.is_none() {
        // Includes those that were created with inactive tokens.
        let all = owner.map(|owner| TokenFilter::Owner(owner.clone()));
        let all = all.as_ref().unwrap_or(filter);
        let ended = store::descendants::end_invitations_of(tx.conn, all, tx.now)?;
        record_invitations(tx, &ended)?;
        revoked.invitations += ended.len();
    }
    match (owner, filter) {
        (Some(TokenOwner::User(id)), _) if is_whole && before.is_none() => {
            deny_approved(tx, Approvals::OfUser(id), None)?;
        }
        (_, TokenFilter::Client(id)) => deny_approved(tx, Approvals::ForClient(id), before)?,
        (_, TokenFilter::Everything) => deny_approved(tx, Approvals::All, before)?,
        _ => {}
    }
    Ok(revoked)
}

/// Revokes the active tokens of a filter, with one audit record; returns how many there were.
pub(crate) fn end_all(
    tx: &mut Tx<'_>,
    filter: &TokenFilter,
    before: Before,
    reason: RevocationReason,
) -> Result<usize, Error> {
    let revocation = revocation(tx, reason);
    let ended = store::token_filter::mark_all_revoked(tx.conn, filter, before, &revocation)?;
    if ended.count == 0 {
        return Ok(0);
    }
    let target = match filter {
        TokenFilter::Owner(owner) | TokenFilter::VisibleTokens(VisibleTokens { owner, .. }) => {
            Target::of(owner.organization(), Some(owner.id()))
        }
        TokenFilter::Organization(id) | TokenFilter::SingleOrgMembers(id) => {
            Target::within(id, id.as_str())
        }
        TokenFilter::Terminals(user, _) => Target::of(None, Some(user.as_str())),
        TokenFilter::LimitedTo(user, organization) => Target::within(organization, user.as_str()),
        TokenFilter::Client(id) => Target::of(None, Some(id.as_str())),
        TokenFilter::Everything | TokenFilter::IssuedAfter(_) => Target::default(),
    };
    record_many(tx, target, &ended, &revocation)?;
    Ok(ended.count)
}
