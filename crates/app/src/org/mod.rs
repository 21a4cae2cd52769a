//! Organizations, their members, their policy and the invitations to them.

mod acceptance;
mod directory;
mod invitation;
mod invitations;
mod invited_user;
mod joining;
mod letter;
mod member;
mod overview;
mod policy;
mod token_access;
mod token_block;
mod token_reach;
mod unnamed;

use acceptance::may_create_user;
pub use acceptance::{NewUser, Offer, accept, look_at};
pub use directory::{ListedOrganization, list_all};
pub(super) use invitation::end_invitations;
pub use invitation::{
    CreateInvitation, NewInvitation, Open, find_invitation, find_new_invitation,
    invitation_form_nonce, invitation_of_form, invite, list_invitations, withdraw,
};
pub use invitations::{InviteOutcome, Invited, InvitedAddress, MOST_INVITED, invite_all};
pub use invited_user::{Entered, enter};
pub(super) use joining::{Joining, join, joining};
pub use letter::{InvitationLetter, invite_again, send_invitation};
pub use member::{add_member, create_member_reset, list_members, put_member, remove_member};
pub(super) use member::{depart, leave_all};
pub use overview::{
    Departure, Extent, MemberSearch, Roster, Size, count_gated, departure, extent, find_member,
    first_of_user, is_member, roster, search_members, size,
};
pub use policy::{Affected, Effect, Tightening, UpdateOrganization, UpdatePolicy, review, update};
pub use token_access::{
    AccessSearch, Attention, FoundAccess, SHOWN, TokenAccess, attention, search_access,
};
pub use token_block::{
    NewRotationRequest, ReachingToken, block, find_reaching, request_rotation,
    send_rotation_request, unblock,
};
pub use token_reach::{AccessPart, MOST_READ, Urgent};
pub use unnamed::unnamed_roles;

use super::token::{deny_approved, end_all};
use super::{Error, Request};
use crate::access::{Caller, Denial, find_organization};
use crate::audit::Target;
use config::Makers;
use domain::audit::Action;
use domain::id::OrganizationId;
use domain::org::{self, Maker, Organization};
use domain::page::Page;
use domain::role::Role;
use domain::token::RevocationReason;
use domain::{Fault, Instant};
use serde_json::json;
use store::device::Approvals;
use store::token_filter::TokenFilter;

/// The scope for reading organizations.
pub const READ: &str = "orgs:read";

/// The scope for changing organizations.
pub const WRITE: &str = "orgs:write";

/// The organization that a command of the operator names, by its id, slug or name. Only an id names
/// one that a user created, because the user chose its name.
pub(super) async fn find_for_operator(req: &Request, named: &str) -> Result<Organization, Error> {
    req.caller.require_operator()?;
    let fault = |message: &str| Error::from(Fault::new("org", message));
    let id_or_slug = match OrganizationId::parse(named) {
        Some(id) => id.to_string(),
        None => org::slug("org", named)?,
    };
    let found = req
        .read(move |tx| find_organization(tx.conn, &id_or_slug))
        .await?
        .ok_or_else(|| fault("There is no such organization."))?;
    match found.made_by == Maker::Operator || found.id.as_str() == named {
        true => Ok(found),
        false => Err(fault(
            "A user created this organization. To name it, enter its ID.",
        )),
    }
}

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

/// Creates an organization owned by the caller. Fails with [`Error::ActorRequired`] for an operator
/// without an actor.
pub async fn create(req: &Request, name: &str) -> Result<Organization, Error> {
    match req.caller {
        Caller::Operator(None) => Err(Error::ActorRequired),
        _ => add(req, name).await,
    }
}

