//! The decision: whether a token may do what is asked of it, at this moment.
//!
//! One pure function over facts that were loaded for it. Introspection, the proxy's question,
//! the management API and the pages all call it, so they cannot disagree.

#[cfg(test)]
mod tests;

use super::id::{OrganizationId, ProjectId};
use super::org::Role;
use super::policy::{PolicyDecision, Violation, better};
use super::project::Access;
use super::scope::{Catalogue, Scope, ScopeName, ScopeSet};
use super::token::Limits;

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Whether the token can be used at all: not expired, not revoked, its client active.
    pub token: TokenStatus,
    /// Whether its owner may act.
    pub owner: TokenStatus,
    /// What the token was granted.
    pub scopes: ScopeSet,
    /// What it is limited to.
    pub limits: Limits,
    /// The organizations from which it could act. An organization's own token has one seat.
    pub org_access: Vec<OrgAccess>,
}

/// Whether something can be used or may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// It can.
    Active,
    /// It cannot any more.
    Inactive,
}

/// A part in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgAccess {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The owner's present role in it. An organization's own token has that of an admin: it
    /// was made by one, and must not reach further than its maker could.
    pub role: Role,
    /// Whether the organization admits the token.
    pub policy_decision: PolicyDecision,
}

/// The role of an organization's own tokens.
pub const ORGANIZATION_ROLE: Role = Role::Admin;

/// Where something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceRef {
    /// In no organization in particular.
    Any,
    /// In an organization.
    Organization(OrganizationId),
    /// In a project.
    Project {
        /// The project.
        id: ProjectId,
        /// Its organization.
        organization_id: OrganizationId,
        /// Whether the token's owner was added to it. An organization's own token reaches
        /// all of its projects by its role.
        access: Access,
    },
    /// In a place that does not exist. Nobody has a part in it.
    Missing,
}

impl ResourceRef {
    fn organization_id(&self) -> Option<&OrganizationId> {
        match self {
            Self::Organization(id)
            | Self::Project {
                organization_id: id,
                ..
            } => Some(id),
            Self::Any | Self::Missing => None,
        }
    }
}

/// What is asked of a token.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// The scope that it must carry; `None` if any token will do.
    pub scope: Option<&'a Scope>,
    /// Where.
    pub resource: &'a ResourceRef,
}

/// Why a token may not do what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// It cannot be used: 401.
    Inactive,
    /// It does not carry this scope.
    Scope(ScopeName),
    /// Its owner has no part in the place, or there is no such place.
    NoAccess,
    /// It is limited to other places.
    Limited,
    /// The organization does not admit it.
    Policy(Violation),
    /// Its owner's role is less than this one.
    Role(Role),
}

/// Decides. The answer to an allowed demand is the role with which it is carried out: in the
/// place, or the highest one anywhere.
pub fn decide(
    facts: &Facts,
    access_request: AccessRequest<'_>,
) -> Result<Option<Role>, DenyReason> {
    if facts.token == TokenStatus::Inactive || facts.owner == TokenStatus::Inactive {
        return Err(DenyReason::Inactive);
    }
    if let Some(scope) = access_request.scope
        && !facts.scopes.contains(&scope.name)
    {
        return Err(DenyReason::Scope(scope.name.clone()));
    }
    let role = role_at(facts, access_request.resource)?;
    match access_request.scope.and_then(|scope| scope.min_role) {
        Some(least) if role < Some(least) => Err(DenyReason::Role(least)),
        _ => Ok(role),
    }
}

/// The role with which a token acts in a place.
fn role_at(facts: &Facts, resource: &ResourceRef) -> Result<Option<Role>, DenyReason> {
    if *resource == ResourceRef::Any {
        return role_anywhere(facts);
    }
    let org_access = resource
        .organization_id()
        .and_then(|id| {
            facts
                .org_access
                .iter()
                .find(|org_access| org_access.organization_id == *id)
        })
        .ok_or(DenyReason::NoAccess)?;
    if let ResourceRef::Project {
        access: Access::NotAdded,
        ..
    } = resource
        && org_access.role < Role::Admin
    {
        return Err(DenyReason::NoAccess);
    }
    let is_within = match resource {
        ResourceRef::Project { id, .. } => {
            facts.limits.allow_project(&org_access.organization_id, id)
        }
        _ => facts.limits.allow_organization(&org_access.organization_id),
    };
    if !is_within {
        return Err(DenyReason::Limited);
    }
    org_access.policy_decision.map_err(DenyReason::Policy)?;
    Ok(Some(org_access.role))
}

/// The highest role of a token. One that no organization admits may do nothing at all, or a
/// policy would not hold where nobody names a place. An owner who is in no organization has
/// no role, and may do what needs none.
fn role_anywhere(facts: &Facts) -> Result<Option<Role>, DenyReason> {
    policy_decision(&facts.limits, &facts.org_access).map_err(DenyReason::Policy)?;
    match reach(facts).map(|org_access| org_access.role).max() {
        None if facts.limits.organization.is_some() => Err(DenyReason::NoAccess),
        role => Ok(role),
    }
}

/// Whether a token of these limits is admitted anywhere. One whose owner is in no organization
/// needs nobody's admission.
pub fn policy_decision(limits: &Limits, org_access: &[OrgAccess]) -> PolicyDecision {
    let admissions = within(limits, org_access).map(|org_access| org_access.policy_decision);
    admissions.reduce(better).unwrap_or(Ok(None))
}

/// The seats that limits leave, wholly or for some of their projects.
fn within<'a>(
    limits: &'a Limits,
    org_access: &'a [OrgAccess],
) -> impl Iterator<Item = &'a OrgAccess> {
    let limit = limits.organization.as_ref();
    let is_left = move |org_access: &&OrgAccess| {
        limit.is_none_or(|limit| *limit == org_access.organization_id)
    };
    org_access.iter().filter(is_left)
}

/// The organizations that a token reaches, wholly or in some of their projects.
pub fn reach(facts: &Facts) -> impl Iterator<Item = &OrgAccess> {
    within(&facts.limits, &facts.org_access).filter(|org_access| org_access.policy_decision.is_ok())
}

/// What of a token's scopes it may use now, somewhere. A scope that has left the catalogue is
/// nobody's.
pub fn scopes(facts: &Facts, catalogue: &Catalogue) -> ScopeSet {
    scopes_at(facts, catalogue, &ResourceRef::Any)
}

/// What of a token's scopes it may use now in a place, where its owner's role may be less than
/// elsewhere.
pub fn scopes_at(facts: &Facts, catalogue: &Catalogue, resource: &ResourceRef) -> ScopeSet {
    let granted = facts.scopes.iter();
    granted
        .filter_map(|name| catalogue.find(name))
        .filter(|scope| {
            let scope = Some(*scope);
            decide(facts, AccessRequest { scope, resource }).is_ok()
        })
        .map(|scope| scope.name.clone())
        .collect()
}
