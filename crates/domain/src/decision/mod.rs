//! The decision: whether a token's access request is allowed at this moment.
//!
//! One pure function over loaded facts. Introspection, the verify endpoint for proxies, the
//! management API and the pages all call it, so they always agree.

#[cfg(test)]
mod tests;

use super::id::{OrganizationId, ProjectId};
use super::policy::{PolicyDecision, Violation, better};
use super::project::Access;
use super::role::Role;
use super::scope::{Catalogue, Scope, ScopeName, ScopeSet};
use super::token::Limits;

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Whether the token is active: not expired, not revoked, its client active.
    pub token: TokenStatus,
    /// Whether its owner is active.
    pub owner: TokenStatus,
    /// The scopes that the token was granted.
    pub scopes: ScopeSet,
    /// The limits of the token.
    pub limits: Limits,
    /// The owner's access to organizations. An organization's own token has one entry.
    pub org_access: Vec<OrgAccess>,
    /// What a request that names no organization needs.
    pub unnamed: Unnamed,
}

/// What a token needs for a request that names no organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// Access to the home organization: the configuration names one.
    NeedsHome,
    /// Access to any organization that the operator created.
    NeedsOrganization,
    /// No organization: the operator created the token's owner without one. If the owner has
    /// organizations that the operator created, one of them must allow the token.
    NeedsNone,
}

/// Whether a token or its owner is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// It can be used.
    Active,
    /// It can no longer be used.
    Inactive,
}

/// Access to one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgAccess {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The owner's current role in it. An organization's own token has the role of an admin: an
    /// admin created it, and it must not exceed its creator's access.
    pub role: Role,
    /// Whether the organization's policy allows the token.
    pub policy_decision: PolicyDecision,
    /// How much it counts for a request that names no organization.
    pub standing: OrgStanding,
}

/// How much an organization counts for a request that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrgStanding {
    /// A user created it: nothing. Anyone could give themselves a role in it.
    UserMade,
    /// One of several that the operator created: its policy, and its role for a token that is
    /// limited to it. Nothing if the configuration names a home organization.
    OperatorMade,
    /// Its policy and its role count: it is the home organization. If the configuration names none,
    /// it is the only one that the operator created, or the owner of the token.
    Home,
}

/// The role of an organization's own tokens.
pub const ORGANIZATION_ROLE: Role = Role::Admin;

/// The resource of an access request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceRef {
    /// The request names none: what it is about depends on the API.
    Any,
    /// What belongs to the caller in Doorcode itself, such as its own tokens.
    Own,
    /// An organization.
    Organization(OrganizationId),
    /// A project.
    Project {
        /// The project.
        id: ProjectId,
        /// Its organization.
        organization_id: OrganizationId,
        /// Whether the token's owner was added to it. An organization's own token reaches
        /// all of its projects by its role.
        access: Access,
    },
    /// A resource that does not exist. Access to it is always denied.
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
            Self::Any | Self::Own | Self::Missing => None,
        }
    }
}

/// The scope and the resource that an operation needs.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// The scope that the token must carry; `None` if any token will do.
    pub scope: Option<&'a Scope>,
    /// The resource of the operation.
    pub resource: &'a ResourceRef,
}

/// Why an access request is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// The token is inactive: 401.
    Inactive,
    /// The token does not carry this scope.
    Scope(ScopeName),
    /// Its owner has no access to the resource, or the resource does not exist.
    NoAccess,
    /// The token is limited to other resources.
    Limited,
    /// The organization's policy does not allow the token.
    Policy(Violation),
    /// Its owner's role is lower than this one.
    Role(Role),
}

/// Decides an access request. `Ok` is the role for the operation: the role in the organization
/// that counts, if there is one.
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

