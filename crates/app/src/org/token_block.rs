//! What admins of an organization do about a token of a member: block it for the organization, or
//! ask its owner to rotate it.

use super::letter::{reserve_for, sender_name, unless_limited};
use super::member::{manage, require_owner};
use super::{READ, WRITE};
use crate::audit::Target;
use crate::mail::{self, MailSlot, MailStatus};
use crate::tx::Tx;
use crate::{Error, Request, throttle, user};
use domain::audit::{Action, MOST_NAMED};
use domain::id::TokenId;
use domain::org::{Member, Organization};
use domain::role::Role;
use domain::token::{State, Token, TokenOwner};
use serde_json::json;
use store::token_access::RotationRequest;

/// An active token that belongs to an organization or to one of its members, and that is not
/// limited to another organization.
#[derive(Debug, Clone)]
pub struct ReachingToken {
    /// The token.
    pub token: Token,
    /// The owner of a personal token; `None` for a token of the organization.
    pub owner: Option<Member>,
    /// Number of active tokens that replaced it, that it replaces, or that were created with one of
    /// them.
    pub descendants: usize,
}

/// The token with this id, for admins of the organization. Fails with [`Error::NotFound`] for any
/// other token.
pub async fn find_reaching(req: &Request, named: &str, id: &str) -> Result<ReachingToken, Error> {
    let (named, id) = (named.to_owned(), id.to_owned());
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Admin)?;
        let (token, owner) = find(tx, &organization, &id)?;
        let rotations = store::token_block::rotations(tx.conn, &token.id)?;
        let roots = (&token.id, &rotations[..]);
        let review = store::descendants::review_all(tx.conn, roots, tx.now, 0)?;
        Ok(ReachingToken {
            token,
            owner,
            descendants: review.tokens,
        })
    })
    .await
}

fn find(
    tx: &mut Tx<'_>,
    organization: &Organization,
    id: &str,
) -> Result<(Token, Option<Member>), Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    let token = store::token::find_token(tx.conn, &id)?
        .filter(|token| token.state(tx.now) == State::Live)
        .ok_or(Error::NotFound)?;
    let owner = match (&token.owner, &token.limits.organization) {
        (TokenOwner::Organization(id), _) if *id == organization.id => None,
        (TokenOwner::User(id), limit)
            if limit.as_ref().is_none_or(|limit| *limit == organization.id) =>
        {
            let member = store::org::find_member(tx.conn, &organization.id, id)?;
            Some(member.ok_or(Error::NotFound)?)
        }
        _ => return Err(Error::NotFound),
    };
    Ok((token, owner))
}

/// The same, locked with its owner for a change by an admin. Only owners act on the tokens of
/// owners.
fn lock(tx: &mut Tx<'_>, named: &str, id: &str) -> Result<Locked, Error> {
    let (token, owner) = tx.unlocked(|tx| {
        let organization = tx.organization(named, WRITE, Role::Admin)?;
        find(tx, &organization, id)
    })?;
    let organization = match &owner {
        Some(owner) => manage(tx, named, &owner.user.id, Role::Admin)?,
        None => tx.lock_organization(named, WRITE, Role::Admin)?,
    };
    store::token::lock_token(tx.conn, &token.id)?;
    // The token or the membership may have ended since.
    let (token, owner) = find(tx, &organization, id)?;
    if owner
        .as_ref()
        .is_some_and(|owner| owner.role == Role::Owner)
    {
        require_owner(tx, &organization.id)?;
    }
    Ok(Locked {
        organization,
        token,
        owner,
    })
}

struct Locked {
    organization: Organization,
    token: Token,
    owner: Option<Member>,
}

