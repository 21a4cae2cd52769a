//! Token owners and their memberships, which determine the permissions of their tokens.

use super::authority::Denial;
use crate::{App, Error, Request};
use config::Lifetime;
use domain::Instant;
use domain::decision::{ORGANIZATION_ROLE, OrgAccess, OrgStanding, Unnamed};
use domain::id::{OrganizationId, UserId};
use domain::org::{Maker, Membership, Organization};
use domain::policy::{self, GatedTokens, Life, OwnerKind, PlanRule, PolicyDecision};
use domain::scope::ScopeSet;
use domain::token::{Limits, Token, TokenOwner};
use domain::user::{Standing, User};
use store::Conn;

/// A user with their memberships, on which the permissions of their tokens depend.
#[derive(Debug, Clone)]
pub struct UserMemberships {
    /// The user.
    pub user: User,
    /// The organizations and roles of the user.
    pub memberships: Vec<Membership>,
    home: Home,
    gated: GatedTokens,
}

/// The organization that counts where a request names none.
#[derive(Debug, Clone)]
enum Home {
    /// The organization that the configuration names, by its id or slug.
    Named(String),
    /// The only organization that the operator created, or the owner of the token.
    Only(OrganizationId),
    /// None.
    Nowhere,
}

impl Home {
    fn standing(&self, organization: &Organization) -> OrgStanding {
        let is_home = match self {
            Self::Named(named) => is_configured(organization, named),
            Self::Only(id) => organization.id == *id,
            Self::Nowhere => false,
        };
        match (is_home, &organization.made_by) {
            (true, _) => OrgStanding::Home,
            (false, Maker::Operator) => OrgStanding::OperatorMade,
            (false, Maker::User(_)) => OrgStanding::UserMade,
        }
    }
}

/// Whether the configuration names this organization. A slug in it never means an organization that
/// a user created: the user chose the slug.
pub(crate) fn is_configured(organization: &Organization, named: &str) -> bool {
    match organization.made_by {
        Maker::Operator => organization.is_named(named),
        Maker::User(_) => organization.id.as_str() == named,
    }
}

/// The home organization for a user with these memberships. Only a member of a single organization
/// that the operator created can be in the only one.
fn find_home(app: &App, conn: &mut Conn, memberships: &[Membership]) -> Result<Home, Error> {
    if let Some(named) = &app.config().organizations.home {
        return Ok(Home::Named(named.clone()));
    }
    let mut made = memberships
        .iter()
        .filter(|membership| membership.organization.made_by == Maker::Operator);
    if made.next().is_none() || made.next().is_some() {
        return Ok(Home::Nowhere);
    }
    Ok(match store::org::find_only_made_by_operator(conn)? {
        Some(id) => Home::Only(id),
        None => Home::Nowhere,
    })
}

impl UserMemberships {
    /// The memberships that count for a new token with these limits. Those in organizations that
    /// users created count only for a token that is limited to one.
    pub(crate) fn counted(&self, limits: &Limits) -> impl Iterator<Item = &Membership> {
        let limit = limits.organization.clone();
        self.memberships.iter().filter(move |one| match &limit {
            Some(limit) => *limit == one.organization.id,
            None => self.home.standing(&one.organization) > OrgStanding::UserMade,
        })
    }

    /// Fails with [`Denial::NoOrganization`] if a new token with these limits would have nothing
    /// that allows it where a request names no organization, nor a limit to an organization.
    pub(crate) fn require_organization(&self, limits: &Limits) -> Result<(), Error> {
        let needs_none = limits.organization.is_none() && self.unnamed() == Unnamed::NeedsNone;
        match needs_none || self.counted(limits).next().is_some() {
            true => Ok(()),
            false => Err(Denial::NoOrganization.into()),
        }
    }

    /// The subset of `scopes` that the owner's role allows now in a token with these limits.
    pub(crate) fn allowed(&self, app: &App, limits: &Limits, scopes: &ScopeSet) -> ScopeSet {
        let role = self.counted(limits).map(|one| one.role).max();
        app.config().scopes.allowed(scopes, role)
    }

    /// Default expiry of a token with these limits that this user creates now.
    pub(crate) fn default_end(&self, app: &App, limits: &Limits, now: Instant) -> Option<Instant> {
        let usual = end_of(app.config().tokens.default_expiry, now);
        self.counted(limits).fold(usual, |end, membership| {
            earlier(end, membership.organization.policy.default_end(now))
        })
    }

    /// Policy decision on a new token of this user with these limits and this life; allowed if no
    /// membership counts.
    pub(crate) fn policy_decision(&self, limits: &Limits, life: Life) -> PolicyDecision {
        self.counted(limits)
            .map(|one| self.by_policy(one, OwnerKind::creator(one.role), life))
            .reduce(policy::better)
            .unwrap_or(Ok(None))
    }

    /// Organization access of a token of this user, by the policies alone.
    pub(crate) fn org_access(&self, token: &Token) -> Vec<OrgAccess> {
        self.access(|one| {
            self.by_policy(one, OwnerKind::of(token, Some(one.role)), Life::of(token))
        })
    }

    fn by_policy(&self, one: &Membership, owner_kind: OwnerKind, life: Life) -> PolicyDecision {
        by_policy(self.gated, &one.organization, (owner_kind, life))
    }