/// The role of a token for a resource.
fn role_at(facts: &Facts, resource: &ResourceRef) -> Result<Option<Role>, DenyReason> {
    match resource {
        ResourceRef::Any => return role_unnamed(facts),
        ResourceRef::Own => return role_for_own(facts),
        _ => {}
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

/// The role for a request that names no organization. An organization that counts must allow the
/// token; otherwise such a request would bypass its policy. With a configured home, the request is
/// about the home: a token that is limited to another organization, where its owner may have a higher
/// role, is refused as if the request named the home.
fn role_unnamed(facts: &Facts) -> Result<Option<Role>, DenyReason> {
    let least = match facts.unnamed {
        Unnamed::NeedsHome => OrgStanding::Home,
        Unnamed::NeedsOrganization | Unnamed::NeedsNone => OrgStanding::OperatorMade,
    };
    let counted: Vec<_> = within(&facts.limits, &facts.org_access)
        .filter(|org_access| org_access.standing >= least)
        .collect();
    if counted.is_empty() {
        let mut org_access = facts.org_access.iter();
        return match org_access.any(|org_access| org_access.standing >= least) {
            true => Err(DenyReason::Limited),
            false => without_organization(facts),
        };
    }
    best(counted.iter().copied()).map_err(DenyReason::Policy)?;
    Ok(role_among(facts, counted.into_iter()))
}

/// The configured home organization, if it is the one that counts where a request names none.
pub fn organization_unnamed(facts: &Facts) -> Option<&OrganizationId> {
    if facts.unnamed != Unnamed::NeedsHome {
        return None;
    }
    within(&facts.limits, &facts.org_access)
        .find(|org_access| org_access.standing == OrgStanding::Home)
        .map(|org_access| &org_access.organization_id)
}

/// The role for what belongs to the caller. Any organization that the token reaches is enough: in
/// Doorcode's own API, its rights end at what it reaches. One that a user created refuses nothing
/// to a token that needs none.
fn role_for_own(facts: &Facts) -> Result<Option<Role>, DenyReason> {
    let within = || within(&facts.limits, &facts.org_access);
    if within().all(|org_access| org_access.standing == OrgStanding::UserMade) {
        match without_organization(facts) {
            Err(_) if within().next().is_some() => {}
            decided => return decided,
        }
    }
    best(within()).map_err(DenyReason::Policy)?;
    Ok(role_among(facts, reach(facts)))
}

/// The decision if no organization counts.
fn without_organization(facts: &Facts) -> Result<Option<Role>, DenyReason> {
    match facts.unnamed {
        Unnamed::NeedsNone if facts.limits.organization.is_none() => Ok(None),
        _ => Err(DenyReason::NoAccess),
    }
}

/// The role in the organization that the token is limited to, or else in the home organization.
fn role_among<'a>(facts: &Facts, org_access: impl Iterator<Item = &'a OrgAccess>) -> Option<Role> {
    let is_limited = facts.limits.organization.is_some();
    org_access
        .filter(|org_access| org_access.policy_decision.is_ok())
        .find(|org_access| is_limited || org_access.standing == OrgStanding::Home)
        .map(|org_access| org_access.role)
}

/// The policy decision on a token within these limits: that of the organizations that count most.
/// A token without organizations is allowed.
pub fn policy_decision(limits: &Limits, org_access: &[OrgAccess]) -> PolicyDecision {
    let most = within(limits, org_access)
        .map(|org_access| org_access.standing)
        .max();
    best(within(limits, org_access).filter(|org_access| Some(org_access.standing) == most))
}

/// The best policy decision; allowed if there is none.
fn best<'a>(org_access: impl Iterator<Item = &'a OrgAccess>) -> PolicyDecision {
    org_access
        .map(|org_access| org_access.policy_decision)
        .reduce(better)
        .unwrap_or(Ok(None))
}

/// The organization access within the limits, as a whole or for some projects.
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

/// The organizations that a token reaches, as a whole or in some projects.
pub fn reach(facts: &Facts) -> impl Iterator<Item = &OrgAccess> {
    within(&facts.limits, &facts.org_access).filter(|org_access| org_access.policy_decision.is_ok())
}

/// The token's scopes that are usable now where a request names no organization. A scope that was
/// removed from the catalogue is not usable.
pub fn scopes(facts: &Facts, catalogue: &Catalogue) -> ScopeSet {
    scopes_at(facts, catalogue, &ResourceRef::Any)
}

/// The token's scopes that are usable now for a resource, for which its owner's role may be lower
/// than for others.
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

/// The token's scopes that it can use for some resource: those that it can pass on to another.
pub fn scopes_to_pass_on(facts: &Facts, catalogue: &Catalogue) -> ScopeSet {
    let highest = reach(facts).map(|org_access| org_access.role).max();
    let own = scopes_at(facts, catalogue, &ResourceRef::Own);
    let granted = facts.scopes.iter().filter_map(|name| catalogue.find(name));
    granted
        .filter(|scope| {
            let is_usable = scope.min_role.is_some() && highest >= scope.min_role;
            is_usable || own.contains(&scope.name)
        })
        .map(|scope| scope.name.clone())
        .collect()
}

/// The highest role in organizations that the token reaches and the operator created.
pub fn highest_role_by_operator(facts: &Facts) -> Option<Role> {
    reach(facts)
        .filter(|org_access| org_access.standing > OrgStanding::UserMade)
        .map(|org_access| org_access.role)
        .max()
}
