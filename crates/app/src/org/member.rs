//! Members of organizations: their roles, and how they leave.

use super::{READ, WRITE, end_invitations, find_for_operator};
use crate::access::{Caller, Denial};
use crate::audit::Target;
use crate::mail::{self, MailSlot};
use crate::throttle::{self, ResetSender};
use crate::token::{deny_approved, end_all};
use crate::tx::Tx;
use crate::user::{self, NewReset};
use crate::{Error, Request};
use domain::Fault;
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};
use domain::org::{Maker, Member, Membership, Organization};
use domain::page::Page;
use domain::role::Role;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::User;
use serde_json::json;
use store::device::Approvals;
use store::token_filter::TokenFilter;

const LAST_OWNER: Error =
    Error::Conflict("An organization needs an owner: make another member an owner first.");

/// Lists the members of an organization in order of joining.
pub async fn list_members(req: &Request, named: &str, page: &Page) -> Result<Vec<Member>, Error> {
    let (named, page) = (named.to_owned(), page.clone());
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Member)?;
        let members = store::org::list_members(tx.conn, &organization.id, &page)?;
        Ok(members)
    })
    .await
}

/// Sets a user's role in an organization. Only the operator can add a user who is not a member;
/// other callers send an invitation. Only owners assign or change the owner role.
pub async fn put_member(
    req: &Request,
    named: &str,
    user_id: &UserId,
    role: Role,
) -> Result<Member, Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.change(Action::MemberChanged, move |tx| {
        let organization = manage(tx, &named, &user_id, Role::Admin)?;
        let id = organization.id.clone();
        let target = Target::within(&id, user_id.as_str());
        let present = store::org::find_role(tx.conn, &id, &user_id)?;
        if present.max(Some(role)) == Some(Role::Owner) {
            require_owner(tx, &id)?;
        }
        if role == Role::Owner && present != Some(Role::Owner) {
            require_session(tx)?;
        }
        let user = store::user::find_user(tx.conn, &user_id)?;
        match (present, &user) {
            (Some(present), Some(_)) if present == role => {}
            (Some(present), Some(_)) => {
                if present.max(role) == Role::Owner {
                    tx.require_recent_sign_in()?;
                }
                if present == Role::Owner {
                    keep_an_owner(tx, &id, &user_id)?;
                }
                store::org::update_role(tx.conn, &id, &user_id, role)?;
                // What an admin decides, no rule of an identity provider changes any more.
                store::identity::mark_given_by(tx.conn, &id, &user_id, None)?;
                let detail = json!({"from": present.as_str(), "to": role.as_str()});
                tx.record(target, detail)?;
            }
            (None, Some(_)) if tx.caller().is_operator() => {
                store::org::insert_membership(tx.conn, &organization, &user_id, role, tx.now)?;
                let detail = json!({"role": role.as_str()});
                tx.record_as(Action::MemberAdded, target, detail)?;
            }
            // Other callers must not learn whether the user exists.
            _ => return Err(Error::NotFound),
        }
        store::org::find_member(tx.conn, &id, &user_id)?.ok_or(Error::NotFound)
    })
    .await
}

/// Adds an existing user, or changes a member's role, for the operator, who may name the
/// organization by its name; see [`find_for_operator`].
pub async fn add_member(
    req: &Request,
    organization: &str,
    user_id: &UserId,
    role: Role,
) -> Result<Member, Error> {
    let organization = find_for_operator(req, organization).await?;
    put_member(req, organization.id.as_str(), user_id, role).await
}

/// Removes a member from an organization. Admins can remove members; all members can leave.
/// Tokens limited to the organization end, and all personal ones if it was the user's last.
pub async fn remove_member(req: &Request, named: &str, user_id: &UserId) -> Result<(), Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.change(Action::MemberRemoved, move |tx| {
        let least = match tx.caller().user_id() == Some(&user_id) {
            true => Role::Member,
            false => Role::Admin,
        };
        let organization = manage(tx, &named, &user_id, least)?;
        let id = organization.id.clone();
        let role = store::org::find_role(tx.conn, &id, &user_id)?.ok_or(Error::NotFound)?;
        if role == Role::Owner {
            require_owner(tx, &id)?;
            keep_an_owner(tx, &id, &user_id)?;
            tx.require_recent_sign_in()?;
        }
        // Recorded first: the cause before its consequences.
        let target = Target::within(&id, user_id.as_str());
        tx.record(target, json!({"role": role.as_str()}))?;
        depart(tx, &organization, &user_id)
    })
    .await
}

