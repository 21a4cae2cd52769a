//! What a form for a new token has to offer.

use super::{OwnerRef, WRITE, earlier, end_of, find_owner};
use crate::caller::{Caller, Denial};
use crate::{App, Error};
use domain::Instant;
use domain::decision::ORGANIZATION_ROLE;
use domain::org::{self, Membership, Organization};
use domain::policy::{Plan, Violation};
use domain::scope::ScopeSet;
use domain::token::TokenOwner;

/// What can be chosen for a new token.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The scopes that it can be given.
    pub scopes: ScopeSet,
    /// The person's organizations, which a token can be limited to; none for an
    /// organization's own.
    pub organizations: Vec<Membership>,
    /// The latest end that it can have; `None` if it need not end.
    pub latest: Option<Instant>,
    /// When it ends if nobody chooses; `None` if never.
    pub default_end: Option<Instant>,
}

/// What can be chosen for a new token. Fails where an organization's plan has no tokens.
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

/// What is offered where these organizations have a say. One alone bounds the end; of several
/// each admits what suits it.
fn offer(
    app: &App,
    role: Option<org::Role>,
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
