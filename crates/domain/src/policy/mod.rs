//! An organization's policy: which tokens may reach it.
//!
//! The policy is part of every decision, so it applies to earlier tokens too. A stricter policy
//! would break running clients; so the change names a [`Grace`] period, in which the earlier
//! policy still applies to the tokens that the new one denies.

#[cfg(test)]
mod tests;

use super::role::Role;
use super::token::Token;
use super::{Fault, Instant};
use chrono::Duration;

/// The plan of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Users and projects, and personal tokens unless all tokens need a larger plan.
    Free,
    /// Users, projects and all tokens.
    Team,
}

impl Plan {
    /// All plans, the smallest first.
    pub const ALL: [Self; 2] = [Self::Free, Self::Team];

    /// The plan as it is written in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Team => "team",
        }
    }

    /// Parses a plan.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text)
    }
}

/// The tokens that need the plan `team`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatedTokens {
    /// Those of organizations.
    Organization,
    /// Those of users too.
    All,
}

/// The plan of an organization, and the tokens for which it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRule {
    /// The plan.
    pub plan: Plan,
    /// The tokens that need the plan `team`.
    pub gated: GatedTokens,
}

impl PlanRule {
    /// Whether the plan includes the tokens of this kind of owner.
    fn includes(self, owner_kind: OwnerKind) -> bool {
        match (self.plan, self.gated, owner_kind) {
            (Plan::Team, _, _) => true,
            (Plan::Free, GatedTokens::Organization, OwnerKind::Member { .. }) => true,
            (Plan::Free, _, _) => false,
        }
    }
}

/// The members whose personal tokens a rule of a policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalTokens {
    /// Those of every member.
    Members,
    /// Those of admins and owners.
    Admins,
}

impl PersonalTokens {
    /// Both choices, the wider first.
    pub const ALL: [Self; 2] = [Self::Members, Self::Admins];

    /// The choice as it is written in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Admins => "admins",
        }
    }

    /// Parses a choice.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }

    /// The lowest role whose personal tokens reach the organization.
    pub fn least_role(self) -> Role {
        match self {
            Self::Members => Role::Member,
            Self::Admins => Role::Admin,
        }
    }
}

/// The longest lifetime of tokens that reach an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Longest {
    /// Unlimited; tokens need not expire.
    Unlimited,
    /// Unlimited, but every token must expire.
    Ending,
    /// At most this many days.
    Days(u32),
}

/// The longest lifetime that a policy can name, in days.
pub const MOST_DAYS: u32 = 36_500;

/// Which tokens may reach an organization, besides its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whose personal tokens are allowed.
    pub personal_tokens: PersonalTokens,
    /// Who may create personal tokens. Those of other members are allowed if the operator created
    /// them.
    pub created_by: PersonalTokens,
    /// The longest lifetime of tokens.
    pub longest: Longest,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            personal_tokens: PersonalTokens::Members,
            created_by: PersonalTokens::Members,
            longest: Longest::Unlimited,
        }
    }
}

/// Why a policy does not allow a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The token needs the plan `team`.
    Plan,
    /// Personal tokens are for admins and owners.
    Role,
    /// Only admins, owners and the operator create personal tokens.
    Creator,
    /// The token never expires.
    Never,
    /// The token's lifetime exceeds this many days.
    TooLong(u32),
    /// An admin blocked the token for the organization.
    Blocked,
}

impl Violation {
    /// The violation in one word, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Role => "role",
            Self::Creator => "creator",
            Self::Never => "never_expires",
            Self::TooLong(_) => "lifetime",
            Self::Blocked => "blocked",
        }
    }

    /// The violation in words for the user who created the token.
    pub fn explain(self) -> String {
        match self {
            Self::Plan => "The organization's plan does not include this token.".to_owned(),
            Self::Role => {
                "The organization lets only admins and owners create personal tokens that reach it."
                    .to_owned()
            }
            Self::Creator => {
                "The organization lets only admins and owners create personal tokens. Ask the \
                 operator to create one for you."
                    .to_owned()
            }
            Self::Never => {
                "The organization allows no tokens without an expiry. Choose a date.".to_owned()
            }
            Self::TooLong(days) => {
                format!(
                    "The organization allows tokens for at most {days} days. Choose an earlier date."
                )
            }
            Self::Blocked => "An admin of the organization blocked the token there.".to_owned(),
        }
    }

    /// Whether the policy would allow the token with another expiry.
    pub fn is_about_life(self) -> bool {
        matches!(self, Self::Never | Self::TooLong(_))
    }

    /// The fault of a form that requests such a token.
    pub fn fault(self) -> Fault {
        let field = match self {
            Self::Never | Self::TooLong(_) => "expires",
            Self::Plan | Self::Role | Self::Creator | Self::Blocked => "organization",
        };
        Fault::new(field, self.explain())
    }
}

