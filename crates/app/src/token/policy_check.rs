//! Policy checks of new tokens.

use crate::Error;
use crate::access::{Authority, Denial};
use crate::access::{earlier, lock_memberships};
use crate::tx::Tx;
use domain::Instant;
use domain::decision::ORGANIZATION_ROLE;
use domain::org::Organization;
use domain::policy::{GatedTokens, Life, OwnerKind, PlanRule, Violation};
use domain::role::Role;
use domain::token::{Limits, Token, TokenOwner};

/// The organizations whose policies apply to a new token, with the kind of its owner in each.
pub(super) struct PolicyCheck {
    /// The highest role in any of them.
    pub(super) role: Option<Role>,
    /// With the owner's role; `None` for the organization itself.
    organizations: Vec<(Organization, Option<Role>)>,
    gated: GatedTokens,
}

impl PolicyCheck {
    /// The owner's organizations that count for a new token with these limits. Fails if the owner
    /// needs an organization and none counts.
    pub(super) fn load(
        tx: &mut Tx<'_>,
        owner: &TokenOwner,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let gated = tx.config().organizations.plan_needed_for;
        match owner {
            TokenOwner::Organization(id) => {
                let organization =
                    store::org::find_organization(tx.conn, id)?.ok_or(Denial::NoAccess)?;
                Ok(Self {
                    role: Some(ORGANIZATION_ROLE),
                    organizations: vec![(organization, None)],
                    gated,
                })
            }
            TokenOwner::User(id) => {
                let owner =
                    lock_memberships(tx.app(), tx.conn, id)?.ok_or(Error::Unauthenticated)?;
                owner.require_organization(limits)?;
                let organizations: Vec<_> = owner.counted(limits).cloned().collect();
                Ok(Self {
                    role: organizations.iter().map(|one| one.role).max(),
                    organizations: organizations
                        .into_iter()
                        .map(|one| (one.organization, Some(one.role)))
                        .collect(),
                    gated,
                })
            }
        }
    }

    /// The default expiry, which every policy allows.
    pub(super) fn default_end(&self, now: Instant) -> Option<Instant> {
        let organizations = self.organizations.iter();
        organizations.fold(None, |end, (organization, _)| {
            earlier(end, organization.policy.default_end(now))
        })
    }

    /// The latest expiry that the only policy allows; unbounded with several organizations.
    pub(super) fn only_latest(&self, now: Instant) -> Option<Instant> {
        match &self.organizations[..] {
            [(organization, _)] => organization.policy.latest(now),
            _ => None,
        }
    }

    /// The token, with a shorter expiry if no policy allows its own.
    pub(super) fn fit(&self, token: Token) -> Result<Token, Error> {
        if self.check(&token).is_ok() {
            return Ok(token);
        }
        let fitted = Token {
            expires_at: earlier(token.expires_at, self.default_end(token.created_at)),
            ..token
        };
        self.check(&fitted)?;
        Ok(fitted)
    }

    /// Refuses a token with access to an organization that its creator cannot access.
    pub(super) fn bound(&self, token: &Token, maker: &Authority) -> Result<(), Error> {
        let Some(reach) = maker.reach() else {
            return Ok(());
        };
        let is_wider = self.organizations.iter().any(|(organization, role)| {
            let policy_decision = self.check_in(organization, *role, token);
            policy_decision.is_ok()
                && !token.blocked_in.contains(&organization.id)
                && !reach.contains(&organization.id)
        });
        match is_wider {
            true => Err(Denial::BeyondToken.into()),
            false => Ok(()),
        }
    }

    /// Refuses a token that no policy allows. A token that some policies allow is created,
    /// without access to the other organizations.
    pub(super) fn check(&self, token: &Token) -> Result<(), Error> {
        let mut refused = None;
        for (organization, role) in &self.organizations {
            match self.check_in(organization, *role, token) {
                Ok(()) => return Ok(()),
                Err(violation) => refused = Some(violation),
            }
        }
        match refused {
            Some(violation) if violation.is_about_life() => Err(violation.fault().into()),
            Some(violation) => Err(Denial::Policy(violation).into()),
            None => Ok(()),
        }
    }

    fn check_in(
        &self,
        organization: &Organization,
        role: Option<Role>,
        token: &Token,
    ) -> Result<(), Violation> {
        let plan_rule = PlanRule {
            plan: organization.plan,
            gated: self.gated,
        };
        let owner_kind = OwnerKind::of(token, role);
        let policy = &organization.policy;
        policy.check(plan_rule, owner_kind, Life::of(token))
    }
}
