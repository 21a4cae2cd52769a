//! The permissions of a caller, and the reasons of refusals.

use crate::{App, Error};
use domain::decision::{self, AccessRequest, DenyReason, Facts, ResourceRef};
use domain::id::{OrganizationId, ProjectId, TokenId, UserId};
use domain::org::{Organization, is_slug};
use domain::policy::Violation;
use domain::project::Project;
use domain::role::Role;
use domain::scope::{ScopeName, ScopeSet};
use domain::token::Limits;
use std::time::Duration;
use store::Conn;

/// Why an authenticated caller is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The token does not carry this scope.
    Scope(ScopeName),
    /// The scope is not in the catalogue, so that no token carries it.
    UnknownScope,
    /// The caller has no access to the resource, or the resource does not exist.
    NoAccess,
    /// No organization allows the user to have such a token.
    NoOrganization,
    /// The limits of the token exclude the resource.
    Limited,
    /// The organization's policy refuses the token.
    Policy(Violation),
    /// The caller's role is lower than this one.
    Role(Role),
    /// The owner of this token has to sign in again for it: the last time is longer ago than this.
    NotConfirmed(TokenId, Duration),
    /// The owner of the token must have signed in recently, and an organization cannot.
    UserRequired,
    /// Only the operator is allowed.
    OperatorRequired,
    /// Only a user in a browser, or the operator, is allowed.
    SessionRequired,
    /// A token can create only tokens within its own scopes and limits.
    BeyondToken,
}

impl Denial {
    /// Machine-readable error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scope(_) | Self::UnknownScope => "insufficient_scope",
            Self::Policy(Violation::Plan) => "plan_required",
            Self::Policy(_) => "policy",
            Self::NotConfirmed(..) => "insufficient_user_authentication",
            Self::UserRequired => "user_required",
            Self::OperatorRequired => "operator_required",
            Self::NoAccess
            | Self::NoOrganization
            | Self::SessionRequired
            | Self::Limited
            | Self::Role(_)
            | Self::BeyondToken => "forbidden",
        }
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Self::Forbidden(denial)
    }
}

impl From<DenyReason> for Error {
    fn from(refusal: DenyReason) -> Self {
        Self::Forbidden(match refusal {
            DenyReason::Inactive => return Self::Unauthenticated,
            DenyReason::Scope(name) => Denial::Scope(name),
            DenyReason::NoAccess => Denial::NoAccess,
            DenyReason::Limited => Denial::Limited,
            DenyReason::Policy(violation) => Denial::Policy(violation),
            DenyReason::Role(role) => Denial::Role(role),
        })
    }
}

/// The permissions of a caller at one moment.
pub(crate) struct Authority {
    pub(super) app: App,
    /// `None` for the operator, who is allowed everything.
    pub(super) facts: Option<Facts>,
}

impl Authority {
    /// Fails unless the caller has a built-in scope and at least this role for the resource.
    pub(crate) fn require(
        &self,
        scope: &str,
        resource: &ResourceRef,
        least: Role,
    ) -> Result<(), Error> {
        let role = self.require_scope(scope, resource)?;
        match role < Some(least) && self.facts.is_some() {
            true => Err(Denial::Role(least).into()),
            false => Ok(()),
        }
    }

    /// Fails unless the caller has a built-in scope for the resource; returns the caller's role.
    pub(crate) fn require_scope(
        &self,
        scope: &str,
        resource: &ResourceRef,
    ) -> Result<Option<Role>, Error> {
        let Some(facts) = &self.facts else {
            return Ok(Some(Role::Owner));
        };
        let catalogue = &self.app.config().scopes;
        // Any token would satisfy an access request without a scope.
        let scope = Some(catalogue.built_in(scope).ok_or(Denial::UnknownScope)?);
        decision::decide(facts, AccessRequest { scope, resource }).map_err(|reason| match reason {
            DenyReason::Scope(name) if catalogue.find(&name).is_none() => {
                Denial::UnknownScope.into()
            }
            reason => reason.into(),
        })
    }

    /// The scopes that the caller can pass on; `None` for the operator.
    pub(crate) fn scopes(&self) -> Option<ScopeSet> {
        let facts = self.facts.as_ref()?;
        let catalogue = &self.app.config().scopes;
        Some(decision::scopes_to_pass_on(facts, catalogue))
    }

    /// Fails unless the caller has a built-in scope and at least this role in an organization that
    /// the operator created.
    pub(crate) fn require_anywhere(&self, scope: &str, least: Role) -> Result<(), Error> {
        self.require_scope(scope, &ResourceRef::Own)?;
        let Some(facts) = &self.facts else {
            return Ok(());
        };
        match decision::highest_role_by_operator(facts) >= Some(least) {
            true => Ok(()),
            false => Err(Denial::Role(least).into()),
        }
    }

    /// The limits of the caller's token; empty for other callers.
    pub(crate) fn limits(&self) -> Limits {
        match &self.facts {
            Some(facts) => facts.limits.clone(),
            None => Limits::default(),
        }
    }

    /// The organizations that the caller can access; `None` for the operator, who can access all.
    pub(crate) fn reach(&self) -> Option<Vec<OrganizationId>> {
        let facts = self.facts.as_ref()?;
        Some(
            decision::reach(facts)
                .map(|org_access| org_access.organization_id.clone())
                .collect(),
        )
    }

    /// The caller's role in an organization; the operator has that of an owner.
    pub(crate) fn role_in(&self, id: &OrganizationId) -> Option<Role> {
        match &self.facts {
            None => Some(Role::Owner),
            Some(facts) => facts
                .org_access
                .iter()
                .find(|org_access| org_access.organization_id == *id)
                .map(|org_access| org_access.role),
        }
    }
}

/// The organization with this id or slug.
pub(crate) fn find_organization(
    conn: &mut Conn,
    named: &str,
) -> Result<Option<Organization>, Error> {
    Ok(match OrganizationId::parse(named) {
        Some(id) => store::org::find_organization(conn, &id)?,
        None if is_slug(named) => store::org::find_organization_by_slug(conn, named)?,
        None => None,
    })
}

/// The project with this id, and the resource that it is for a user.
pub(crate) fn find_project(
    conn: &mut Conn,
    named: &str,
    user_id: Option<&UserId>,
) -> Result<(Option<Project>, ResourceRef), Error> {
    let found = match ProjectId::parse(named) {
        Some(id) => store::project::find_project(conn, &id)?,
        None => None,
    };
    let resource = match &found {
        Some(project) => find_resource(conn, project, user_id)?,
        None => ResourceRef::Missing,
    };
    Ok((found, resource))
}

fn find_resource(
    conn: &mut Conn,
    project: &Project,
    user_id: Option<&UserId>,
) -> Result<ResourceRef, Error> {
    let access = match user_id {
        Some(user_id) => store::project::find_access(conn, &project.id, user_id)?,
        None => domain::project::Access::NotAdded,
    };
    Ok(ResourceRef::Project {
        id: project.id.clone(),
        organization_id: project.organization_id.clone(),
        access,
    })
}
