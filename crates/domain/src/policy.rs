//! An organization's policy: which tokens may reach it.
//!
//! The policy is part of every decision, so it applies to earlier tokens too. A stricter policy
//! would break running clients; so the change names a [`Grace`] period, in which the earlier
//! policy still applies to the tokens that the new one denies.

use super::role::Role;
use super::token::Token;
use super::{Fault, Instant};
use chrono::Duration;

/// The plan of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Users and projects.
    Free,
    /// Users, projects and organization tokens.
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

/// Which personal tokens may reach an organization.
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
    /// Which personal tokens are allowed.
    pub personal_tokens: PersonalTokens,
    /// The longest lifetime of tokens.
    pub longest: Longest,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            personal_tokens: PersonalTokens::Members,
            longest: Longest::Unlimited,
        }
    }
}

/// Why a policy does not allow a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Organization tokens need the plan `team`.
    Plan,
    /// Personal tokens are for admins and owners.
    Role,
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
            Self::Never => "never_expires",
            Self::TooLong(_) => "lifetime",
            Self::Blocked => "blocked",
        }
    }

    /// The violation in words for the user who created the token.
    pub fn explain(self) -> String {
        match self {
            Self::Plan => "The organization's plan has no organization tokens.".to_owned(),
            Self::Role => {
                "The organization lets only admins and owners create personal tokens that reach it."
                    .to_owned()
            }
            Self::Never => "The organization wants its tokens to end: choose a date.".to_owned(),
            Self::TooLong(days) => {
                format!("The organization lets tokens live for at most {days} days.")
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
            Self::Plan | Self::Role | Self::Blocked => "organization",
        };
        Fault::new(field, self.explain())
    }
}

/// The kind of owner of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A member with this role.
    Member(Role),
    /// The organization itself.
    Organization,
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
    pub fn check(&self, plan: Plan, owner_kind: OwnerKind, life: Life) -> Result<(), Violation> {
        match owner_kind {
            OwnerKind::Organization if plan == Plan::Free => return Err(Violation::Plan),
            OwnerKind::Member(role) if role < self.personal_tokens.least_role() => {
                return Err(Violation::Role);
            }
            _ => {}
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
    pub fn check(&self, owner_kind: OwnerKind, life: Life) -> Result<(), Violation> {
        self.policy.check(self.plan, owner_kind, life)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination() {
        let created_at = Instant::UNIX_EPOCH;
        let life = |days: Option<i64>| Life {
            created_at,
            expires_at: days.map(|days| created_at + Duration::days(days)),
        };
        let mut seen = 0;
        for plan in Plan::ALL {
            for personal_tokens in PersonalTokens::ALL {
                for longest in [Longest::Unlimited, Longest::Ending, Longest::Days(30)] {
                    for owner_kind in Role::ALL
                        .map(OwnerKind::Member)
                        .into_iter()
                        .chain([OwnerKind::Organization])
                    {
                        for days in [None, Some(30), Some(31)] {
                            let policy = Policy {
                                personal_tokens,
                                longest,
                            };
                            let is_for_another = match owner_kind {
                                OwnerKind::Organization => plan == Plan::Free,
                                OwnerKind::Member(role) => {
                                    personal_tokens == PersonalTokens::Admins
                                        && role == Role::Member
                                }
                            };
                            let is_too_long = match (longest, days) {
                                (Longest::Unlimited, _) => false,
                                (Longest::Ending, days) => days.is_none(),
                                (Longest::Days(_), days) => days != Some(30),
                            };
                            let admitted = policy.check(plan, owner_kind, life(days)).is_ok();
                            assert_eq!(
                                admitted,
                                !is_for_another && !is_too_long,
                                "{plan:?} {policy:?} {owner_kind:?} {days:?}"
                            );
                            seen += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(seen, 2 * 2 * 3 * 4 * 3);
    }

    #[test]
    fn words_read_back() {
        for plan in Plan::ALL {
            assert_eq!(Plan::parse(plan.as_str()), Some(plan));
        }
        for choice in PersonalTokens::ALL {
            assert_eq!(PersonalTokens::parse(choice.as_str()), Some(choice));
        }
        assert_eq!(Plan::parse("Team"), None);
        assert_eq!(PersonalTokens::parse(""), None);
    }
}
