//! Members of organizations: their roles, and how they leave.

use super::{READ, WRITE, end_invitations};
use crate::access::{Authority, Caller, Denial};
use crate::token::end_all;
use crate::{App, Context, Error, Event, Events};
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};
use domain::org::{Member, Organization};
use domain::page::Page;
use domain::role::Role;
use domain::token::{RevocationReason, TokenOwner};
use serde_json::json;
use store::Conn;
use store::token_filter::TokenFilter;

const LAST_OWNER: Error =
    Error::Conflict("An organization needs an owner: make another member an owner first.");

/// Lists the members of an organization in order of joining.
pub async fn list_members(
    app: &App,
    caller: &Caller,
    named: &str,
    page: &Page,
) -> Result<Vec<Member>, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let page = page.clone();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, READ, Role::Member)?;
            let (after, limit) = (page.after(), page.look_for());
            let members = store::org::list_members(conn, &organization.id, after, limit)?;
            Ok(members)
        })
        .await
}

/// Sets a user's role in an organization. Only the operator can add a user who is not a member;
/// other callers send an invitation. Only owners assign or change the owner role.
pub async fn put_member(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
    role: Role,
) -> Result<Member, Error> {
    let added = app.event(context, caller.actor(), Action::MemberAdded);
    let changed = app.event(context, caller.actor(), Action::MemberChanged);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .write(move |conn| {
            let (authority, organization) =
                manage(&handle, conn, &caller, &named, &user_id, Role::Admin)?;
            let present = store::org::find_role(conn, &organization.id, &user_id)?;
            if present.max(Some(role)) == Some(Role::Owner) {
                require_owner(&authority, &organization)?;
            }
            let user = store::user::find_user(conn, &user_id)?;
            match (present, &user) {
                (Some(present), Some(_)) if present == role => {}
                (Some(present), Some(_)) => {
                    if present == Role::Owner {
                        keep_an_owner(conn, &organization, &user_id)?;
                    }
                    store::org::update_role(conn, &organization.id, &user_id, role)?;
                    changed.write_in(
                        conn,
                        Some(&organization.id),
                        Some(user_id.as_str()),
                        json!({"from": present.as_str(), "to": role.as_str()}),
                    )?;
                }
                (None, Some(_)) if matches!(caller, Caller::Operator(_)) => {
                    let now = added.at;
                    store::org::insert_membership(conn, &organization.id, &user_id, role, now)?;
                    added.write_in(
                        conn,
                        Some(&organization.id),
                        Some(user_id.as_str()),
                        json!({"role": role.as_str()}),
                    )?;
                }
                // Other callers must not learn whether the user exists.
                _ => return Err(Error::NotFound),
            }
            find_member(conn, &organization.id, &user_id)?.ok_or(Error::NotFound)
        })
        .await
}

/// Removes a member from an organization. Admins can remove members; all members can leave.
/// Tokens limited to the organization end, and all personal ones if it was the user's last.
pub async fn remove_member(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<(), Error> {
    let removed = app.event(context, caller.actor(), Action::MemberRemoved);
    let revoked = app.events(context, caller.actor(), Action::TokenRevoked);
    let withdrawn = app.event(context, caller.actor(), Action::InvitationWithdrawn);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .write(move |conn| {
            let least = match caller.user_id() == Some(&user_id) {
                true => Role::Member,
                false => Role::Admin,
            };
            let (authority, organization) =
                manage(&handle, conn, &caller, &named, &user_id, least)?;
            let role =
                store::org::find_role(conn, &organization.id, &user_id)?.ok_or(Error::NotFound)?;
            if role == Role::Owner {
                require_owner(&authority, &organization)?;
                keep_an_owner(conn, &organization, &user_id)?;
            }
            depart(conn, &revoked, &withdrawn, &organization.id, &user_id)?;
            removed.write_in(
                conn,
                Some(&organization.id),
                Some(user_id.as_str()),
                json!({"role": role.as_str()}),
            )
        })
        .await
}

/// The organization, if the caller may change its members. Locks it and the member against
/// concurrent changes.
fn manage(
    app: &App,
    conn: &mut Conn,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
    least: Role,
) -> Result<(Authority, Organization), Error> {
    // A caller without the permission must not lock the user.
    let authority = caller.authority(app, conn)?;
    authority.organization(conn, named, WRITE, least)?;
    // Lock the user first, in the same order as the creation of a token for the member.
    store::user::lock_user_exclusive(conn, user_id)?;
    let authority = caller.lock_authority(app, conn)?;
    let organization = authority.lock_organization(conn, named, WRITE, least)?;
    // Data read before the lock may be stale.
    let authority = caller.authority(app, conn)?;
    authority.organization(conn, organization.id.as_str(), WRITE, least)?;
    Ok((authority, organization))
}

fn require_owner(authority: &Authority, organization: &Organization) -> Result<(), Error> {
    match authority.role_in(&organization.id) {
        Some(Role::Owner) => Ok(()),
        _ => Err(Denial::Role(Role::Owner).into()),
    }
}

fn keep_an_owner(
    conn: &mut Conn,
    organization: &Organization,
    user_id: &UserId,
) -> Result<(), Error> {
    match store::org::count_owners(conn, &organization.id, Some(user_id))? {
        0 => Err(LAST_OWNER),
        _ => Ok(()),
    }
}

fn find_member(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Member>, Error> {
    Ok(store::org::find_member(conn, organization_id, user_id)?)
}

/// Removes a membership with its dependent data. A user without another organization loses all
/// personal tokens, and the approvals from which a device could obtain one.
fn depart(
    conn: &mut Conn,
    revoked: &Events,
    withdrawn: &Event,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<(), Error> {
    store::project::delete_member_everywhere(conn, organization_id, user_id)?;
    store::org::delete_membership(conn, organization_id, user_id)?;
    end_invitations(conn, withdrawn, organization_id, Some(user_id))?;
    let filter = TokenFilter::LimitedTo(user_id.clone(), organization_id.clone());
    let reason = RevocationReason::LeftOrganization;
    end_all(conn, &revoked.next(), &filter, None, reason)?;
    if store::org::list_memberships(conn, user_id)?.is_empty() {
        let filter = TokenFilter::Owner(TokenOwner::User(user_id.clone()));
        end_all(conn, &revoked.next(), &filter, None, reason)?;
        store::device::deny_approved(conn, user_id)?;
    }
    Ok(())
}