/// Creates a link to reset the password of a member below the caller's role, to be mailed to the
/// member. Fails with [`Error::Throttled`] after too many messages, with [`Error::Busy`] if too many
/// wait, and with [`Error::Conflict`] without a mail server, and for a member without a
/// verified address.
pub async fn create_member_reset(
    req: &Request,
    named: &str,
    user_id: &UserId,
) -> Result<(NewReset, MailSlot), Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.change(Action::PasswordResetRequested, move |tx| {
        let organization = manage(tx, &named, &user_id, Role::Admin)?;
        let id = organization.id.clone();
        let member = store::org::find_member(tx.conn, &id, &user_id)?.ok_or(Error::NotFound)?;
        match member.role {
            Role::Owner => return Err(Denial::OperatorRequired.into()),
            Role::Admin => require_owner(tx, &id)?,
            Role::Member => {}
        }
        if !tx.config().sign_in.has_passwords() {
            return Err(Error::Conflict(
                "This site has no passwords. Members sign in with an identity provider.",
            ));
        }
        if !mail::is_configured(tx.app()) {
            return Err(Error::Conflict(
                "This server sends no mail. Its operator can create a reset link for the member.",
            ));
        }
        if !user::is_reachable(&member.user) {
            return Err(Error::Conflict(
                "The email address of the member is not verified. The operator of this server can \
                 create a reset link for the member.",
            ));
        }
        let maker = tx.caller().maker();
        let sender = throttle::counted_as(&maker, &id);
        let letter = throttle::reset_letter(ResetSender::Admin(sender), &member.user.id);
        letter.count(tx.conn, tx.now)?;
        throttle::letters_of(sender).count(tx.conn, tx.now)?;
        let slot = mail::reserve(tx.app(), sender).ok_or(Error::Busy)?;
        let target = Target::within(&id, user_id.as_str());
        let new = NewReset {
            organization: Some(mail::organization_name(&organization).to_owned()),
            ..user::make_reset(tx, &member.user, target)?
        };
        Ok((new, slot))
    })
    .await
}

/// Ends all memberships of a user that the transaction has locked, for erasure. Fails with
/// [`Error::Invalid`] if the user is the last owner of an organization.
pub(crate) fn leave_all(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    for Membership { organization, .. } in store::org::list_memberships(tx.conn, &user.id)? {
        let id = &organization.id;
        store::org::lock_organization(tx.conn, id)?;
        let Some(role) = store::org::find_role(tx.conn, id, &user.id)? else {
            continue;
        };
        if role == Role::Owner && store::org::count_owners(tx.conn, id, Some(&user.id))? == 0 {
            let (email, name) = (&user.email, &organization.name);
            return Err(Fault::new(
                "email",
                format!(
                    "{email} is the last owner of {name}. Make another member an owner, or delete \
                     the organization. Then run this command again."
                ),
            )
            .into());
        }
        tx.record_as(
            Action::MemberRemoved,
            Target::within(id, user.id.as_str()),
            json!({"role": role.as_str()}),
        )?;
        depart(tx, &organization, &user.id)?;
    }
    Ok(())
}

/// The organization, if the caller may change its members. Locks it and the member against
/// concurrent changes.
pub(super) fn manage(
    tx: &mut Tx<'_>,
    named: &str,
    user_id: &UserId,
    least: Role,
) -> Result<Organization, Error> {
    tx.unlocked(|tx| tx.organization(named, WRITE, least))?;
    // Lock the user first, in the same order as the creation of a token for the member.
    store::user::lock_user_exclusive(tx.conn, user_id)?;
    let organization = tx.lock_organization(named, WRITE, least)?;
    // Data read before the lock may be stale.
    tx.forget_authority();
    tx.organization(organization.id.as_str(), WRITE, least)
}

/// Fails if the caller is a token: an attacker with a leaked one must not make lasting owners.
pub(super) fn require_session(tx: &Tx<'_>) -> Result<(), Error> {
    match tx.caller() {
        Caller::User(_) | Caller::Operator(_) | Caller::Console(_) => Ok(()),
        _ => Err(Denial::SessionRequired.into()),
    }
}

pub(super) fn require_owner(
    tx: &mut Tx<'_>,
    organization_id: &OrganizationId,
) -> Result<(), Error> {
    match tx.authority()?.role_in(organization_id) {
        Some(Role::Owner) => Ok(()),
        _ => Err(Denial::Role(Role::Owner).into()),
    }
}

fn keep_an_owner(
    tx: &mut Tx<'_>,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<(), Error> {
    match store::org::count_owners(tx.conn, organization_id, Some(user_id))? {
        0 => Err(LAST_OWNER),
        _ => Ok(()),
    }
}

/// Removes a membership with its dependent data. A user without another organization that the
/// operator created loses all personal tokens, and the approvals from which a device could obtain
/// one.
pub(crate) fn depart(
    tx: &mut Tx<'_>,
    organization: &Organization,
    user_id: &UserId,
) -> Result<(), Error> {
    let organization_id = &organization.id;
    store::project::delete_member_everywhere(tx.conn, organization_id, user_id)?;
    store::org::delete_membership(tx.conn, organization_id, user_id)?;
    end_invitations(tx, organization_id, Some(user_id))?;
    let filter = TokenFilter::LimitedTo(user_id.clone(), organization_id.clone());
    let reason = RevocationReason::LeftOrganization;
    end_all(tx, &filter, None, reason)?;
    let user = store::user::find_user(tx.conn, user_id)?.ok_or(Error::NotFound)?;
    let others = store::org::list_memberships(tx.conn, user_id)?;
    let is_enough = |one: &Membership| {
        one.organization.made_by == Maker::Operator || organization.made_by != Maker::Operator
    };
    if user.needs_organization && !others.iter().any(is_enough) {
        let filter = TokenFilter::Owner(TokenOwner::User(user_id.clone()));
        end_all(tx, &filter, None, reason)?;
        deny_approved(tx, Approvals::OfUser(user_id), None)?;
    }
    Ok(())
}
