//! The decision: whether a token may do what is asked of it, at this moment.
//!
//! One pure function over facts that were loaded for it. Introspection, the proxy's question,
//! the management API and the pages all call it, so they cannot disagree.

#[cfg(test)]
mod tests;

use super::id::{OrganizationId, ProjectId};
use super::org::Role;
use super::policy::{Admission, Violation, better};
use super::project::Access;
use super::scope::{Catalogue, Scope, ScopeName, ScopeSet};
use super::token::Limits;

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Whether the token can be used at all: not expired, not revoked, its client active.
    pub token: Vitality,
    /// Whether its owner may act.
    pub owner: Vitality,
    /// What the token was granted.
    pub scopes: ScopeSet,
    /// What it is limited to.
    pub limits: Limits,
    /// The organizations from which it could act. An organization's own token has one seat.
    pub seats: Vec<Seat>,
}

/// Whether something can be used or may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vitality {
    /// It can.
    Alive,
    /// It cannot any more.
    Dead,
}

/// A part in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The owner's present role in it. An organization's own token has that of an admin: it
    /// was made by one, and must not reach further than its maker could.
    pub role: Role,
    /// Whether the organization admits the token.
    pub admission: Admission,
}

/// The role of an organization's own tokens.
pub const ORGANIZATION_ROLE: Role = Role::Admin;

/// Where something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In no organization in particular.
    Anywhere,
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
    Nowhere,
}

impl Place {
    fn organization_id(&self) -> Option<&OrganizationId> {
        match self {
            Self::Organization(id)
            | Self::Project {
                organization_id: id,
                ..
            } => Some(id),
            Self::Anywhere | Self::Nowhere => None,
        }
    }
}

/// What is asked of a token.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// The scope that it must carry; `None` if any token will do.
    pub scope: Option<&'a Scope>,
    /// Where.
    pub place: &'a Place,
}

/// Why a token may not do what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be used: 401.
    Dead,
    /// It does not carry this scope.
    Scope(ScopeName),
    /// Its owner has no part in the place, or there is no such place.
    NoPart,
    /// It is limited to other places.
    Limited,
    /// The organization does not admit it.
    Policy(Violation),
    /// Its owner's role is less than this one.
    Role(Role),
}

/// Decides. The answer to an allowed demand is the role with which it is carried out: in the
/// place, or the highest one anywhere.
pub fn decide(facts: &Facts, demand: Demand<'_>) -> Result<Option<Role>, Refusal> {
    if facts.token == Vitality::Dead || facts.owner == Vitality::Dead {
        return Err(Refusal::Dead);
    }
    if let Some(scope) = demand.scope
        && !facts.scopes.contains(&scope.name)
    {
        return Err(Refusal::Scope(scope.name.clone()));
    }
    let role = role_at(facts, demand.place)?;
    match demand.scope.and_then(|scope| scope.min_role) {
        Some(least) if role < Some(least) => Err(Refusal::Role(least)),
        _ => Ok(role),
    }
}

/// The role with which a token acts in a place.
fn role_at(facts: &Facts, place: &Place) -> Result<Option<Role>, Refusal> {
    if *place == Place::Anywhere {
        return role_anywhere(facts);
    }
    let seat = place
        .organization_id()
        .and_then(|id| facts.seats.iter().find(|seat| seat.organization_id == *id))
        .ok_or(Refusal::NoPart)?;
    if let Place::Project {
        access: Access::NotAdded,
        ..
    } = place
        && seat.role < Role::Admin
    {
        return Err(Refusal::NoPart);
    }
    let is_within = match place {
        Place::Project { id, .. } => facts.limits.allow_project(&seat.organization_id, id),
        _ => facts.limits.allow_organization(&seat.organization_id),
    };
    if !is_within {
        return Err(Refusal::Limited);
    }
    seat.admission.map_err(Refusal::Policy)?;
    Ok(Some(seat.role))
}

/// The highest role of a token. One that no organization admits may do nothing at all, or a
/// policy would not hold where nobody names a place. An owner who is in no organization has
/// no role, and may do what needs none.
fn role_anywhere(facts: &Facts) -> Result<Option<Role>, Refusal> {
    admission(&facts.limits, &facts.seats).map_err(Refusal::Policy)?;
    match reach(facts).map(|seat| seat.role).max() {
        None if facts.limits.organization.is_some() => Err(Refusal::NoPart),
        role => Ok(role),
    }
}

/// Whether a token of these limits is admitted anywhere. One whose owner is in no organization
/// needs nobody's admission.
pub fn admission(limits: &Limits, seats: &[Seat]) -> Admission {
    let admissions = within(limits, seats).map(|seat| seat.admission);
    admissions.reduce(better).unwrap_or(Ok(None))
}

/// The seats that limits leave, wholly or for some of their projects.
fn within<'a>(limits: &'a Limits, seats: &'a [Seat]) -> impl Iterator<Item = &'a Seat> {
    let limit = limits.organization.as_ref();
    let is_left = move |seat: &&Seat| limit.is_none_or(|limit| *limit == seat.organization_id);
    seats.iter().filter(is_left)
}

/// The organizations that a token reaches, wholly or in some of their projects.
pub fn reach(facts: &Facts) -> impl Iterator<Item = &Seat> {
    within(&facts.limits, &facts.seats).filter(|seat| seat.admission.is_ok())
}

/// What of a token's scopes it may use now, somewhere. A scope that has left the catalogue is
/// nobody's.
pub fn scopes(facts: &Facts, catalogue: &Catalogue) -> ScopeSet {
    scopes_at(facts, catalogue, &Place::Anywhere)
}

/// What of a token's scopes it may use now in a place, where its owner's role may be less than
/// elsewhere.
pub fn scopes_at(facts: &Facts, catalogue: &Catalogue, place: &Place) -> ScopeSet {
    let granted = facts.scopes.iter();
    granted
        .filter_map(|name| catalogue.find(name))
        .filter(|scope| {
            let scope = Some(*scope);
            decide(facts, Demand { scope, place }).is_ok()
        })
        .map(|scope| scope.name.clone())
        .collect()
}
