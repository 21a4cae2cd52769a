//! Reads the active tokens with access to an organization, up to a limit, and what an admin should
//! know about each.

use crate::Error;
use crate::tx::Tx;
use domain::Instant;
use domain::advice::{self, Advice};
use domain::id::UserId;
use domain::org::{Member, Organization};
use domain::policy::{Life, OwnerKind, PlanRule, PolicyDecision, Violation};
use domain::token::Token;
use domain::user::Standing;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of the newest members, of their active tokens, and of active tokens of the
/// organization, that are read.
pub const MOST_READ: u16 = 1000;

/// How many tokens of a part are named.
const NAMED: usize = 3;

/// A part of the tokens with access to an organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessPart {
    /// All of them.
    #[default]
    All,
    /// Allowed until their grace period ends.
    Grace,
    /// They expire soon and are not replaced.
    ExpiresSoon,
    /// Another token replaced them, and the overlap of the rotation is running.
    Replaced,
    /// Not used for a while.
    Unused,
    /// They never expire.
    NeverExpires,
    /// An admin blocked them.
    Blocked,
}

impl AccessPart {
    /// All parts.
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Grace,
        Self::ExpiresSoon,
        Self::Replaced,
        Self::Unused,
        Self::NeverExpires,
        Self::Blocked,
    ];
}

/// A token of which an admin should know.
#[derive(Debug, Clone)]
pub struct Urgent {
    /// Its name.
    pub name: String,
    /// The name of its owner, if it is a personal token.
    pub owner: Option<String>,
    /// When it expires or its grace period ends; `None` if never.
    pub ends_at: Option<Instant>,
}

/// A token that an organization allows or has blocked.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) token: Token,
    pub(super) owner: Option<Member>,
    pub(super) decision: PolicyDecision,
    pub(super) is_replaced: bool,
    advice: Vec<Advice>,
}

impl Access {
    /// Sort key: creation time, then id.
    pub(super) fn position(&self) -> (Instant, &str) {
        (self.token.created_at, self.token.id.as_str())
    }

    fn ends_at(&self) -> Option<Instant> {
        let grace = self.decision.ok().flatten();
        [self.token.expires_at, grace].into_iter().flatten().min()
    }

    /// A replaced token ends as intended.
    fn is_in(&self, part: AccessPart) -> bool {
        let is_blocked = self.decision.is_err();
        let has = |is_it: fn(&Advice) -> bool| {
            !is_blocked && !self.is_replaced && self.advice.iter().any(is_it)
        };
        match part {
            AccessPart::All => true,
            AccessPart::Blocked => is_blocked,
            AccessPart::Replaced => !is_blocked && self.is_replaced,
            AccessPart::Grace => has(|one| matches!(one, Advice::GraceEnds(_))),
            AccessPart::ExpiresSoon => has(|one| matches!(one, Advice::ExpiresSoon(_))),
            AccessPart::Unused => has(|one| matches!(one, Advice::Unused(_) | Advice::NeverUsed)),
            AccessPart::NeverExpires => has(|one| matches!(one, Advice::NeverExpires)),
        }
    }
}

/// The tokens that were read.
pub(super) struct Reached {
    pub(super) all: Vec<Access>,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) is_cut: bool,
}

