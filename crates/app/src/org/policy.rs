//! Policy changes: a review shows the tokens that a stricter policy affects, and the update gives
//! them a grace period.

use super::WRITE;
use crate::access::Denial;
use crate::tx::Tx;
use crate::{Error, Request};
use chrono::Duration;
use domain::audit::{Action, MOST_NAMED};
use domain::id::TokenId;
use domain::name::NameRules;
use domain::org::Organization;
use domain::policy::{
    Grace, LONGEST_GRACE, Life, Longest, MOST_DAYS, OwnerKind, PersonalTokens, Plan, PlanRule,
    Policy, Violation,
};
use domain::role::Role;
use domain::token::{Token, TokenOwner};
use domain::user::User;
use domain::{Fault, Instant};
use serde_json::json;

/// Input of an organization update; `None` keeps the current value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateOrganization {
    /// The name. The slug does not change.
    pub name: Option<String>,
    /// The plan, which only the operator can change.
    pub plan: Option<Plan>,
    /// The policy.
    pub policy: Option<UpdatePolicy>,
}

/// Input of a policy update; `None` keeps the current value. It applies to the policy at the time
/// of the update, so that concurrent updates do not overwrite each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdatePolicy {
    /// Which members' personal tokens have access to the organization.
    pub personal_tokens: Option<PersonalTokens>,
    /// Which members may create them.
    pub created_by: Option<PersonalTokens>,
    /// Maximum token lifetime in days; `Some(None)` removes the limit.
    pub days: Option<Option<u32>>,
    /// Whether tokens may have no expiry.
    pub never: Option<bool>,
}

impl UpdatePolicy {
    /// The update that results in exactly this policy.
    pub fn to(policy: Policy) -> Self {
        Self {
            personal_tokens: Some(policy.personal_tokens),
            created_by: Some(policy.created_by),
            days: Some(match policy.longest {
                Longest::Days(days) => Some(days),
                Longest::Unlimited | Longest::Ending => None,
            }),
            never: Some(policy.longest == Longest::Unlimited),
        }
    }

    /// The fault of an update that is invalid for any current policy.
    fn fault(&self) -> Option<Fault> {
        match (self.days, self.never) {
            (Some(Some(_)), Some(true)) => Some(Fault::new(
                "policy/never_expires",
                "A longest lifetime rules out tokens that never end: leave one of the two out, or send max_lifetime_days as null.",
            )),
            (Some(Some(days)), _) if !(1..=MOST_DAYS).contains(&days) => Some(Fault::new(
                "policy/max_lifetime_days",
                format!("Choose from 1 to {MOST_DAYS} days, or no limit."),
            )),
            _ => None,
        }
    }

    /// The resulting policy. Allowing tokens without expiry removes the maximum lifetime.
    /// Removing the maximum lifetime alone still requires an expiry.
    fn apply(&self, present: Policy) -> Policy {
        let days = match (self.days, self.never, present.longest) {
            (Some(days), _, _) => days,
            (None, Some(true), _) => None,
            (None, _, Longest::Days(days)) => Some(days),
            (None, _, Longest::Unlimited | Longest::Ending) => None,
        };
        let never = self.never.unwrap_or(present.longest == Longest::Unlimited);
        Policy {
            personal_tokens: self.personal_tokens.unwrap_or(present.personal_tokens),
            created_by: self.created_by.unwrap_or(present.created_by),
            longest: match (days, never) {
                (Some(days), _) => Longest::Days(days),
                (None, true) => Longest::Unlimited,
                (None, false) => Longest::Ending,
            },
        }
    }
}

impl UpdateOrganization {
    /// Validates the update and normalizes its name; collects all faults.
    fn checked(self, names: &NameRules) -> Result<Self, Error> {
        let mut faults = Vec::new();
        faults.extend(self.policy.and_then(|policy| policy.fault()));
        let name = match self.name.map(|name| names.check("name", &name)) {
            Some(Ok(name)) => Some(name),
            Some(Err(fault)) => {
                faults.push(fault);
                None
            }
            None => None,
        };
        match faults.is_empty() {
            true => Ok(Self { name, ..self }),
            false => Err(Error::Invalid(faults.into())),
        }
    }