    /// The user's own access to organizations, which no policy for tokens limits.
    pub(super) fn as_user(&self) -> Vec<OrgAccess> {
        self.access(|_| Ok(None))
    }

    fn access(&self, decide: impl Fn(&Membership) -> PolicyDecision) -> Vec<OrgAccess> {
        let access = self.memberships.iter().map(|one| OrgAccess {
            organization_id: one.organization.id.clone(),
            role: one.role,
            policy_decision: decide(one),
            standing: self.home.standing(&one.organization),
        });
        access.collect()
    }

    /// What the user's tokens need where a request names no organization.
    pub(crate) fn unnamed(&self) -> Unnamed {
        match (&self.home, self.user.needs_organization) {
            (Home::Named(_), _) => Unnamed::NeedsHome,
            (_, true) => Unnamed::NeedsOrganization,
            (_, false) => Unnamed::NeedsNone,
        }
    }
}

/// Decision of an organization's policy on a token.
fn by_policy(
    gated: GatedTokens,
    organization: &Organization,
    (owner_kind, life): (OwnerKind, Life),
) -> PolicyDecision {
    let plan = organization.plan;
    let checked = organization
        .policy
        .check(PlanRule { plan, gated }, owner_kind, life);
    checked.map(|()| None)
}

/// The home organization for the tokens of an organization: the configured one, or else their owner,
/// if the operator created it.
fn home_of(app: &App, organization: &Organization) -> Home {
    match (&app.config().organizations.home, &organization.made_by) {
        (Some(named), _) => Home::Named(named.clone()),
        (None, Maker::Operator) => Home::Only(organization.id.clone()),
        (None, Maker::User(_)) => Home::Nowhere,
    }
}

/// The owner of a token, as loaded.
#[derive(Debug, Clone)]
pub enum LoadedOwner {
    /// A user.
    User(UserMemberships),
    /// An organization.
    Organization(Organization),
}

impl LoadedOwner {
    /// Organization access of a token of this owner, by the policies alone.
    pub(super) fn org_access(&self, app: &App, token: &Token) -> Vec<OrgAccess> {
        let of_organization = (OwnerKind::Organization, Life::of(token));
        let gated = app.config().organizations.plan_needed_for;
        match self {
            Self::User(owner) => owner.org_access(token),
            Self::Organization(organization) => vec![OrgAccess {
                organization_id: organization.id.clone(),
                role: ORGANIZATION_ROLE,
                policy_decision: by_policy(gated, organization, of_organization),
                standing: home_of(app, organization).standing(organization),
            }],
        }
    }

    /// What the owner's tokens need where a request names no organization.
    pub(super) fn unnamed(&self, app: &App) -> Unnamed {
        match self {
            Self::User(owner) => owner.unnamed(),
            Self::Organization(_) => match &app.config().organizations.home {
                Some(_) => Unnamed::NeedsHome,
                None => Unnamed::NeedsOrganization,
            },
        }
    }
}

/// Loads a token owner, if it is active.
pub(crate) fn find_loaded_owner(
    app: &App,
    conn: &mut Conn,
    owner: &TokenOwner,
) -> Result<Option<LoadedOwner>, Error> {
    Ok(match owner {
        TokenOwner::User(id) => find_owner(app, conn, id)?.map(LoadedOwner::User),
        TokenOwner::Organization(id) => {
            store::org::find_organization(conn, id)?.map(LoadedOwner::Organization)
        }
    })
}

/// An active user with their memberships.
pub(crate) fn find_owner(
    app: &App,
    conn: &mut Conn,
    id: &UserId,
) -> Result<Option<UserMemberships>, Error> {
    let user = store::user::find_user(conn, id)?;
    with_memberships(app, conn, user)
}

/// An active user with their memberships, locked until the transaction ends.
pub(crate) fn lock_memberships(
    app: &App,
    conn: &mut Conn,
    id: &UserId,
) -> Result<Option<UserMemberships>, Error> {
    let user = store::user::lock_user_shared(conn, id)?;
    store::org::lock_organizations_shared(conn, id)?;
    with_memberships(app, conn, user)
}

fn with_memberships(
    app: &App,
    conn: &mut Conn,
    user: Option<User>,
) -> Result<Option<UserMemberships>, Error> {
    let Some(user) = user.filter(|user| user.standing == Standing::Active) else {
        return Ok(None);
    };
    let memberships = store::org::list_memberships(conn, &user.id)?;
    Ok(Some(UserMemberships {
        home: find_home(app, conn, &memberships)?,
        gated: app.config().organizations.plan_needed_for,
        memberships,
        user,
    }))
}

/// The current memberships of the signed-in user.
pub async fn standing(req: &Request) -> Result<UserMemberships, Error> {
    req.read(|tx| {
        let signed_in = tx.caller().signed_in()?;
        find_owner(tx.app(), tx.conn, &signed_in.user.id)?.ok_or(Error::Unauthenticated)
    })
    .await
}

/// Expiry of a token with this lifetime that is created now.
pub fn end_of(lifetime: Lifetime, now: Instant) -> Option<Instant> {
    match lifetime {
        Lifetime::Never => None,
        Lifetime::For(duration) => chrono::Duration::from_std(duration)
            .ok()
            .and_then(|duration| now.checked_add_signed(duration)),
    }
}

/// The earlier of two expiries; `None` is later than any.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
