//! Options of the form for a new token.

use super::{OwnerRef, WRITE};
use crate::access::{Caller, Denial};
use crate::access::{earlier, end_of, find_owner};
use crate::{App, Error};
use domain::Instant;
use domain::decision::ORGANIZATION_ROLE;
use domain::org::{self, Membership, Organization};
use domain::policy::{Plan, Violation};
use domain::role::Role;
use domain::scope::ScopeSet;
use domain::token::TokenOwner;

/// The options for a new token.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The scopes that it can have.
    pub scopes: ScopeSet,
    /// The user's organizations, to which the token can be limited; empty for organization
    /// tokens.
    pub organizations: Vec<Membership>,
    /// The latest possible expiry; `None` if it needs none.
    pub latest: Option<Instant>,
    /// The default expiry; `None` if it has none.
    pub default_end: Option<Instant>,
}

/// The options for a new token. Fails if the organization's plan excludes tokens.
pub async fn choices(app: &App, caller: &Caller, owner_ref: &OwnerRef) -> Result<Choices, Error> {
    let (handle, caller, owner_ref) = (app.clone(), caller.clone(), owner_ref.clone());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let (role, organizations, policies) = match visible.owner {
                TokenOwner::Organization(id) => {
                    let found =
                        store::org::find_organization(conn, &id)?.ok_or(Denial::NoAccess)?;
                    if found.plan == Plan::Free {
                        return Err(Denial::Policy(Violation::Plan).into());
                    }
                    (Some(ORGANIZATION_ROLE), Vec::new(), vec![found])
                }
                TokenOwner::User(id) => {
                    let owner = find_owner(conn, &id)?.ok_or(Error::Unauthenticated)?;
                    let all = owner.memberships.iter();
                    let policies = all.map(|one| one.organization.clone()).collect();
                    let role = org::highest_role(&owner.memberships);
                    (role, owner.memberships, policies)
                }
            };
            Ok(offer(&handle, role, organizations, &policies))
        })
        .await
}

/// The options under these policies. A single organization bounds the expiry. With several, each
/// policy decides for itself which tokens it allows.
fn offer(
    app: &App,
    role: Option<Role>,
    organizations: Vec<Membership>,
    policies: &[Organization],
) -> Choices {
    let (tokens, now) = (&app.config().tokens, app.now());
    let only = match policies {
        [only] => Some(only.policy),
        _ => None,
    };
    let usual = end_of(tokens.default_expiry, now);
    Choices {
        scopes: app
            .config()
            .scopes
            .allowed(&app.config().scopes.names(), role),
        organizations,
        latest: earlier(
            end_of(tokens.max_expiry, now),
            only.and_then(|policy| policy.latest(now)),
        ),
        default_end: policies.iter().fold(usual, |end, organization| {
            earlier(end, organization.policy.default_end(now))
        }),
    }
}