    /// The updated organization.
    fn apply(&self, organization: &Organization) -> Organization {
        Organization {
            name: self.name.clone().unwrap_or(organization.name.clone()),
            plan: self.plan.unwrap_or(organization.plan),
            policy: match self.policy {
                Some(change) => change.apply(organization.policy),
                None => organization.policy,
            },
            ..organization.clone()
        }
    }

    /// Admins change the name, owners the policy, and the operator the plan.
    fn authorize(&self, tx: &mut Tx<'_>, named: &str) -> Result<Organization, Error> {
        let least = match self.policy {
            Some(_) => Role::Owner,
            None => Role::Admin,
        };
        let organization = tx.organization(named, WRITE, least)?;
        self.require_plan(tx, &organization)?;
        Ok(organization)
    }

    fn require_plan(&self, tx: &Tx<'_>, organization: &Organization) -> Result<(), Error> {
        match self.plan.is_some_and(|plan| plan != organization.plan) {
            true => tx.caller().require_operator(),
            false => Ok(()),
        }
    }
}

/// An active token that a change would end, or exclude from the organization.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The token.
    pub token: Token,
    /// The owning user; `None` for an organization token.
    pub owner: Option<User>,
    /// Its current grace, if it depends on one. The change does not extend it.
    grace: Option<Grace>,
    /// Why the new policy refuses the token.
    pub violation: Violation,
    /// The effect on the token.
    pub effect: Effect,
}

impl Affected {
    /// Sort key: creation time, then id.
    pub fn position(&self) -> (Instant, &str) {
        (self.token.created_at, self.token.id.as_str())
    }
}

/// The effect of a policy change on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It becomes unusable, since it has access to no other organization.
    Ends,
    /// It keeps its access to the owner's other organizations.
    LosesOrganization,
}

/// The effects of a policy change.
#[derive(Debug, Clone)]
pub struct Tightening {
    /// The organization after the change.
    pub organization: Organization,
    /// The tokens that are allowed now and refused after the change, newest first.
    pub affected: Vec<Affected>,
    /// The tokens that no longer need a grace.
    admitted_again: Vec<TokenId>,
}

/// Returns the effects of a change of plan or policy without applying it.
pub async fn review(
    req: &Request,
    named: &str,
    change: UpdateOrganization,
) -> Result<Tightening, Error> {
    let change = change.checked(req.app.names())?;
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = change.authorize(tx, &named)?;
        tightening(tx, &organization, &change)
    })
    .await
}

/// Changes an organization's name, plan or policy. Tokens that the change refuses stay usable
/// until the grace ends.
pub async fn update(
    req: &Request,
    named: &str,
    change: UpdateOrganization,
    grace: Duration,
) -> Result<Tightening, Error> {
    let change = change.checked(req.app.names())?;
    if grace < Duration::zero() || grace > LONGEST_GRACE {
        return Err(Fault::new("grace", "Choose a grace of up to 30 days.").into());
    }
    let named = named.to_owned();
    req.change(Action::PolicyChanged, move |tx| {
        let found = change.authorize(tx, &named)?;
        let before = store::org::lock_organization(tx.conn, &found.id)?.ok_or(Denial::NoAccess)?;
        change.require_plan(tx, &before)?;
        let tightening = tightening(tx, &before, &change)?;
        let after = &tightening.organization;
        if after.name != before.name {
            store::org::update_name(tx.conn, &before.id, &after.name)?;
            tx.record_as(
                Action::OrganizationRenamed,
                after,
                json!({"from": before.name, "to": after.name}),
            )?;
        }
        if (after.plan, after.policy) != (before.plan, before.policy) {
            tx.require_recent_sign_in()?;
            apply_policy(tx, &before, &tightening, grace)?;
        }
        Ok(tightening)
    })
    .await
}