/// Blocks a token of a member for an organization, with those that it replaces or that replace it, and
/// with what was created with them: no request there is allowed from the next one on. Open invitations to the organization that were created with the
/// tokens end. A blocked token stays so after a rotation. Returns the number of further tokens.
pub async fn block(req: &Request, named: &str, id: &str) -> Result<usize, Error> {
    let (named, id) = (named.to_owned(), id.to_owned());
    req.change(Action::TokenBlocked, move |tx| {
        let Locked {
            organization,
            token,
            ..
        } = lock(tx, &named, &id)?;
        let rotations = store::token_block::rotations(tx.conn, &token.id)?;
        let blocked = store::token_block::block(tx.conn, &rotations, &organization.id, tx.now)?;
        if blocked.is_empty() {
            return Ok(0);
        }
        let invitations =
            store::token_block::end_invitations_to(tx.conn, &organization.id, &blocked, tx.now)?;
        let further = blocked.iter().filter(|id| **id != token.id);
        let named: Vec<_> = further
            .clone()
            .take(MOST_NAMED)
            .map(TokenId::as_str)
            .collect();
        let further = further.count();
        tx.record(
            Target::within(&organization.id, token.id.as_str()),
            json!({"descendants": named, "count": further, "invitations": invitations}),
        )?;
        Ok(further)
    })
    .await
}

/// Lifts the block of one token for an organization. Only owners lift that of their own token.
pub async fn unblock(req: &Request, named: &str, id: &str) -> Result<(), Error> {
    let (named, id) = (named.to_owned(), id.to_owned());
    req.change(Action::TokenUnblocked, move |tx| {
        let Locked {
            organization,
            token,
            ..
        } = lock(tx, &named, &id)?;
        if token.owner.id() == tx.caller().maker() {
            require_owner(tx, &organization.id)?;
        }
        match store::token::remove_block(tx.conn, &token.id, &organization.id)? {
            true => tx.record(
                Target::within(&organization.id, token.id.as_str()),
                json!({}),
            ),
            false => Ok(()),
        }
    })
    .await
}

/// A request that the owner of a token rotates it.
pub struct NewRotationRequest {
    /// The token.
    pub token: Token,
    /// Its owner.
    pub owner: Member,
    /// Whether the owner is mailed. The page of the token shows the request in any case.
    pub mail: MailStatus,
    organization: Organization,
    slot: Option<MailSlot>,
}

/// Asks the owner of a personal token to rotate it. Fails with [`Error::NotFound`] for a token of the
/// organization. At most one message a day is sent about a token.
pub async fn request_rotation(
    req: &Request,
    named: &str,
    id: &str,
) -> Result<NewRotationRequest, Error> {
    let (named, id) = (named.to_owned(), id.to_owned());
    req.change(Action::RotationRequested, move |tx| {
        let Locked {
            organization,
            token,
            owner,
        } = lock(tx, &named, &id)?;
        let owner = owner.ok_or(Error::NotFound)?;
        let request = RotationRequest {
            token_id: token.id.clone(),
            organization_id: organization.id.clone(),
            requested_by: tx.caller().maker(),
            requested_at: tx.now,
        };
        store::token_access::replace_request(tx.conn, &request)?;
        let letter = throttle::rotation_letter(&token.id, &organization.id);
        let slot = match mail::is_configured(tx.app()) && user::is_reachable(&owner.user) {
            true => unless_limited(reserve_for(tx, letter, &organization))?,
            false => None,
        };
        let mail = match &slot {
            Some(_) => MailStatus::Sent,
            None => MailStatus::NotSent,
        };
        tx.record(
            Target::within(&organization.id, token.id.as_str()),
            json!({"mail": mail.as_str()}),
        )?;
        Ok(NewRotationRequest {
            token,
            owner,
            mail,
            organization,
            slot,
        })
    })
    .await
}

/// Mails a request to rotate a token, if its status is [`MailStatus::Sent`]; `url` is the page of
/// the token.
pub fn send_rotation_request(req: &Request, new: &NewRotationRequest, url: &str) {
    let Some(slot) = &new.slot else {
        return;
    };
    let letter = mail::RotationRequest {
        brand: &req.app.config().branding.name,
        organization: mail::organization_name(&new.organization),
        admin: &sender_name(req, &new.organization),
        hint: &new.token.hint,
        url,
    };
    mail::send(
        &req.app,
        slot.clone(),
        letter.message(&new.owner.user.email),
    );
}
