//! Changing an organization's policy: what a tighter one would end is shown first, and gets a
//! grace when it is applied.

use super::WRITE;
use crate::app::caller::{Authority, Caller};
use crate::app::{App, Context, Error};
use crate::domain::account::Account;
use crate::domain::audit::Action;
use crate::domain::org::{Organization, Role};
use crate::domain::policy::{Bearer, GRACES, Life, Longest, MOST_DAYS, Plan, Policy, Violation};
use crate::domain::token::{Owner, Token};
use crate::domain::{Fault, Instant};
use crate::store::{self, Conn};
use chrono::Duration;
use serde_json::json;

/// What is to change; `None` for what stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The plan, which only the operator changes.
    pub plan: Option<Plan>,
    /// The policy.
    pub policy: Option<Policy>,
}

impl Change {
    fn check(&self) -> Result<(), Fault> {
        match self.policy.map(|policy| policy.longest) {
            Some(Longest::Days(days)) if !(1..=MOST_DAYS).contains(&days) => Err(Fault::new(
                "policy/max_lifetime_days",
                format!("Choose from 1 to {MOST_DAYS} days, or no limit."),
            )),
            _ => Ok(()),
        }
    }

    /// The organization with this change.
    fn apply(&self, organization: &Organization) -> Organization {
        Organization {
            plan: self.plan.unwrap_or(organization.plan),
            policy: self.policy.unwrap_or(organization.policy),
            ..organization.clone()
        }
    }

    fn authorize(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        authority: &Authority,
        named: &str,
    ) -> Result<Organization, Error> {
        let organization = authority.hold_organization(conn, named, WRITE, Role::Owner)?;
        if self.plan.is_some_and(|plan| plan != organization.plan) {
            caller.require_operator()?;
        }
        Ok(organization)
    }
}

/// A living token that a change would end, or keep from the organization.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The token.
    pub token: Token,
    /// Whose it is; `None` for the organization's own.
    pub owner: Option<Account>,
    /// Why the change does not admit it.
    pub violation: Violation,
    /// What becomes of it.
    pub effect: Effect,
}

/// What becomes of a token that an organization does not admit any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It ends, since it reaches nothing else.
    Ends,
    /// It goes on in its owner's other organizations.
    LosesOrganization,
}

/// What a change would do.
#[derive(Debug, Clone)]
pub struct Tightening {
    /// The organization as it would be.
    pub organization: Organization,
    /// The tokens that are admitted now and would not be any more.
    pub affected: Vec<Affected>,
}

/// Shows what a change of plan or policy would do. Nothing is changed.
pub async fn review_policy(
    app: &App,
    caller: &Caller,
    named: &str,
    change: Change,
) -> Result<Tightening, Error> {
    change.check()?;
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let now = app.now();
    app.store()
        .write(move |conn| {
            let authority = caller.hold_authority(&handle, conn)?;
            let organization = change.authorize(conn, &caller, &authority, &named)?;
            tightening(conn, &organization, &change, now)
        })
        .await
}

/// Changes an organization's plan or policy. What the change does not admit any more goes on
/// for the grace.
pub async fn set_policy(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    change: Change,
    grace: Duration,
) -> Result<Tightening, Error> {
    change.check()?;
    if grace < Duration::zero() || grace > Duration::hours(i64::from(GRACES[GRACES.len() - 1])) {
        return Err(Fault::new("grace", "Choose a grace of up to 30 days.").into());
    }
    let event = app.event(context, caller.actor(), Action::PolicyChanged);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .write(move |conn| {
            let authority = caller.hold_authority(&handle, conn)?;
            let organization = change.authorize(conn, &caller, &authority, &named)?;
            let tightening = tightening(conn, &organization, &change, event.at)?;
            let (id, end) = (&organization.id, event.at + grace);
            for affected in &tightening.affected {
                let token = &affected.token;
                store::policy::replace_grace(conn, id, &token.id, end)?;
                if affected.effect == Effect::Ends {
                    store::token::shorten(conn, &token.id, end)?;
                }
            }
            let after = &tightening.organization;
            store::org::update_policy(conn, id, after.plan, after.policy)?;
            let tokens: Vec<_> = tightening
                .affected
                .iter()
                .map(|affected| affected.token.id.as_str())
                .collect();
            event.write_in(
                conn,
                Some(id),
                Some(id.as_str()),
                json!({
                    "plan": after.plan.as_str(),
                    "personal_tokens": after.policy.personal_tokens.as_str(),
                    "longest": format!("{:?}", after.policy.longest),
                    "grace_seconds": grace.num_seconds(),
                    "tokens": tokens,
                }),
            )?;
            Ok(tightening)
        })
        .await
}

fn tightening(
    conn: &mut Conn,
    before: &Organization,
    change: &Change,
    now: Instant,
) -> Result<Tightening, Error> {
    let after = change.apply(before);
    let mut affected = Vec::new();
    for (token, role) in store::policy::list_reaching(conn, &before.id, now)? {
        let bearer = role.map_or(Bearer::Organization, Bearer::Member);
        let life = Life::of(&token);
        let is_admitted = before.policy.admit(before.plan, bearer, life).is_ok();
        let Err(violation) = after.policy.admit(after.plan, bearer, life) else {
            continue;
        };
        if !is_admitted {
            continue;
        }
        let (owner, effect) = match &token.owner {
            Owner::Organization(_) => (None, Effect::Ends),
            Owner::Account(id) => {
                let is_alone = token.limits.organization.is_some()
                    || store::org::list_memberships(conn, id)?.len() == 1;
                let effect = match is_alone {
                    true => Effect::Ends,
                    false => Effect::LosesOrganization,
                };
                (store::account::find_account(conn, id)?, effect)
            }
        };
        affected.push(Affected {
            token,
            owner,
            violation,
            effect,
        });
    }
    Ok(Tightening {
        organization: after,
        affected,
    })
}