/// The kind of owner of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A member.
    Member {
        /// The role in the organization.
        role: Role,
        /// Whether the member created the token.
        is_creator: bool,
    },
    /// The organization itself.
    Organization,
}

impl OwnerKind {
    /// A member who creates the token.
    pub fn creator(role: Role) -> Self {
        Self::Member {
            role,
            is_creator: true,
        }
    }

    /// The owner of a token: a member with this role, or the organization itself.
    pub fn of(token: &Token, role: Option<Role>) -> Self {
        match role {
            Some(role) => Self::Member {
                role,
                is_creator: token.created_by == token.owner.id(),
            },
            None => Self::Organization,
        }
    }
}

/// The lifetime of a token, which a policy limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// When it was created.
    pub created_at: Instant,
    /// When it expires; `None` if never.
    pub expires_at: Option<Instant>,
}

impl Life {
    /// The lifetime of a token.
    pub fn of(token: &Token) -> Self {
        Self {
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}

impl Policy {
    /// Whether a token may reach the organization.
    pub fn check(
        &self,
        plan_rule: PlanRule,
        owner_kind: OwnerKind,
        life: Life,
    ) -> Result<(), Violation> {
        if !plan_rule.includes(owner_kind) {
            return Err(Violation::Plan);
        }
        if let OwnerKind::Member { role, is_creator } = owner_kind {
            if role < self.personal_tokens.least_role() {
                return Err(Violation::Role);
            }
            if is_creator && role < self.created_by.least_role() {
                return Err(Violation::Creator);
            }
        }
        match (self.longest, life.expires_at) {
            (Longest::Unlimited, _) | (Longest::Ending, Some(_)) => Ok(()),
            (Longest::Ending | Longest::Days(_), None) => Err(Violation::Never),
            (Longest::Days(days), Some(end)) => {
                match end - life.created_at <= Duration::days(days.into()) {
                    true => Ok(()),
                    false => Err(Violation::TooLong(days)),
                }
            }
        }
    }

    /// The default expiry of a token created now; `None` if the policy sets none.
    pub fn default_end(&self, now: Instant) -> Option<Instant> {
        match self.longest {
            Longest::Ending => now.checked_add_signed(Duration::days(365)),
            Longest::Unlimited | Longest::Days(_) => self.latest(now),
        }
    }

    /// The latest expiry of a token created now; `None` if it need not expire.
    pub fn latest(&self, now: Instant) -> Option<Instant> {
        match self.longest {
            Longest::Unlimited => None,
            Longest::Ending => now.checked_add_signed(Duration::days(MOST_DAYS.into())),
            Longest::Days(days) => now.checked_add_signed(Duration::days(days.into())),
        }
    }
}

/// The grace period after a change of plan or policy. During it, a token that the new plan and
/// policy deny is allowed if the earlier ones allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// The earlier plan.
    pub plan: Plan,
    /// The earlier policy.
    pub policy: Policy,
    /// The end of the grace period.
    pub ends_at: Instant,
}

impl Grace {
    /// Whether a token may reach the organization during the grace period.
    pub fn check(
        &self,
        gated: GatedTokens,
        owner_kind: OwnerKind,
        life: Life,
    ) -> Result<(), Violation> {
        let plan_rule = PlanRule {
            plan: self.plan,
            gated,
        };
        self.policy.check(plan_rule, owner_kind, life)
    }
}

/// Whether a token is allowed at this moment: `None` means by the policy, `Some` by a grace
/// period with this end.
pub type PolicyDecision = Result<Option<Instant>, Violation>;

/// The better of two policy decisions: a token is allowed as long as any organization allows it.
pub fn better(a: PolicyDecision, b: PolicyDecision) -> PolicyDecision {
    match (a, b) {
        (Ok(Some(a)), Ok(Some(b))) => Ok(Some(a.max(b))),
        (Ok(None), _) | (_, Ok(None)) => Ok(None),
        (Ok(end), Err(_)) | (Err(_), Ok(end)) => Ok(end),
        (Err(violation), Err(_)) => Err(violation),
    }
}

/// The default grace period after a policy becomes stricter.
pub const DEFAULT_GRACE: Duration = Duration::days(7);

/// The longest grace period.
pub const LONGEST_GRACE: Duration = Duration::days(30);
