//! An organization's policy: which tokens may reach it.
//!
//! The policy is part of every decision, so it holds for tokens that were made before it too.
//! Tightening it would then break what runs today; so whoever tightens it names a [`Grace`], in
//! which the earlier policy goes on for the tokens that it would end.

use super::org::Role;
use super::token::Token;
use super::{Fault, Instant};
use chrono::Duration;

/// What an organization has subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// People and projects.
    Free,
    /// Organization tokens too.
    Team,
}

impl Plan {
    /// All plans, the least first.
    pub const ALL: [Self; 2] = [Self::Free, Self::Team];

    /// The plan as it is written in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Team => "team",
        }
    }

    /// Reads a plan.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text)
    }
}

/// Whose personal tokens may reach an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalTokens {
    /// Those of every member.
    Members,
    /// Those of admins and owners.
    Admins,
}

impl PersonalTokens {
    /// Both, the wider first.
    pub const ALL: [Self; 2] = [Self::Members, Self::Admins];

    /// The choice as it is written in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Admins => "admins",
        }
    }

    /// Reads a choice.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }

    /// The least role whose personal tokens reach the organization.
    pub fn least_role(self) -> Role {
        match self {
            Self::Members => Role::Member,
            Self::Admins => Role::Admin,
        }
    }
}

/// How long the tokens of an organization may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Longest {
    /// As long as their makers like, for ever too.
    Unlimited,
    /// As long as their makers like, but each must end.
    Ending,
    /// At most this many days.
    Days(u32),
}

/// The longest lifetime that a policy can name, in days.
pub const MOST_DAYS: u32 = 36_500;

/// Which tokens may reach an organization, besides its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whose personal tokens.
    pub personal_tokens: PersonalTokens,
    /// How long they may live.
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

/// Why a policy does not admit a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Organization tokens need the plan `team`.
    Plan,
    /// Personal tokens are for admins and owners.
    Role,
    /// It never ends.
    Never,
    /// It lives longer than this many days.
    TooLong(u32),
}

impl Violation {
    /// The violation in one word, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Role => "role",
            Self::Never => "never_expires",
            Self::TooLong(_) => "lifetime",
        }
    }

    /// The violation in words for the person who made the token.
    pub fn explain(self) -> String {
        match self {
            Self::Plan => "The organization's plan has no organization tokens.".to_owned(),
            Self::Role => {
                "The organization lets admins and owners alone make personal tokens that reach it."
                    .to_owned()
            }
            Self::Never => "The organization wants its tokens to end: choose a date.".to_owned(),
            Self::TooLong(days) => {
                format!("The organization lets tokens live for at most {days} days.")
            }
        }
    }

    /// Whether another choice of its end would make the token admitted.
    pub fn is_about_life(self) -> bool {
        matches!(self, Self::Never | Self::TooLong(_))
    }

    /// The fault of a form that asks for such a token.
    pub fn fault(self) -> Fault {
        let field = match self {
            Self::Never | Self::TooLong(_) => "expires",
            Self::Plan | Self::Role => "organization",
        };
        Fault::new(field, self.explain())
    }
}

/// Whose token a policy judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A member's, with this role.
    Member(Role),
    /// The organization's own.
    Organization,
}

/// From when to when a token lives, which is what a policy measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// When it was made.
    pub created_at: Instant,
    /// When it ends; `None` if never.
    pub expires_at: Option<Instant>,
}

impl Life {
    /// The life of a token.
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

    /// When a token that is made now ends if nobody chooses; `None` if the policy does not say.
    pub fn default_end(&self, now: Instant) -> Option<Instant> {
        match self.longest {
            Longest::Ending => now.checked_add_signed(Duration::days(365)),
            Longest::Unlimited | Longest::Days(_) => self.latest(now),
        }
    }

    /// When a token that is made now ends at the latest; `None` if it need not end.
    pub fn latest(&self, now: Instant) -> Option<Instant> {
        match self.longest {
            Longest::Unlimited => None,
            Longest::Ending => now.checked_add_signed(Duration::days(MOST_DAYS.into())),
            Longest::Days(days) => now.checked_add_signed(Duration::days(days.into())),
        }
    }
}

/// What lets a token go on for a while that a change of plan or policy does not admit: for it,
/// those of before still hold. It excuses nothing that was not admitted then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// The plan of before.
    pub plan: Plan,
    /// The policy of before.
    pub policy: Policy,
    /// Until when they hold.
    pub ends_at: Instant,
}

impl Grace {
    /// Whether a token may reach the organization as long as the grace runs.
    pub fn check(&self, owner_kind: OwnerKind, life: Life) -> Result<(), Violation> {
        self.policy.check(self.plan, owner_kind, life)
    }
}

/// Whether a token is admitted at this moment: by a policy, which is `None`, or until when by
/// a grace.
pub type PolicyDecision = Result<Option<Instant>, Violation>;

/// The better of two admissions: a token goes on as long as any organization lets it.
pub fn better(a: PolicyDecision, b: PolicyDecision) -> PolicyDecision {
    match (a, b) {
        (Ok(Some(a)), Ok(Some(b))) => Ok(Some(a.max(b))),
        (Ok(None), _) | (_, Ok(None)) => Ok(None),
        (Ok(end), Err(_)) | (Err(_), Ok(end)) => Ok(end),
        (Err(violation), Err(_)) => Err(violation),
    }
}

/// How long tokens go on that a tightened policy does not admit, if nobody chooses.
pub const DEFAULT_GRACE: Duration = Duration::days(7);

/// How long they may go on at the most.
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
