//! Invitations: one-time links that let a user join an organization.

use super::letter::{self, InvitationLetter, unless_limited};
use super::member::require_session;
use super::{READ, WRITE, may_create_user};
use crate::audit::Target;
use crate::mail::{self, MailStatus};
use crate::token::lock_creator;
use crate::tx::Tx;
use crate::{Error, Request, form_nonce};
use domain::audit::{Action, MOST_NAMED};
use domain::id::{InvitationId, OrganizationId, UserId};
use domain::org::{INVITATION_LIFETIME, Invitation, Organization};
use domain::page::Page;
use domain::role::Role;
use domain::secret::Secret;
use serde_json::json;
use store::Conn;

/// A new invitation, with the secret of its link, which is shown once.
#[derive(Clone)]
pub struct NewInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The secret of the link that its creator sees.
    pub link: Secret,
    /// Whether the invitation is mailed; `None` without an email address.
    pub mail: Option<MailStatus>,
    /// The mail with a link of its own, which its creator must not see: it verifies the address.
    pub letter: Option<InvitationLetter>,
    /// Whether it may create a user; otherwise only existing users can accept it.
    pub may_create_user: bool,
}

/// Input of a new invitation.
#[derive(Debug, Clone)]
pub struct CreateInvitation {
    /// The email address that the accepting user must have; `None` for any.
    pub email: Option<String>,
    /// The role of the new member.
    pub role: Role,
    /// The nonce from [`invitation_form_nonce`]; `None` without a form.
    pub form_nonce: Option<String>,
}

const FORM: &str = "new-invitation";

/// Nonce for an invitation form, which contains the id of the future invitation. Fails with
/// [`Error::Unauthenticated`] unless the caller is a user in a browser.
pub fn invitation_form_nonce(req: &Request) -> Result<String, Error> {
    let signed_in = req.caller.signed_in()?;
    let id = InvitationId::new(req.app.now(), req.app.id_seed());
    Ok(form_nonce::write(&req.app, signed_in, FORM, id.as_str()))
}

/// The invitation that a form creates, by its nonce.
pub fn invitation_of_form(req: &Request, nonce: Option<&str>) -> Option<InvitationId> {
    InvitationId::parse(form_nonce::read(&req.app, &req.caller, FORM, nonce?)?)
}

/// Creates an invitation. Only owners invite owners. Fails with [`Error::Conflict`] if the form
/// nonce was used before.
pub async fn invite(
    req: &Request,
    named: &str,
    input: CreateInvitation,
) -> Result<NewInvitation, Error> {
    let form_id = invitation_of_form(req, input.form_nonce.as_deref());
    let CreateInvitation { email, role, .. } = input;
    let email = email.as_deref().map(domain::user::email).transpose()?;
    let named = named.to_owned();
    req.change(Action::InvitationCreated, move |tx| {
        let organization = lock_for_invitations(tx, &named, role)?;
        let id = match &form_id {
            Some(id) => id.clone(),
            None => tx.id(InvitationId::new),
        };
        insert(tx, &organization, id, (email.clone(), role))
    })
    .await
}

/// The organization, if the caller may invite users with this role.
pub(super) fn lock_for_invitations(
    tx: &mut Tx<'_>,
    named: &str,
    role: Role,
) -> Result<Organization, Error> {
    let organization = tx.lock_organization(named, WRITE, role.max(Role::Admin))?;
    if role == Role::Owner {
        require_session(tx)?;
        tx.require_recent_sign_in()?;
    }
    lock_creator(tx)?;
    Ok(organization)
}

/// Creates an invitation for a valid address, or for anyone, with a role.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    organization: &Organization,
    id: InvitationId,
    (email, role): (Option<String>, Role),
) -> Result<NewInvitation, Error> {
    let link = Secret::from_random(&tx.random::<32>());
    let invitation = Invitation {
        id,
        organization_id: organization.id.clone(),
        email: email.clone(),
        role,
        invited_by: tx.caller().maker(),
        made_by_token: tx.caller().token_id().cloned(),
        created_at: tx.now,
        expires_at: tx.now + INVITATION_LIFETIME,
    };
    store::invitation::insert_invitation(tx.conn, &invitation, &link.digest()).map_err(
        |error| match error {
            store::Error::Duplicate => {
                Error::Conflict("This form has already created its invitation.")
            }
            error => error.into(),
        },
    )?;
    tx.record(
        Target::within(&organization.id, invitation.id.as_str()),
        json!({"role": role.as_str()}),
    )?;
    let letter = match &email {
        Some(to) => mail_to(tx, &invitation, to, organization)?,
        None => None,
    };
    Ok(NewInvitation {
        may_create_user: may_create_user(tx.app(), tx.conn, &invitation, organization)?,
        mail: email.is_some().then_some(match &letter {
            Some(_) => MailStatus::Sent,
            None => MailStatus::NotSent,
        }),
        letter,
        invitation,
        link,
    })
}

