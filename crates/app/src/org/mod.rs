//! Organizations, their members, their policy and the invitations to them.

mod acceptance;
mod invitation;
mod joining;
mod member;
mod overview;
mod policy;

pub use acceptance::{Offer, accept, accept_as_new, look_at};
pub(super) use invitation::end_invitations;
pub use invitation::{
    CreateInvitation, NewInvitation, Open, find_invitation, invitation_form_nonce, invite,
    list_invitations, send_invitation, withdraw,
};
pub(super) use joining::{Joining, join};
pub use member::{list_members, put_member, remove_member};
pub use overview::{
    Departure, Extent, Roster, Size, departure, extent, find_member, is_member, roster, size,
};
pub use policy::{Affected, Effect, Tightening, UpdateOrganization, UpdatePolicy, review, update};

use super::idempotency::IdempotencyRecord;
use super::token::end_all;
use super::{App, Context, Error};
use crate::access::{Caller, Denial};
use config::Makers;
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, UserId};
use domain::org::{self, Organization};
use domain::page::Page;
use domain::policy::{Plan, Policy};
use domain::role::Role;
use domain::token::RevocationReason;
use domain::{Fault, Instant};
use serde_json::json;
use store::token_filter::TokenFilter;

/// The scope for reading organizations.
const READ: &str = "orgs:read";

/// The scope for changing organizations.
const WRITE: &str = "orgs:write";

/// An organization and the caller's role in it.
#[derive(Debug, Clone)]
pub struct OrganizationView {
    /// The organization.
    pub organization: Organization,
    /// The caller's role; `None` for the operator.
    pub role: Option<Role>,
}

impl OrganizationView {
    /// Sort key: creation time, then id.
    fn position(&self) -> (Instant, &str) {
        let organization = &self.organization;
        (organization.created_at, organization.id.as_str())
    }
}

/// Creates an organization owned by the caller.
pub async fn create(
    app: &App,
    context: &Context,
    caller: &Caller,
    name: &str,
    idempotency: IdempotencyRecord<Organization>,
) -> Result<Organization, Error> {
    match caller {
        Caller::Operator(None) => Err(Error::ActorRequired),
        caller => insert(app, context, caller, name, idempotency).await,
    }
}

/// Creates an organization for the operator. Without an owner it has no members at first.
pub async fn add(
    app: &App,
    context: &Context,
    owner: Option<UserId>,
    name: &str,
) -> Result<Organization, Error> {
    let operator = Caller::Operator(owner);
    insert(app, context, &operator, name, IdempotencyRecord::none()).await
}

async fn insert(
    app: &App,
    context: &Context,
    caller: &Caller,
    name: &str,
    idempotency: IdempotencyRecord<Organization>,
) -> Result<Organization, Error> {
    let name = domain::name("name", name)?;
    let now = app.now();
    let new = Organization {
        id: OrganizationId::new(now, app.id_seed()),
        slug: org::slug("name", &name)?,
        name,
        created_at: now,
        plan: Plan::Team,
        policy: Policy::default(),
    };
    let created = app.event(context, caller.actor(), Action::OrganizationCreated);
    let added = app.event(context, caller.actor(), Action::MemberAdded);
    let (handle, caller, row) = (app.clone(), caller.clone(), new);
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            authority.require_scope(WRITE, &ResourceRef::Any)?;
            if handle.config().organizations.made_by == Makers::Operator {
                caller.require_operator()?;
            }
            if authority.limits().organization.is_some() {
                return Err(Denial::Limited.into());
            }
            let owner = caller.user_id();
            if owner.is_none() {
                caller.require_operator()?;
            }
            store::org::insert_organization(conn, &row).map_err(|error| match error {
                store::Error::Duplicate => Error::from(Fault::new(
                    "name",
                    "Another organization has the address that results from this name. Choose another one.",
                )),
                error => error.into(),
            })?;
            created.write_in(
                conn,
                Some(&row.id),
                Some(row.id.as_str()),
                json!({"name": row.name}),
            )?;
            if let Some(owner) = owner {
                store::org::insert_membership(conn, &row.id, owner, Role::Owner, now)?;
                added.write_in(
                    conn,
                    Some(&row.id),
                    Some(owner.as_str()),
                    json!({"role": Role::Owner.as_str()}),
                )?;
            }
            idempotency.file(conn, &row)?;
            Ok(row.clone())
        })
        .await
}