/// Creates an organization. It has no members at first if the caller is an operator without an
/// actor.
pub async fn add(req: &Request, name: &str) -> Result<Organization, Error> {
    let name = req.app.names().check("name", name)?;
    let slug = org::slug("name", &name)?;
    req.change(Action::OrganizationCreated, move |tx| {
        tx.require_scope(WRITE)?;
        if tx.config().organizations.made_by == Makers::Operator {
            tx.caller().require_operator()?;
        }
        if tx.limits()?.organization.is_some() {
            return Err(Denial::Limited.into());
        }
        let owner = tx.caller().user_id();
        let new = Organization {
            id: tx.id(OrganizationId::new),
            slug: slug.clone(),
            name: name.clone(),
            created_at: tx.now,
            plan: tx.config().new_organizations.plan,
            policy: tx.config().new_organizations.policy,
            made_by: match tx.caller() {
                Caller::Operator(_) | Caller::Console(_) => Maker::Operator,
                _ => Maker::User(owner.ok_or(Denial::OperatorRequired)?.clone()),
            },
        };
        store::org::insert_organization(tx.conn, &new).map_err(|error| match error {
            store::Error::Duplicate => Error::from(Fault::new(
                "name",
                "Another organization has or had the address that results from this name. Choose another one.",
            )),
            error => error.into(),
        })?;
        tx.record(&new, json!({"name": new.name}))?;
        if let Some(owner) = owner {
            store::org::insert_membership(tx.conn, &new, owner, Role::Owner, tx.now)?;
            tx.record_as(
                Action::MemberAdded,
                Target::within(&new.id, owner.as_str()),
                json!({"role": Role::Owner.as_str()}),
            )?;
        }
        Ok(new)
    })
    .await
}

/// Lists the organizations that the caller can access. An operator without an actor gets all, in
/// pages; other callers get theirs in one page.
pub async fn list(req: &Request, page: &Page) -> Result<Vec<OrganizationView>, Error> {
    let page = page.clone();
    req.read(move |tx| {
        tx.require_scope(READ)?;
        let mut seen: Vec<OrganizationView> = match tx.caller() {
            Caller::Operator(None) | Caller::Console(_) => {
                let all = store::org::list_organizations(tx.conn, &page)?;
                return Ok(all
                    .into_iter()
                    .map(|organization| OrganizationView {
                        organization,
                        role: None,
                    })
                    .collect());
            }
            Caller::Operator(Some(id)) => store::org::list_memberships(tx.conn, id)?
                .into_iter()
                .map(|membership| OrganizationView {
                    organization: membership.organization,
                    role: Some(membership.role),
                })
                .collect(),
            _ => {
                let authority = tx.authority()?;
                let mut seen = Vec::new();
                for id in authority.reach().unwrap_or_default() {
                    if let Some(organization) = store::org::find_organization(tx.conn, &id)? {
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
pub async fn find(req: &Request, named: &str) -> Result<OrganizationView, Error> {
    find_with(req, named, READ).await
}

async fn find_with(
    req: &Request,
    named: &str,
    scope: &'static str,
) -> Result<OrganizationView, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = tx.organization(&named, scope, Role::Member)?;
        let role = match tx.caller() {
            Caller::Operator(_) | Caller::Console(_) => None,
            _ => tx.authority()?.role_in(&organization.id),
        };
        Ok(OrganizationView { organization, role })
    })
    .await
}

/// One organization, for a caller with the scope to change it.
pub async fn find_to_change(req: &Request, named: &str) -> Result<OrganizationView, Error> {
    find_with(req, named, WRITE).await
}

/// Deletes an organization, for its owners. Deletes its projects, revokes its tokens and those
/// limited to it, and revokes all personal tokens of members whose access depends on it alone. Its
/// slug is not given out again.
pub async fn delete(req: &Request, named: &str) -> Result<Organization, Error> {
    let named = named.to_owned();
    req.change(Action::OrganizationDeleted, move |tx| {
        let found = tx.lock_organization(&named, WRITE, Role::Owner)?;
        tx.require_recent_sign_in()?;
        // Recorded first: records are sealed in order of creation, the cause before its
        // consequences.
        tx.record(&found, json!({"name": found.name}))?;
        store::project::delete_projects(tx.conn, &found.id)?;
        end_invitations(tx, &found.id, None)?;
        let reason = RevocationReason::OrganizationDeleted;
        let filter = TokenFilter::Organization(found.id.clone());
        end_all(tx, &filter, None, reason)?;
        // Must run while the single-organization members can still be determined.
        let reason = RevocationReason::LeftOrganization;
        let filter = TokenFilter::SingleOrgMembers(found.id.clone());
        end_all(tx, &filter, None, reason)?;
        deny_approved(tx, Approvals::OfSingleOrgMembers(&found.id), None)?;
        store::org::mark_deleted(tx.conn, &found.id, tx.now)?;
        Ok(found)
    })
    .await
}