/// The mail with a new invitation; `None` if the server sends no mail, if the sender or the address
/// has reached its limit of messages, or if too many wait.
fn mail_to(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    to: &str,
    organization: &Organization,
) -> Result<Option<InvitationLetter>, Error> {
    if !mail::is_configured(tx.app()) {
        return Ok(None);
    }
    let letter = unless_limited(letter::reserve(tx, to, organization))?;
    letter
        .map(|slot| InvitationLetter::make(tx, (invitation, organization), to, slot))
        .transpose()
}

/// An open invitation.
#[derive(Debug, Clone)]
pub struct Open {
    /// The invitation.
    pub invitation: Invitation,
    /// Name of the inviting user; `None` if the operator or an organization token invited.
    pub inviter: Option<String>,
}

/// Lists the open invitations of an organization for its admins, newest first: one page plus one
/// entry if more follow.
pub async fn list_invitations(req: &Request, named: &str, page: &Page) -> Result<Vec<Open>, Error> {
    let (named, page) = (named.to_owned(), page.clone());
    req.read(move |tx| {
        let id = tx.organization(&named, READ, Role::Admin)?.id;
        let found = store::invitation::list_invitations(tx.conn, &id, tx.now, &page)?;
        with_inviters(tx.conn, found)
    })
    .await
}

/// One open invitation of an organization, for its admins.
pub async fn find_invitation(req: &Request, named: &str, id: &InvitationId) -> Result<Open, Error> {
    let (named, id) = (named.to_owned(), id.clone());
    req.read(move |tx| {
        let organization_id = tx.organization(&named, READ, Role::Admin)?.id;
        let found =
            store::invitation::find_invitation_by_id(tx.conn, &organization_id, &id, tx.now)?;
        let mut open = with_inviters(tx.conn, found.into_iter().collect())?;
        open.pop().ok_or(Error::NotFound)
    })
    .await
}

/// The same, and whether it may create a user.
pub async fn find_new_invitation(
    req: &Request,
    named: &str,
    id: &InvitationId,
) -> Result<(Open, bool), Error> {
    let open = find_invitation(req, named, id).await?;
    let (named, invitation) = (named.to_owned(), open.invitation.clone());
    let may_create = req
        .read(move |tx| {
            let organization = tx.organization(&named, READ, Role::Admin)?;
            may_create_user(tx.app(), tx.conn, &invitation, &organization)
        })
        .await?;
    Ok((open, may_create))
}

fn with_inviters(conn: &mut Conn, invitations: Vec<Invitation>) -> Result<Vec<Open>, Error> {
    let makers: Vec<_> = invitations
        .iter()
        .map(|invitation| invitation.invited_by.clone())
        .collect();
    let names = store::user::list_names(conn, &makers)?;
    Ok(invitations
        .into_iter()
        .map(|invitation| Open {
            inviter: names.get(&invitation.invited_by).cloned(),
            invitation,
        })
        .collect())
}

/// Withdraws an invitation and invalidates its link.
pub async fn withdraw(req: &Request, named: &str, id: &InvitationId) -> Result<(), Error> {
    let (named, id) = (named.to_owned(), id.clone());
    req.change(Action::InvitationWithdrawn, move |tx| {
        let organization = tx.lock_organization(&named, WRITE, Role::Admin)?;
        if !store::invitation::mark_ended(tx.conn, &organization.id, &id, tx.now)? {
            return Err(Error::NotFound);
        }
        tx.record(Target::within(&organization.id, id.as_str()), json!({}))
    })
    .await
}

/// Ends all open invitations of an organization, or those of one inviter, with one audit record.
pub(crate) fn end_invitations(
    tx: &mut Tx<'_>,
    organization_id: &OrganizationId,
    by: Option<&UserId>,
) -> Result<(), Error> {
    let mut ended = store::invitation::mark_all_ended(tx.conn, organization_id, by, tx.now)?;
    if ended.is_empty() {
        return Ok(());
    }
    // Ids begin with their creation time.
    ended.sort_by(|a, b| b.cmp(a));
    let newest: Vec<_> = ended
        .iter()
        .take(MOST_NAMED)
        .map(InvitationId::as_str)
        .collect();
    let id = by.map_or(organization_id.as_str(), UserId::as_str);
    tx.record_as(
        Action::InvitationWithdrawn,
        Target::within(organization_id, id),
        json!({"invitations": newest, "count": ended.len()}),
    )
}
