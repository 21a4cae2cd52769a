//! Accepting invitations.

use crate::access::{Caller, Denial};
use crate::audit::Target;
use crate::session::{self, NewSession};
use crate::tx::Tx;
use crate::user::{self, CreateUser};
use crate::{App, Error, Request};
use domain::audit::Action;
use domain::id::{TokenId, UserId};
use domain::org::{Invitation, Organization};
use domain::role::Role;
use domain::secret::{Digest, Secret};
use domain::token::{State, TokenOwner};
use domain::user::{Standing, User};
use domain::{Fault, Instant};
use serde_json::json;
use store::Conn;

/// Invitation details for the user who opens the link.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The invitation.
    pub invitation: Invitation,
    /// The organization to join.
    pub organization: Organization,
    /// Name of the inviting user; `None` if the operator or an organization token invited.
    pub inviter: Option<String>,
}

/// Details of an open invitation. Fails with [`Error::NotFound`] for any other link.
pub async fn look_at(app: &App, link: &Secret) -> Result<Offer, Error> {
    let (digest, now) = (link.digest(), app.now());
    app.store()
        .read(move |conn| find_offer(conn, &digest, now))
        .await
}

fn find_offer(conn: &mut Conn, link: &Digest, now: Instant) -> Result<Offer, Error> {
    let invitation = store::invitation::find_invitation(conn, link, now)?.ok_or(Error::NotFound)?;
    let organization =
        store::org::find_organization(conn, &invitation.organization_id)?.ok_or(Error::NotFound)?;
    if !is_backed(conn, &invitation, now)? {
        return Err(Error::NotFound);
    }
    let maker = invitation.invited_by.clone();
    let inviter = store::user::list_names(conn, std::slice::from_ref(&maker))?.remove(&maker);
    Ok(Offer {
        invitation,
        organization,
        inviter,
    })
}

/// Whether the inviter still has the permission to invite: an invitation must not outlive it.
fn is_backed(conn: &mut Conn, invitation: &Invitation, now: Instant) -> Result<bool, Error> {
    let id = &invitation.organization_id;
    if let Some(user_id) = UserId::parse(&invitation.invited_by) {
        let user = store::user::find_user(conn, &user_id)?;
        let is_active = user.is_some_and(|user| user.standing == Standing::Active);
        let role = store::org::find_role(conn, id, &user_id)?;
        return Ok(is_active && role >= Some(invitation.role.max(Role::Admin)));
    }
    if let Some(token_id) = TokenId::parse(&invitation.invited_by) {
        let token = store::token::find_token(conn, &token_id)?;
        return Ok(token.is_some_and(|token| {
            token.state(now) == State::Live && token.owner == TokenOwner::Organization(id.clone())
        }));
    }
    Ok(true)
}

/// Accepts an invitation as a signed-in user.
pub async fn accept(req: &Request, link: &Secret) -> Result<Organization, Error> {
    let link = link.digest();
    req.change(Action::InvitationAccepted, move |tx| {
        let id = &tx.caller().signed_in()?.user.id;
        let user = store::user::lock_user_shared(tx.conn, id)?
            .filter(|user| user.standing == Standing::Active)
            .ok_or(Error::Unauthenticated)?;
        accept_as(tx, &link, &user)
    })
    .await
}

/// Accepts an invitation as a new user, and signs the user in.
pub async fn accept_as_new(
    req: &Request,
    link: &Secret,
    new: CreateUser,
) -> Result<NewSession, Error> {
    // An invalid link must not cost a password hash.
    look_at(&req.app, link).await?;
    let new = user::validate(req, new).await?;
    let link = link.digest();
    let req = req.with_caller(Caller::Anonymous);
    req.change(Action::InvitationAccepted, move |tx| {
        let user = user::insert(tx, &new)?;
        accept_as(tx, &link, &user)?;
        session::begin(tx, &user)
    })
    .await
}

/// Accepts an invitation as a user, which the transaction has created or locked.
fn accept_as(tx: &mut Tx<'_>, link: &Digest, user: &User) -> Result<Organization, Error> {
    let Offer {
        invitation,
        organization,
        ..
    } = find_offer(tx.conn, link, tx.now)?;
    if invitation
        .email
        .as_ref()
        .is_some_and(|email| *email != user.email)
    {
        return Err(Fault::new(
            "email",
            "The invitation is for another email address. Sign in with that one, or ask for another invitation.",
        )
        .into());
    }
    // Lock it before the invitation, in the same order as deleting an organization.
    store::org::lock_organization(tx.conn, &organization.id)?.ok_or(Denial::NoAccess)?;
    // Of two concurrent acceptances, only one ends the invitation. The other fails.
    if !store::invitation::mark_ended(tx.conn, &organization.id, &invitation.id, tx.now)? {
        return Err(Error::NotFound);
    }
    if store::org::find_role(tx.conn, &organization.id, &user.id)?.is_some() {
        return Err(Error::Conflict(
            "You are a member of this organization already.",
        ));
    }
    let (id, role) = (&organization.id, invitation.role);
    store::org::insert_membership(tx.conn, &organization, &user.id, role, tx.now)?;
    tx.record(Target::within(id, invitation.id.as_str()), json!({}))?;
    tx.record_as(
        Action::MemberAdded,
        Target::within(id, user.id.as_str()),
        json!({"role": role.as_str()}),
    )?;
    Ok(organization)
}
