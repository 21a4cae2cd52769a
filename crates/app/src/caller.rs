//! Who asks, and what they may do at this moment: a person in a browser, a token, or the
//! operator. Every use case that needs a right asks here, inside its own transaction.

use super::session::SignedIn;
use super::token::{self, ActiveToken};
use super::{App, Error};
use domain::audit::Actor;
use domain::decision::{
    self, AccessRequest, DenyReason, Facts, OrgAccess, ResourceRef, TokenStatus,
};
use domain::id::{OrganizationId, ProjectId, UserId};
use domain::org::{Organization, Role, is_slug};
use domain::policy::Violation;
use domain::project::Project;
use domain::scope::{ScopeName, ScopeSet};
use domain::token::{Limits, TokenOwner};
use store::Conn;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A person in a browser, with all rights of its roles.
    User(Box<SignedIn>),
    /// A token.
    Token(Box<ActiveToken>),
    /// The operator, for a person if it named one. It passes every check.
    Operator(Option<UserId>),
}

/// Why a caller who is known may not do what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The token does not carry this scope.
    Scope(ScopeName),
    /// There is no such scope: nobody carries it.
    UnknownScope,
    /// The caller has no part in the place, or there is no such place.
    NoAccess,
    /// The token is limited to other places.
    Limited,
    /// The organization does not admit the token.
    Policy(Violation),
    /// The caller's role is less than this one.
    Role(Role),
    /// Only the operator may.
    OperatorRequired,
    /// A token cannot give what it has not: its scopes and its limits bound those that it
    /// makes.
    BeyondToken,
}

impl Denial {
    /// The code by which programs know the denial.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scope(_) | Self::UnknownScope => "insufficient_scope",
            Self::Policy(Violation::Plan) => "plan_required",
            Self::Policy(_) => "policy",
            Self::OperatorRequired => "operator_required",
            Self::NoAccess | Self::Limited | Self::Role(_) | Self::BeyondToken => "forbidden",
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

impl Caller {
    /// A person in a browser.
    pub fn signed_in(signed_in: &SignedIn) -> Self {
        Self::User(Box::new(signed_in.clone()))
    }

    /// The caller as the audit log names it.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User(signed_in) => signed_in.actor(),
            Self::Token(active) => Actor::Token(active.token.id.clone(), self.user_id().cloned()),
            Self::Operator(None) => Actor::Operator,
            Self::Operator(Some(id)) => Actor::OperatorFor(id.clone()),
        }
    }

    /// Who made what the caller makes, as it is remembered with it: the person behind the
    /// caller if there is one.
    pub fn maker(&self) -> String {
        match self {
            Self::Operator(_) => Actor::Operator.label().to_owned(),
            caller => match caller.user_id() {
                Some(id) => id.to_string(),
                None => caller.actor().label().to_owned(),
            },
        }
    }

    /// Names the caller for what is kept apart by caller, such as repeated requests.
    pub fn identity(&self) -> String {
        match self {
            Self::User(signed_in) => signed_in.user.id.to_string(),
            Self::Token(active) => active.token.id.to_string(),
            Self::Operator(None) => "operator".to_owned(),
            Self::Operator(Some(id)) => format!("operator {id}"),
        }
    }

    /// The person that the caller is or acts for.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(signed_in) => Some(&signed_in.user.id),
            Self::Token(active) => match &active.token.owner {
                TokenOwner::User(id) => Some(id),
                TokenOwner::Organization(_) => None,
            },
            Self::Operator(id) => id.as_ref(),
        }
    }

    /// The client by which the caller came to its power, if by one.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Token(active) => active.token.client_id.as_deref(),
            Self::User(_) | Self::Operator(_) => None,
        }
    }

    /// Whose tokens are the caller's own. Fails with a fault for an operator that names
    /// nobody.
    pub fn owner(&self) -> Result<TokenOwner, Error> {
        match self {
            Self::Token(active) => Ok(active.token.owner.clone()),
            caller => caller
                .user_id()
                .map(|id| TokenOwner::User(id.clone()))
                .ok_or(Error::ActorRequired),
        }
    }

    /// Fails unless the caller is the operator.
    pub fn require_operator(&self) -> Result<(), Error> {
        match self {
            Self::Operator(_) => Ok(()),
            _ => Err(Denial::OperatorRequired.into()),
        }
    }

    /// What the caller may do at this moment, for what changes nothing.
    pub(super) fn authority(&self, app: &App, conn: &mut Conn) -> Result<Authority, Error> {
        let facts = match self {
            Self::Operator(None) => None,
            Self::Operator(Some(id)) => {
                token::find_owner(conn, id)?.ok_or(Error::ActorUnknown)?;
                None
            }
            Self::User(signed_in) => {
                let owner =
                    token::find_owner(conn, &signed_in.user.id)?.ok_or(Error::Unauthenticated)?;
                Some(Facts {
                    token: TokenStatus::Active,
                    owner: TokenStatus::Active,
                    scopes: app.config().scopes.names(),
                    limits: Limits::default(),
                    org_access: owner
                        .memberships
                        .iter()
                        .map(|membership| OrgAccess {
                            organization_id: membership.organization.id.clone(),
                            role: membership.role,
                            policy_decision: Ok(None),
                        })
                        .collect(),
                })
            }
            Self::Token(active) => {
                let again = store::token::find_token(conn, &active.token.id)?
                    .ok_or(Error::Unauthenticated)?;
                Some(token::load(app, conn, again)?.facts)
            }
        };
        Ok(Authority {
            app: app.clone(),
            user_id: self.user_id().cloned(),
            facts,
        })
    }

    /// The same for a change, in its transaction: the caller's account cannot be deactivated
    /// or leave an organization before the change is done.
    pub(super) fn lock_authority(&self, app: &App, conn: &mut Conn) -> Result<Authority, Error> {
        if let Some(id) = self.user_id() {
            store::user::lock_user_shared(conn, id)?;
        }
        self.authority(app, conn)
    }
}

