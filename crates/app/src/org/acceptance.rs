//! Accepting invitations.

use crate::access::Denial;
use crate::audit::Target;
use crate::tx::Tx;
use crate::user;
use crate::{App, Error, Request, throttle};
use domain::audit::Action;
use domain::id::{TokenId, UserId};
use domain::org::{Invitation, LinkKind, Maker, Organization};
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
    /// Whether it can create a user.
    pub new_user: NewUser,
    link: LinkKind,
}

/// Whether an invitation can create a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewUser {
    /// It can create a user, who joins at once: the link proves the address.
    Joins,
    /// It can create a user, who then signs in.
    SignsIn,
    /// It can mail a link to an address, which creates the user.
    ReceivesLink,
    /// Only existing users can accept it.
    NeedsUser,
    /// The invitations of its creator or organization have reached the daily limit of new users.
    TooMany,
}

impl NewUser {
    /// Fails unless a user can be created.
    pub(super) fn require(self) -> Result<(), Error> {
        Err(Error::Conflict(match self {
            Self::Joins | Self::SignsIn | Self::ReceivesLink => return Ok(()),
            Self::NeedsUser => {
                "This invitation is for existing users. Sign in, or ask for an invitation with your email address. The admin who creates it needs a verified one, and an organization that the operator created."
            }
            Self::TooMany => {
                "The invitations of this inviter or organization have reached the daily limit of new users. Try again tomorrow, or ask the operator of the server."
            }
        }))
    }
}

impl Offer {
    /// Fails unless a user with this email address may accept.
    pub(super) fn check_email(&self, email: &str) -> Result<(), Fault> {
        match &self.invitation.email {
            Some(invited) if invited != email => Err(Fault::new(
                "email",
                "The invitation is for another email address. Sign in with that address, or ask for another invitation.",
            )),
            _ => Ok(()),
        }
    }

    /// Whether accepting it verifies the address of the user, which must be that of the invitation.
    pub(super) fn proves_email(&self) -> bool {
        self.link == LinkKind::Mailed && self.invitation.email.is_some()
    }
}

/// Whether an invitation to this organization may create users. Without an address, anyone with
/// the link could enter the address of another user: only the operator's organizations may allow
/// that.
pub(super) fn may_create_user(
    app: &App,
    conn: &mut Conn,
    invitation: &Invitation,
    organization: &Organization,
) -> Result<bool, Error> {
    // A new user comes from an identity provider, and then accepts.
    if !app.config().sign_in.has_passwords() {
        return Ok(false);
    }
    let is_made_by_operator = organization.made_by == Maker::Operator;
    if invitation.email.is_none() && !is_made_by_operator {
        return Ok(false);
    }
    let inviter = match find_inviter(conn, &invitation.invited_by)? {
        Inviter::Operator => return Ok(true),
        Inviter::Unknown => return Ok(false),
        Inviter::User(user) => user,
    };
    // Users must not multiply without a verified address each, where the server sends mail, nor by
    // organizations of which each has a limit of its own.
    let is_verified = inviter.email_verified_at.is_some() || !crate::mail::is_configured(app);
    Ok(is_verified && (is_made_by_operator || is_let_in(conn, &inviter)?))
}

/// Whether the operator created the user without an organization, or an organization of the operator
/// has the user.
fn is_let_in(conn: &mut Conn, user: &User) -> Result<bool, Error> {
    let memberships = store::org::list_memberships(conn, &user.id)?;
    let mut made_by = memberships.iter().map(|one| &one.organization.made_by);
    Ok(!user.needs_organization || made_by.any(|made_by| *made_by == Maker::Operator))
}

/// Who answers for an invitation.
enum Inviter {
    /// The operator.
    Operator,
    /// The user who created it, or who created the token with which it was created, directly or
    /// through other tokens.
    User(Box<User>),
    /// A user or token that does not exist.
    Unknown,
}

/// Finds the inviter by the creator of the invitation.
fn find_inviter(conn: &mut Conn, maker: &str) -> Result<Inviter, Error> {
    let mut maker = maker.to_owned();
    while let Some(token_id) = TokenId::parse(&maker) {
        match store::token::find_token(conn, &token_id)? {
            Some(token) => maker = token.created_by,
            None => return Ok(Inviter::Unknown),
        }
    }
    let Some(user_id) = UserId::parse(&maker) else {
        return Ok(Inviter::Operator);
    };
    let user = store::user::find_user(conn, &user_id)?;
    Ok(user.map_or(Inviter::Unknown, |user| Inviter::User(Box::new(user))))
}