/// Lists the organizations that the caller can access. An operator without an actor gets all, in
/// pages; other callers get theirs in one page.
pub async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Vec<OrganizationView>, Error> {
    let (handle, caller, page) = (app.clone(), caller.clone(), page.clone());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            authority.require_scope(READ, &ResourceRef::Any)?;
            let mut seen: Vec<OrganizationView> = match (&caller, authority.reach()) {
                (Caller::Operator(None), _) => {
                    let (after, limit) = (page.after(), page.look_for());
                    let all = store::org::list_organizations(conn, after, limit)?;
                    return Ok(all
                        .into_iter()
                        .map(|organization| OrganizationView {
                            organization,
                            role: None,
                        })
                        .collect());
                }
                (Caller::Operator(Some(id)), _) => store::org::list_memberships(conn, id)?
                    .into_iter()
                    .map(|membership| OrganizationView {
                        organization: membership.organization,
                        role: Some(membership.role),
                    })
                    .collect(),
                (_, reach) => {
                    let mut seen = Vec::new();
                    for id in reach.unwrap_or_default() {
                        if let Some(organization) = store::org::find_organization(conn, &id)? {
                            let role = authority.role_in(&id);
                            seen.push(OrganizationView { organization, role });
                        }
                    }
                    seen
                }
            };
            seen.sort_by(|a, b| a.position().cmp(&b.position()));
            seen.retain(|seen| page.after().is_none_or(|after| seen.position() > after));
            Ok(seen)
        })
        .await
}

/// One organization, by its id or slug.
pub async fn find(app: &App, caller: &Caller, named: &str) -> Result<OrganizationView, Error> {
    find_with(app, caller, named, READ).await
}

async fn find_with(
    app: &App,
    caller: &Caller,
    named: &str,
    scope: &'static str,
) -> Result<OrganizationView, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, scope, Role::Member)?;
            let role = match caller {
                Caller::Operator(_) => None,
                _ => authority.role_in(&organization.id),
            };
            Ok(OrganizationView { organization, role })
        })
        .await
}

/// One organization, for a caller with the scope to change it.
pub async fn find_to_change(
    app: &App,
    caller: &Caller,
    named: &str,
) -> Result<OrganizationView, Error> {
    find_with(app, caller, named, WRITE).await
}

/// Deletes an organization, for its owners. Deletes its projects, revokes its tokens and those
/// limited to it, and revokes all personal tokens of members without another organization.
pub async fn delete(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
) -> Result<Organization, Error> {
    let deleted = app.event(context, caller.actor(), Action::OrganizationDeleted);
    let revoked = app.events(context, caller.actor(), Action::TokenRevoked);
    let withdrawn = app.event(context, caller.actor(), Action::InvitationWithdrawn);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let found = authority.lock_organization(conn, &named, WRITE, Role::Owner)?;
            store::project::delete_projects(conn, &found.id)?;
            end_invitations(conn, &withdrawn, &found.id, None)?;
            let reason = RevocationReason::OrganizationDeleted;
            let filter = TokenFilter::Organization(found.id.clone());
            end_all(conn, &revoked.next(), &filter, None, reason)?;
            // Must run while the single-organization members can still be determined.
            let reason = RevocationReason::LeftOrganization;
            let filter = TokenFilter::SingleOrgMembers(found.id.clone());
            end_all(conn, &revoked.next(), &filter, None, reason)?;
            store::device::deny_approved_of_single_org_members(conn, &found.id)?;
            store::org::mark_deleted(conn, &found.id, deleted.at)?;
            deleted.write_in(
                conn,
                Some(&found.id),
                Some(found.id.as_str()),
                json!({"name": found.name}),
            )?;
            Ok(found)
        })
        .await
}