/// Fails if the person that the operator acts for is unknown or deactivated.
pub async fn check_actor(app: &App, caller: &Caller) -> Result<(), Error> {
    let (handle, caller) = (app.clone(), caller.clone());
    app.store()
        .read(move |conn| caller.authority(&handle, conn).map(drop))
        .await
}

/// What a caller may do at one moment.
pub(super) struct Authority {
    app: App,
    user_id: Option<UserId>,
    /// `None` for the operator, who may do everything.
    facts: Option<Facts>,
}

impl Authority {
    /// Fails unless the caller carries a built-in scope and has at least this role in the
    /// place.
    pub(super) fn require(
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

    /// Fails unless the caller carries a built-in scope there; tells its role.
    pub(super) fn require_scope(
        &self,
        scope: &str,
        resource: &ResourceRef,
    ) -> Result<Option<Role>, Error> {
        let Some(facts) = &self.facts else {
            return Ok(Some(Role::Owner));
        };
        let catalogue = &self.app.config().scopes;
        // A demand without a scope would be met by any token.
        let scope = ScopeName::parse(scope).and_then(|name| catalogue.find(&name));
        let scope = Some(scope.ok_or(Denial::UnknownScope)?);
        Ok(decision::decide(facts, AccessRequest { scope, resource })?)
    }

    /// The organization of this id or address, if the caller may do this in it.
    pub(super) fn organization(
        &self,
        conn: &mut Conn,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Organization, Error> {
        let found = find_organization(conn, named)?;
        let resource = match &found {
            Some(organization) => ResourceRef::Organization(organization.id.clone()),
            None => ResourceRef::Missing,
        };
        self.require(scope, &resource, least)?;
        found.ok_or(Error::NotFound)
    }

    /// The same, held so that nobody else changes the organization or its members meanwhile.
    pub(super) fn lock_organization(
        &self,
        conn: &mut Conn,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Organization, Error> {
        let found = self.organization(conn, named, scope, least)?;
        store::org::lock_organization(conn, &found.id)?.ok_or(Denial::NoAccess.into())
    }

    /// The project of this id, if the caller may do this in it.
    pub(super) fn project(
        &self,
        conn: &mut Conn,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Project, Error> {
        let (found, resource) = find_project(conn, named, self.user_id.as_ref())?;
        self.require(scope, &resource, least)?;
        found.ok_or(Error::NotFound)
    }

    /// The same, held so that nobody else changes or deletes the project meanwhile.
    pub(super) fn lock_project(
        &self,
        conn: &mut Conn,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Project, Error> {
        let found = self.project(conn, named, scope, least)?;
        store::project::lock_project(conn, &found.id)?.ok_or(Denial::NoAccess.into())
    }

    /// What the caller's own power is bounded by; `None` for whoever is no token.
    pub(super) fn scopes(&self) -> Option<ScopeSet> {
        let facts = self.facts.as_ref()?;
        Some(decision::scopes(facts, &self.app.config().scopes))
    }

    /// What the caller is limited to.
    pub(super) fn limits(&self) -> Limits {
        match &self.facts {
            Some(facts) => facts.limits.clone(),
            None => Limits::default(),
        }
    }

    /// The organizations that the caller reaches; `None` for the operator, who reaches all.
    pub(super) fn reach(&self) -> Option<Vec<OrganizationId>> {
        let facts = self.facts.as_ref()?;
        Some(
            decision::reach(facts)
                .map(|org_access| org_access.organization_id.clone())
                .collect(),
        )
    }

    /// The caller's role in an organization; the operator's is that of an owner.
    pub(super) fn role_in(&self, id: &OrganizationId) -> Option<Role> {
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

/// The organization of this id or address.
pub(super) fn find_organization(
    conn: &mut Conn,
    named: &str,
) -> Result<Option<Organization>, Error> {
    Ok(match OrganizationId::parse(named) {
        Some(id) => store::org::find_organization(conn, &id)?,
        None if is_slug(named) => store::org::find_organization_by_slug(conn, named)?,
        None => None,
    })
}

/// The project of this id, and the place that it is for a person.
pub(super) fn find_project(
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
