//! The tokens that a user may approve for a device.

use crate::access::UserMemberships;
use crate::{App, Error};
use domain::Instant;
use domain::device::DeniedBecause;
use domain::org::{Member, Membership};
use domain::policy::Life;
use domain::scope::ScopeSet;
use domain::token::Limits;

/// A token that the user may approve.
#[derive(Debug, Clone)]
pub struct ConsentOption {
    /// The organization that it is limited to; `None` for no limit.
    pub membership: Option<Membership>,
    /// Its expiry, if approved now; `None` if it never expires.
    pub expires_at: Option<Instant>,
}

/// The rule that forbids a user to approve.
#[derive(Debug, Clone)]
pub struct Forbidden {
    /// The reason.
    pub because: DeniedBecause,
    /// The organization whose policy it is, with the user's role in it.
    pub membership: Option<Membership>,
    /// Its owners, who can change the policy or the role; at most [`OWNERS`].
    pub owners: Vec<Member>,
}

/// Most owners that are named.
const OWNERS: i64 = 5;

/// Adds the owners of the organization whose policy it is.
pub(super) async fn with_owners(app: &App, forbidden: Forbidden) -> Result<Forbidden, Error> {
    let Some(membership) = &forbidden.membership else {
        return Ok(forbidden);
    };
    let id = membership.organization.id.clone();
    let owners = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::org::list_owners(conn, &id, OWNERS)?))
        .await?;
    Ok(Forbidden {
        owners,
        ..forbidden
    })
}

/// The scopes that the user can grant in a token with some limit.
pub(super) fn offered_scopes(app: &App, owner: &UserMemberships) -> ScopeSet {
    let role = owner.memberships.iter().map(|one| one.role).max();
    let catalogue = &app.config().scopes;
    catalogue.allowed(&catalogue.names(), role)
}

/// The tokens that the user may approve: without a limit, or limited to an organization.
pub(super) fn options(app: &App, owner: &UserMemberships) -> Vec<ConsentOption> {
    let memberships = owner.memberships.iter().cloned().map(Some);
    std::iter::once(None)
        .chain(memberships)
        .filter_map(|membership| {
            let limits = Limits {
                organization: membership.as_ref().map(|one| one.organization.id.clone()),
                projects: None,
            };
            let expires_at = permit(app, owner, &limits).ok()?;
            Some(ConsentOption {
                membership,
                expires_at,
            })
        })
        .collect()
}

/// The default expiry of a token with these limits, if the user may approve it now.
pub(crate) fn permit(
    app: &App,
    owner: &UserMemberships,
    limits: &Limits,
) -> Result<Option<Instant>, DeniedBecause> {
    let now = app.now();
    let expires_at = owner.default_end(app, limits, now);
    let life = Life {
        created_at: now,
        expires_at,
    };
    owner
        .require_organization(limits)
        .map_err(|_| DeniedBecause::NoOrganization)?;
    owner
        .policy_decision(limits, life)
        .map_err(DeniedBecause::of)?;
    Ok(expires_at)
}

/// The rule that forbids a token without limits.
pub(super) fn forbidden(app: &App, owner: &UserMemberships) -> Forbidden {
    let because = match permit(app, owner, &Limits::default()) {
        Ok(_) => DeniedBecause::Rights,
        Err(because) => because,
    };
    Forbidden {
        membership: match because {
            DeniedBecause::NoOrganization => None,
            _ => owner.counted(&Limits::default()).next().cloned(),
        },
        because,
        owners: Vec::new(),
    }
}