/// Changes an organization's plan and policy, and starts the grace period of the affected tokens. A
/// token already in a grace period keeps its earlier end.
fn apply_policy(
    tx: &mut Tx<'_>,
    before: &Organization,
    tightening: &Tightening,
    grace: Duration,
) -> Result<(), Error> {
    let (id, after) = (&before.id, &tightening.organization);
    let admitted_again: Vec<_> = tightening.admitted_again.iter().collect();
    store::policy::delete_graces(tx.conn, id, &admitted_again)?;
    let new = Grace {
        plan: before.plan,
        policy: before.policy,
        ends_at: tx.now + grace,
    };
    let graces: Vec<_> = tightening
        .affected
        .iter()
        .map(|affected| {
            let first = affected.grace.unwrap_or(new);
            let ends_at = first.ends_at.min(new.ends_at);
            (&affected.token.id, Grace { ends_at, ..first })
        })
        .collect();
    store::policy::replace_graces(tx.conn, id, &graces)?;
    store::org::update_policy(tx.conn, id, after.plan, after.policy)?;
    tx.record(after, describe(before, tightening, grace))
}

/// The audit record of a change of plan or policy.
fn describe(before: &Organization, tightening: &Tightening, grace: Duration) -> serde_json::Value {
    let mut detail = describe_terms(&tightening.organization);
    let tokens: Vec<_> = tightening
        .affected
        .iter()
        .take(MOST_NAMED)
        .map(|affected| affected.token.id.as_str())
        .collect();
    detail["before"] = describe_terms(before);
    detail["grace_seconds"] = grace.num_seconds().into();
    detail["tokens"] = json!(tokens);
    detail["count"] = tightening.affected.len().into();
    detail
}

/// Plan and policy in the form that the API has.
fn describe_terms(organization: &Organization) -> serde_json::Value {
    let Organization { plan, policy, .. } = organization;
    json!({
        "plan": plan.as_str(),
        "personal_tokens": policy.personal_tokens.as_str(),
        "created_by": policy.created_by.as_str(),
        "never_expires": policy.longest == Longest::Unlimited,
        "max_lifetime_days": match policy.longest {
            Longest::Days(days) => Some(days),
            Longest::Unlimited | Longest::Ending => None,
        },
    })
}

fn tightening(
    tx: &mut Tx<'_>,
    before: &Organization,
    change: &UpdateOrganization,
) -> Result<Tightening, Error> {
    let after = change.apply(before);
    if change.plan.is_none() && change.policy.is_none() {
        return Ok(Tightening {
            organization: after,
            affected: Vec::new(),
            admitted_again: Vec::new(),
        });
    }
    let gated = tx.config().organizations.plan_needed_for;
    let check = |organization: &Organization, owner_kind, life| {
        let plan = organization.plan;
        organization
            .policy
            .check(PlanRule { plan, gated }, owner_kind, life)
    };
    let graces = store::policy::list_graced(tx.conn, &before.id, tx.now)?;
    let (mut affected, mut admitted_again) = (Vec::new(), Vec::new());
    let single_org_members = store::single_org::list_single_org_members(tx.conn, &before.id)?;
    for (token, owner) in store::policy::list_reaching(tx.conn, &before.id, tx.now)? {
        let owner_kind = OwnerKind::of(&token, owner.as_ref().map(|(_, role)| *role));
        let life = Life::of(&token);
        let grace = graces.get(&token.id).copied();
        let Err(violation) = check(&after, owner_kind, life) else {
            if grace.is_some() {
                admitted_again.push(token.id);
            }
            continue;
        };
        let grace = match check(before, owner_kind, life) {
            Ok(()) => None,
            Err(_) => match grace.filter(|grace| grace.check(gated, owner_kind, life).is_ok()) {
                Some(grace) => Some(grace),
                None => continue,
            },
        };
        let reaches_more = match &token.owner {
            TokenOwner::Organization(_) => false,
            TokenOwner::User(id) => {
                token.limits.organization.is_none() && !single_org_members.contains(id.as_str())
            }
        };
        let effect = match reaches_more {
            true => Effect::LosesOrganization,
            false => Effect::Ends,
        };
        affected.push(Affected {
            token,
            owner: owner.map(|(user, _)| user),
            grace,
            violation,
            effect,
        });
    }
    affected.sort_by(|a, b| b.position().cmp(&a.position()));
    Ok(Tightening {
        organization: after,
        affected,
        admitted_again,
    })
}