impl Reached {
    pub(super) fn load(
        tx: &mut Tx<'_>,
        organization: &Organization,
        member: Option<&UserId>,
    ) -> Result<Self, Error> {
        let (id, now, limit) = (&organization.id, tx.now, i64::from(MOST_READ));
        let most = usize::from(MOST_READ);
        let (mut members, mut tokens) = match member {
            Some(user_id) => {
                let found =
                    store::org::find_member(tx.conn, id, user_id)?.ok_or(Error::NotFound)?;
                (BTreeMap::from([(user_id.to_string(), found)]), Vec::new())
            }
            None => (
                store::token_access::list_newest_members(tx.conn, id, limit)?,
                store::token_access::list_active_own(tx.conn, id, now, limit)?,
            ),
        };
        let mut is_cut = members.len() == most || tokens.len() == most;
        members.retain(|_, member| member.user.standing == Standing::Active);
        let users: Vec<_> = members.keys().cloned().collect();
        let personal =
            store::token_access::list_active_personal(tx.conn, (&users, id), now, limit)?;
        is_cut |= personal.len() == most;
        tokens.extend(personal);
        let decisions = decide(tx, organization, &members, &tokens)?;
        let ids: Vec<_> = tokens.iter().map(|token| token.id.to_string()).collect();
        let replaced: BTreeSet<String> = store::token::list_replaced(tx.conn, &ids)?
            .into_iter()
            .flatten()
            .collect();
        let catalogue = tx.config().scopes.names();
        let all = tokens
            .into_iter()
            .zip(decisions)
            .filter_map(|(token, decision)| {
                // Without the access that a policy refuses.
                let is_listed = matches!(decision, Ok(_) | Err(Violation::Blocked));
                is_listed.then(|| Access {
                    owner: members.get(token.owner.id()).cloned(),
                    is_replaced: replaced.contains(token.id.as_str()),
                    advice: advice::advise(&token, decision, &catalogue, now),
                    decision,
                    token,
                })
            });
        Ok(Self {
            all: all.collect(),
            members,
            is_cut,
        })
    }

    pub(super) fn part(&self, part: AccessPart) -> impl Iterator<Item = &Access> {
        self.all.iter().filter(move |one| one.is_in(part))
    }

    pub(super) fn urgent(&self, part: AccessPart) -> Vec<Urgent> {
        let mut tokens: Vec<_> = self.part(part).collect();
        tokens.sort_by_key(|one| match part {
            AccessPart::Unused => (
                one.token.last_use.as_ref().map(|last| last.at),
                one.token.created_at,
            ),
            _ => (one.ends_at(), one.token.created_at),
        });
        let urgent = |one: &&Access| Urgent {
            name: one.token.name.clone(),
            owner: one.owner.as_ref().map(|owner| owner.user.name.clone()),
            ends_at: one.ends_at(),
        };
        tokens.iter().take(NAMED).map(urgent).collect()
    }
}

/// The decision of an organization on tokens of its members and its own.
fn decide(
    tx: &mut Tx<'_>,
    organization: &Organization,
    members: &BTreeMap<String, Member>,
    tokens: &[Token],
) -> Result<Vec<PolicyDecision>, Error> {
    let owner_kind = |token: &Token| {
        let member = members.get(token.owner.id());
        OwnerKind::of(token, member.map(|member| member.role))
    };
    let gated = tx.config().organizations.plan_needed_for;
    let plan_rule = PlanRule {
        plan: organization.plan,
        gated,
    };
    let mut decisions: Vec<PolicyDecision> = Vec::new();
    let mut refused = Vec::new();
    for token in tokens {
        let decision = (organization.policy).check(plan_rule, owner_kind(token), Life::of(token));
        if decision.is_err() {
            refused.push(&token.id);
        }
        decisions.push(decision.map(|()| None));
    }
    let graces = match refused.is_empty() {
        true => Default::default(),
        false => store::policy::list_graces(tx.conn, &refused, tx.now)?,
    };
    for (token, decision) in tokens.iter().zip(&mut decisions) {
        let grace = graces.get(&(token.id.clone(), organization.id.clone()));
        let grace = grace.filter(|grace| {
            let checked = grace.check(gated, owner_kind(token), Life::of(token));
            checked.is_ok()
        });
        if let (Err(_), Some(grace)) = (&decision, grace) {
            *decision = Ok(Some(grace.ends_at));
        }
        if token.blocked_in.contains(&organization.id) {
            *decision = Err(Violation::Blocked);
        }
    }
    Ok(decisions)
}
