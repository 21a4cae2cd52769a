//! Token owners and their memberships, which determine the permissions of their tokens.

use crate::{App, Error, Request};
use config::Lifetime;
use domain::Instant;
use domain::decision::OrgAccess;
use domain::id::UserId;
use domain::org::{self, Membership, Organization};
use domain::policy::{self, Life, OwnerKind, PolicyDecision};
use domain::scope::ScopeSet;
use domain::token::TokenOwner;
use domain::user::{Standing, User};
use store::Conn;

/// A user with their memberships, on which the permissions of their tokens depend.
#[derive(Debug, Clone)]
pub struct UserMemberships {
    /// The user.
    pub user: User,
    /// The organizations and roles of the user.
    pub memberships: Vec<Membership>,
}

impl UserMemberships {
    /// The subset of `scopes` that the owner's role allows now.
    pub(crate) fn allowed(&self, app: &App, scopes: &ScopeSet) -> ScopeSet {
        app.config()
            .scopes
            .allowed(scopes, org::highest_role(&self.memberships))
    }

    /// Default expiry of a token that this user creates now.
    pub(crate) fn default_end(&self, app: &App, now: Instant) -> Option<Instant> {
        let usual = end_of(app.config().tokens.default_expiry, now);
        let memberships = self.memberships.iter();
        memberships.fold(usual, |end, membership| {
            earlier(end, membership.organization.policy.default_end(now))
        })
    }

    /// Policy decision on a token of this user with this life; allowed if the user has no
    /// memberships.
    pub(crate) fn policy_decision(&self, life: Life) -> PolicyDecision {
        let org_access = self.org_access(life).into_iter();
        org_access
            .map(|org_access| org_access.policy_decision)
            .reduce(policy::better)
            .unwrap_or(Ok(None))
    }

    /// Organization access of a token of this user with this life, by the policies alone.
    pub(crate) fn org_access(&self, life: Life) -> Vec<OrgAccess> {
        self.memberships
            .iter()
            .map(|Membership { organization, role }| OrgAccess {
                organization_id: organization.id.clone(),
                role: *role,
                policy_decision: organization
                    .policy
                    .check(organization.plan, OwnerKind::Member(*role), life)
                    .map(|()| None),
            })
            .collect()
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

/// Loads a token owner, if it is active.
pub(crate) fn find_loaded_owner(
    conn: &mut Conn,
    owner: &TokenOwner,
) -> Result<Option<LoadedOwner>, Error> {
    Ok(match owner {
        TokenOwner::User(id) => find_owner(conn, id)?.map(LoadedOwner::User),
        TokenOwner::Organization(id) => {
            store::org::find_organization(conn, id)?.map(LoadedOwner::Organization)
        }
    })
}

/// An active user with their memberships.
pub(crate) fn find_owner(conn: &mut Conn, id: &UserId) -> Result<Option<UserMemberships>, Error> {
    let user = store::user::find_user(conn, id)?;
    with_memberships(conn, user)
}

/// An active user with their memberships, locked until the transaction ends.
pub(crate) fn lock_memberships(
    conn: &mut Conn,
    id: &UserId,
) -> Result<Option<UserMemberships>, Error> {
    let user = store::user::lock_user_shared(conn, id)?;
    store::org::lock_organizations_shared(conn, id)?;
    with_memberships(conn, user)
}

fn with_memberships(conn: &mut Conn, user: Option<User>) -> Result<Option<UserMemberships>, Error> {
    user.filter(|user| user.standing == Standing::Active)
        .map(|user| {
            Ok(UserMemberships {
                memberships: store::org::list_memberships(conn, &user.id)?,
                user,
            })
        })
        .transpose()
}

/// The current memberships of the signed-in user.
pub async fn standing(req: &Request) -> Result<UserMemberships, Error> {
    req.read(|tx| {
        let signed_in = tx.caller().signed_in()?;
        find_owner(tx.conn, &signed_in.user.id)?.ok_or(Error::Unauthenticated)
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
