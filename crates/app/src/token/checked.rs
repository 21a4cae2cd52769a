//! What the organizations of its owner say of a token at this moment.

use super::{LoadedOwner, earlier, find_loaded_owner};
use crate::Error;
use domain::Instant;
use domain::decision::{self, ORGANIZATION_ROLE, OrgAccess};
use domain::policy::{Life, OwnerKind, PolicyDecision};
use domain::token::{State, Token, TokenOwner};
use store::Conn;

/// A token, and whether it is admitted anywhere.
#[derive(Debug, Clone)]
pub struct CheckedToken {
    /// The token.
    pub token: Token,
    /// Until when it is admitted. One that has ended is nobody's concern any more.
    pub policy_decision: PolicyDecision,
}

impl CheckedToken {
    /// A new token, which was held to the policies when it was made.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            policy_decision: Ok(None),
        }
    }

    /// When it ends, by itself or with its graces; `None` if never.
    pub fn ends_at(&self) -> Option<Instant> {
        end(&self.token, self.policy_decision)
    }
}

pub(super) fn end(token: &Token, policy_decision: PolicyDecision) -> Option<Instant> {
    earlier(token.expires_at, policy_decision.ok().flatten())
}

/// Tokens of one owner, and whether they are admitted.
pub(super) fn check_policy(
    conn: &mut Conn,
    owner: &TokenOwner,
    tokens: Vec<Token>,
    now: Instant,
) -> Result<Vec<CheckedToken>, Error> {
    let Some(loaded_owner) = find_loaded_owner(conn, owner)? else {
        return Ok(tokens.into_iter().map(CheckedToken::new).collect());
    };
    let org_access = org_access(conn, &loaded_owner, &tokens, now)?;
    let checked = tokens
        .into_iter()
        .zip(org_access)
        .map(|(token, org_access)| CheckedToken {
            policy_decision: match token.state(now) {
                State::Live => decision::policy_decision(&token.limits, &org_access),
                State::Expired | State::Revoked => Ok(None),
            },
            token,
        });
    Ok(checked.collect())
}

/// For each of a holder's tokens, the organizations from which it could act, and whether they
/// admit it.
pub(super) fn org_access(
    conn: &mut Conn,
    loaded_owner: &LoadedOwner,
    tokens: &[Token],
    now: Instant,
) -> Result<Vec<Vec<OrgAccess>>, Error> {
    let mut found: Vec<_> = tokens
        .iter()
        .map(|token| (token, by_policy(loaded_owner, Life::of(token))))
        .collect();
    // Graces are rare: they are looked for only where a policy does not admit a token.
    let is_refused = |org_access: &[OrgAccess]| {
        org_access
            .iter()
            .any(|org_access| org_access.policy_decision.is_err())
    };
    let refused: Vec<_> = found
        .iter()
        .filter(|(_, org_access)| is_refused(org_access))
        .map(|(token, _)| &token.id)
        .collect();
    if !refused.is_empty() {
        let graces = store::policy::list_graces(conn, &refused, now)?;
        for (token, org_access) in &mut found {
            for org_access in org_access
                .iter_mut()
                .filter(|org_access| org_access.policy_decision.is_err())
            {
                let key = (token.id.clone(), org_access.organization_id.clone());
                let owner_kind = match loaded_owner {
                    LoadedOwner::User(_) => OwnerKind::Member(org_access.role),
                    LoadedOwner::Organization(_) => OwnerKind::Organization,
                };
                if let Some(grace) = graces.get(&key)
                    && grace.check(owner_kind, Life::of(token)).is_ok()
                {
                    org_access.policy_decision = Ok(Some(grace.ends_at));
                }
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(_, org_access)| org_access)
        .collect())
}

/// The seats of a token that lives so long, by the policies alone.
fn by_policy(loaded_owner: &LoadedOwner, life: Life) -> Vec<OrgAccess> {
    match loaded_owner {
        LoadedOwner::User(owner) => owner.org_access(life),
        LoadedOwner::Organization(organization) => vec![OrgAccess {
            organization_id: organization.id.clone(),
            role: ORGANIZATION_ROLE,
            policy_decision: organization
                .policy
                .check(organization.plan, OwnerKind::Organization, life)
                .map(|()| None),
        }],
    }
}
