//! The standing of tokens' owners, on which the tokens' power depends.

use super::{earlier, end_of};
use crate::session::SignedIn;
use crate::{App, Error};
use domain::Instant;
use domain::decision::OrgAccess;
use domain::id::UserId;
use domain::org::{self, Membership, Organization};
use domain::policy::{self, Life, OwnerKind, PolicyDecision};
use domain::scope::ScopeSet;
use domain::token::TokenOwner;
use domain::user::{Standing, User};
use store::Conn;

/// A person and their part in organizations: what their tokens' power depends on.
#[derive(Debug, Clone)]
pub struct UserMemberships {
    /// The person.
    pub user: User,
    /// Their organizations and roles.
    pub memberships: Vec<Membership>,
}

impl UserMemberships {
    /// The part of `scopes` that the owner's role allows at this moment.
    pub(crate) fn allowed(&self, app: &App, scopes: &ScopeSet) -> ScopeSet {
        app.config()
            .scopes
            .allowed(scopes, org::highest_role(&self.memberships))
    }

    /// When a token of this person ends that is made now and for which nobody chooses an end.
    pub(crate) fn default_end(&self, app: &App, now: Instant) -> Option<Instant> {
        let usual = end_of(app.config().tokens.default_expiry, now);
        let memberships = self.memberships.iter();
        memberships.fold(usual, |end, membership| {
            earlier(end, membership.organization.policy.default_end(now))
        })
    }

    /// Whether a token of this person that lives so long is admitted anywhere, if the person
    /// is anywhere at all.
    pub(crate) fn policy_decision(&self, life: Life) -> PolicyDecision {
        let org_access = self.org_access(life).into_iter();
        org_access
            .map(|org_access| org_access.policy_decision)
            .reduce(policy::better)
            .unwrap_or(Ok(None))
    }

    /// The seats of a token of this person that lives so long, by the policies alone.
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

/// Whom a token acts for.
#[derive(Debug, Clone)]
pub enum LoadedOwner {
    /// A person.
    User(UserMemberships),
    /// An organization.
    Organization(Organization),
}

/// Whom an owner's tokens act for, if it may act.
pub(super) fn find_loaded_owner(
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

/// An active person's standing.
pub(crate) fn find_owner(conn: &mut Conn, id: &UserId) -> Result<Option<UserMemberships>, Error> {
    let user = store::user::find_user(conn, id)?;
    with_memberships(conn, user)
}

/// An active person's standing, which cannot end before this transaction does.
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

/// A person's organizations and roles at this moment.
pub async fn standing(app: &App, signed_in: &SignedIn) -> Result<UserMemberships, Error> {
    let id = signed_in.user.id.clone();
    app.store()
        .read(move |conn| find_owner(conn, &id))
        .await?
        .ok_or(Error::Unauthenticated)
}
