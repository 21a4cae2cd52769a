//! Options of the form for a new token.

use super::{OwnerRef, WRITE, visible};
use crate::access::Denial;
use crate::access::{earlier, end_of, find_owner};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::Instant;
use domain::decision::ORGANIZATION_ROLE;
use domain::org::{Membership, Organization};
use domain::policy::{Life, OwnerKind, Plan, PlanRule, Violation};
use domain::role::Role;
use domain::scope::ScopeSet;
use domain::token::{Limits, TokenOwner};

/// The options for a new token.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The time for which the options were found; the ends below are relative to it.
    pub now: Instant,
    /// The scopes that it can have.
    pub scopes: ScopeSet,
    /// The user's organizations, to which the token can be limited; empty for organization
    /// tokens.
    pub organizations: Vec<Membership>,
    /// Whether it must be limited to one of them.
    pub needs_limit: bool,
    /// The latest possible expiry; `None` if it needs none.
    pub latest: Option<Instant>,
    /// The default expiry; `None` if it has none.
    pub default_end: Option<Instant>,
}

/// The options for a new token. Fails if the organization's plan excludes tokens.
pub async fn choices(req: &Request, owner_ref: &OwnerRef) -> Result<Choices, Error> {
    let owner_ref = owner_ref.clone();
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let mut needs_limit = false;
        let (role, organizations, policies): (_, _, Vec<_>) = match visible.owner {
            TokenOwner::Organization(id) => {
                let found = store::org::find_organization(tx.conn, &id)?.ok_or(Denial::NoAccess)?;
                if found.plan == Plan::Free {
                    return Err(Denial::Policy(Violation::Plan).into());
                }
                (Some(ORGANIZATION_ROLE), Vec::new(), vec![found])
            }
            TokenOwner::User(id) => {
                let owner = find_owner(tx.app(), tx.conn, &id)?.ok_or(Error::Unauthenticated)?;
                let counted: Vec<_> = owner.counted(&Limits::default()).cloned().collect();
                needs_limit = owner.require_organization(&Limits::default()).is_err();
                // A token that is limited to an organization can have a higher role in it.
                let role = owner.memberships.iter().map(|one| one.role).max();
                let policies = counted.into_iter().map(|one| one.organization);
                (role, owner.memberships.clone(), policies.collect())
            }
        };
        Ok(Choices {
            needs_limit,
            ..offer(tx, role, organizations, &policies)
        })
    })
    .await
}

/// Why the user cannot create any personal token: a rule of the last of their organizations, none of
/// which allows one. `None` if one of them does, or if there is none.
pub async fn own_refusal(req: &Request) -> Result<Option<Violation>, Error> {
    req.read(|tx| {
        let signed_in = tx.caller().signed_in()?.user.id.clone();
        let owner = find_owner(tx.app(), tx.conn, &signed_in)?.ok_or(Error::Unauthenticated)?;
        let gated = tx.config().organizations.plan_needed_for;
        let life = Life {
            created_at: tx.now,
            expires_at: None,
        };
        let mut refusal = None;
        for one in &owner.memberships {
            let plan_rule = PlanRule {
                plan: one.organization.plan,
                gated,
            };
            let policy = &one.organization.policy;
            match policy.check(plan_rule, OwnerKind::creator(one.role), life) {
                Err(violation) if !violation.is_about_life() => refusal = Some(violation),
                _ => return Ok(None),
            }
        }
        Ok(refusal)
    })
    .await
}

/// The options under these policies. A single organization bounds the expiry. With several, each
/// policy decides for itself which tokens it allows.
fn offer(
    tx: &Tx<'_>,
    role: Option<Role>,
    organizations: Vec<Membership>,
    policies: &[Organization],
) -> Choices {
    let (config, now) = (tx.config(), tx.now);
    let only = match policies {
        [only] => Some(only.policy),
        _ => None,
    };
    let usual = end_of(config.tokens.default_expiry, now);
    Choices {
        now,
        scopes: config.scopes.allowed(&config.scopes.names(), role),
        organizations,
        needs_limit: false,
        latest: earlier(
            end_of(config.tokens.max_expiry, now),
            only.and_then(|policy| policy.latest(now)),
        ),
        default_end: policies.iter().fold(usual, |end, organization| {
            earlier(end, organization.policy.default_end(now))
        }),
    }
}
