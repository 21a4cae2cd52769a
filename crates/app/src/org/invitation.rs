//! Invitations: one-time links that let a user join an organization.

use super::{READ, WRITE};
use crate::access::Caller;
use crate::access::LoadedOwner;
use crate::idempotency::IdempotencyRecord;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, form_nonce, mail};
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
    /// The organization to join.
    pub organization: Organization,
    /// The secret of the link.
    pub link: Secret,
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

/// Nonce for an invitation form, which contains the id of the future invitation.
pub fn invitation_form_nonce(app: &App, signed_in: &SignedIn) -> String {
    let id = InvitationId::new(app.now(), app.id_seed());
    form_nonce::write(app, signed_in, FORM, id.as_str())
}

/// Creates an invitation. Only owners invite owners. Fails with [`Error::Conflict`] if the form
/// nonce was used before.
pub async fn invite(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    input: CreateInvitation,
    idempotency: IdempotencyRecord<NewInvitation>,
) -> Result<NewInvitation, Error> {
    let CreateInvitation {
        email,
        role,
        form_nonce,
    } = input;
    let email = email.as_deref().map(domain::user::email).transpose()?;
    let event = app.event(context, caller.actor(), Action::InvitationCreated);
    let link = app.draw_secret();
    let digest = link.digest();
    let id = form_nonce
        .as_deref()
        .and_then(|text| form_nonce::read(app, caller, FORM, text))
        .and_then(InvitationId::parse)
        .unwrap_or_else(|| InvitationId::new(app.now(), app.id_seed()));
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let least = role.max(Role::Admin);
            let organization = authority.lock_organization(conn, &named, WRITE, least)?;
            let invitation = Invitation {
                id: id.clone(),
                organization_id: organization.id.clone(),
                email: email.clone(),
                role,
                invited_by: caller.maker(),
                created_at: event.at,
                expires_at: event.at + INVITATION_LIFETIME,
            };
            store::invitation::insert_invitation(conn, &invitation, &digest).map_err(|error| {
                match error {
                    store::Error::Duplicate => {
                        Error::Conflict("This form has already created its invitation.")
                    }
                    error => error.into(),
                }
            })?;
            event.write_in(
                conn,
                Some(&organization.id),
                Some(id.as_str()),
                json!({"role": role.as_str()}),
            )?;
            let new = NewInvitation {
                invitation,
                organization,
                link: link.clone(),
            };
            idempotency.file(conn, &new)?;
            Ok(new)
        })
        .await
}

/// Mails an invitation, if it has an email address and mail is configured; `url` is the complete
/// link.
pub fn send_invitation(app: &App, caller: &Caller, new: &NewInvitation, url: &str) {
    let Some(to) = &new.invitation.email else {
        return;
    };
    let brand = &app.config().branding.name;
    let inviter = match caller {
        Caller::User(signed_in) => &signed_in.user.name,
        Caller::Token(active) => match &active.loaded_owner {
            LoadedOwner::User(owner) => &owner.user.name,
            LoadedOwner::Organization(organization) => &organization.name,
        },
        Caller::Operator(_) => brand,
    };
    let letter = mail::Invitation {
        brand,
        organization: &new.organization.name,
        inviter,
        role: new.invitation.role,
        url,
        expires_at: new.invitation.expires_at,
    };
    mail::send(app, letter.message(to));
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
pub async fn list_invitations(
    app: &App,
    caller: &Caller,
    named: &str,
    page: &Page,
) -> Result<Vec<Open>, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let (page, now) = (page.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let id = authority.organization(conn, &named, READ, Role::Admin)?.id;
            let (after, limit) = (page.after(), page.look_for());
            let found = store::invitation::list_invitations(conn, &id, now, after, limit)?;
            with_inviters(conn, found)
        })
        .await
}

/// One open invitation of an organization, for its admins.
pub async fn find_invitation(
    app: &App,
    caller: &Caller,
    named: &str,
    id: &InvitationId,
) -> Result<Open, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let (id, now) = (id.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, READ, Role::Admin)?;
            let found = store::invitation::find_invitation_by_id(conn, &organization.id, &id, now)?;
            let mut open = with_inviters(conn, found.into_iter().collect())?;
            open.pop().ok_or(Error::NotFound)
        })
        .await
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
pub async fn withdraw(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    id: &InvitationId,
) -> Result<(), Error> {
    let event = app.event(context, caller.actor(), Action::InvitationWithdrawn);
    let (handle, caller, named, id) = (app.clone(), caller.clone(), named.to_owned(), id.clone());
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let organization = authority.lock_organization(conn, &named, WRITE, Role::Admin)?;
            if !store::invitation::mark_ended(conn, &organization.id, &id, event.at)? {
                return Err(Error::NotFound);
            }
            event.write_in(conn, Some(&organization.id), Some(id.as_str()), json!({}))
        })
        .await
}

/// Ends all open invitations of an organization, or those of one inviter, with one audit record.
pub(crate) fn end_invitations(
    conn: &mut Conn,
    event: &Event,
    organization_id: &OrganizationId,
    by: Option<&UserId>,
) -> Result<(), Error> {
    let mut ended = store::invitation::mark_all_ended(conn, organization_id, by, event.at)?;
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
    event.write_in(
        conn,
        Some(organization_id),
        Some(by.map_or(organization_id.as_str(), UserId::as_str)),
        json!({"invitations": newest, "count": ended.len()}),
    )
}