/// Details of an open invitation. Fails with [`Error::NotFound`] for any other link.
pub async fn look_at(app: &App, link: &Secret) -> Result<Offer, Error> {
    let (handle, digest, now) = (app.clone(), link.digest(), app.now());
    app.store()
        .read(move |conn| find_offer(&handle, conn, &digest, now))
        .await
}

pub(super) fn find_offer(
    app: &App,
    conn: &mut Conn,
    link: &Digest,
    now: Instant,
) -> Result<Offer, Error> {
    let (invitation, link) =
        store::invitation::find_invitation(conn, link, now)?.ok_or(Error::NotFound)?;
    let organization =
        store::org::find_organization(conn, &invitation.organization_id)?.ok_or(Error::NotFound)?;
    require_backed(conn, &invitation, now)?;
    let maker = invitation.invited_by.clone();
    let inviter = store::user::list_names(conn, std::slice::from_ref(&maker))?.remove(&maker);
    let new_user = match may_create_user(app, conn, &invitation, &organization)? {
        false => NewUser::NeedsUser,
        true => match new_users(app, &invitation, &organization).check(conn, now) {
            Ok(()) if link == LinkKind::Mailed => NewUser::Joins,
            Ok(()) if crate::mail::is_configured(app) => NewUser::ReceivesLink,
            Ok(()) => NewUser::SignsIn,
            Err(Error::Throttled(_)) => NewUser::TooMany,
            Err(error) => return Err(error),
        },
    };
    Ok(Offer {
        new_user,
        link,
        invitation,
        organization,
        inviter,
    })
}

/// Counters of the users that invitations like this one create.
pub(super) fn new_users(
    app: &App,
    invitation: &Invitation,
    organization: &Organization,
) -> throttle::Guess {
    let allowed = app.config().organizations.new_users_per_day;
    throttle::new_users(invitation, organization, allowed)
}

/// Fails with [`Error::NotFound`] if the inviter may not invite any more.
pub(super) fn require_backed(
    conn: &mut Conn,
    invitation: &Invitation,
    now: Instant,
) -> Result<(), Error> {
    match is_backed(conn, invitation, now)? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
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
    if TokenId::parse(&invitation.invited_by).is_some() {
        // It is passed on when the token is rotated.
        let token = match &invitation.made_by_token {
            Some(token_id) => store::token::find_token(conn, token_id)?,
            None => None,
        };
        return Ok(token.is_some_and(|token| {
            token.state(now) == State::Live
                && token.owner == TokenOwner::Organization(id.clone())
                && !token.blocked_in.contains(id)
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
        let offer = find_offer(tx.app(), tx.conn, &link, tx.now)?;
        accept_as(tx, &offer, &user)?;
        Ok(offer.organization)
    })
    .await
}

/// Accepts an invitation as a user that it took over, who may be a member already.
pub(super) fn accept_taken_over(tx: &mut Tx<'_>, offer: &Offer, user: &User) -> Result<(), Error> {
    let (id, invitation) = (&offer.organization.id, &offer.invitation);
    store::org::lock_organization(tx.conn, id)?.ok_or(Denial::NoAccess)?;
    if store::org::find_role(tx.conn, id, &user.id)?.is_none() {
        return accept_as(tx, offer, user);
    }
    if !store::invitation::mark_ended(tx.conn, id, &invitation.id, tx.now)? {
        return Err(Error::NotFound);
    }
    tx.record(Target::within(id, invitation.id.as_str()), json!({}))?;
    user::mark_verified(tx, user)
}

/// Accepts an invitation as a user, which the transaction has created or locked.
pub(super) fn accept_as(tx: &mut Tx<'_>, offer: &Offer, user: &User) -> Result<(), Error> {
    offer.check_email(&user.email)?;
    let Offer {
        invitation,
        organization,
        ..
    } = offer;
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
    store::org::insert_membership(tx.conn, organization, &user.id, role, tx.now)?;
    tx.record(
        Target::within(id, invitation.id.as_str()),
        json!({"inviter": invitation.invited_by, "role": role.as_str()}),
    )?;
    tx.record_as(
        Action::MemberAdded,
        Target::within(id, user.id.as_str()),
        json!({"role": role.as_str()}),
    )?;
    match offer.proves_email() && user.email_verified_at.is_none() {
        true => user::mark_verified(tx, user),
        false => Ok(()),
    }
}
