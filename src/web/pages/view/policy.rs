//! The policy of an organization.

use super::filters;
use super::org::{Access, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use chrono::Duration;

/// `/o/{org}/settings/policy`. Posts to the same path the fields `personal_tokens`,
/// `created_by`, `max_lifetime`, `never` = `yes`. Without `Access::Own` there is no form.
#[derive(Debug, Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its plan: `free` or `team`.
    pub plan: &'static str,
    /// The policy in the form, or in force.
    pub terms: Terms,
    /// The user's rights.
    pub access: Access,
    /// The notice of the last save.
    pub notice: Option<PolicyNotice>,
    /// Form errors; fields `personal_tokens`, `max_lifetime`, `never`.
    pub errors: FieldErrors,
}

/// The last change to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyNotice {
    /// It was saved, and every active token complies.
    Saved,
    /// It was saved, and this many active tokens break it.
    SavedWithGrace(usize),
}

/// A policy as form values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whose personal tokens reach the organization; see [`personal_tokens`].
    pub personal_tokens: Vec<Choice>,
    /// Who may create them.
    pub created_by: Vec<Choice>,
    /// The longest lifetime of a token; see [`lifetimes`].
    pub max_lifetime: Vec<Choice>,
    /// Whether tokens may never expire.
    pub never: bool,
}

impl Terms {
    /// The names and values of the form, to send them again.
    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let chosen = [
            ("personal_tokens", chosen(&self.personal_tokens)),
            ("created_by", chosen(&self.created_by)),
            ("max_lifetime", chosen(&self.max_lifetime)),
        ];
        let mut pairs: Vec<_> = chosen
            .into_iter()
            .filter_map(|(name, choice)| Some((name, choice?.value.as_str())))
            .collect();
        if self.never {
            pairs.push(("never", "yes"));
        }
        pairs
    }

    /// The form's values as a query that fills the form.
    fn query(&self) -> String {
        let parts = self.pairs().into_iter();
        let parts: Vec<_> = parts
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        parts.join("&")
    }
}

fn chosen(choices: &[Choice]) -> Option<&Choice> {
    choices.iter().find(|choice| choice.selected)
}

/// The review of a tighter policy. Posts to `/o/{org}/settings/policy/apply` the fields of
/// [`PolicyPage`] and `grace`.
#[derive(Debug, Template)]
#[template(path = "policy_review.html")]
pub struct PolicyReviewPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The new policy.
    pub terms: Terms,
    /// The newest active tokens that break it; never empty.
    pub tokens: Vec<AffectedToken>,
    /// Number of further tokens that break it.
    pub more: usize,
    /// The grace periods; see [`graces`].
    pub grace: Vec<Choice>,
    /// Form errors; field `grace`.
    pub errors: FieldErrors,
}

impl PolicyReviewPage {
    /// Number of tokens that break it.
    fn count(&self) -> usize {
        self.tokens.len() + self.more
    }
}

/// A token that breaks a policy.
#[derive(Debug, Clone)]
pub struct AffectedToken {
    /// The token's name.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// The name of its owner; `None` if the organization owns it.
    pub owner: Option<String>,
    /// When it was last used; `None` if never.
    pub last_used: Option<Moment>,
    /// The rule that it breaks.
    pub reason: PolicyReason,
    /// The effect after the grace period.
    pub effect: PolicyEffect,
}

/// The effect of a policy on a token that breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyEffect {
    /// It becomes inactive, since it reaches nothing else.
    Ends,
    /// It stays active, but no longer reaches the organization.
    LosesOrganization,
}

/// Why a token breaks a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyReason {
    /// The plan has no organization tokens.
    Plan,
    /// Its owner is neither admin nor owner.
    OwnerIsMember,
    /// Its owner created it, and is neither admin nor owner.
    CreatorIsMember,
    /// Its lifetime is longer than allowed.
    LivesTooLong,
    /// It never expires.
    NeverExpires,
    /// An admin blocked it.
    Blocked,
}

/// The choices for the members whose personal tokens a rule allows.
pub fn personal_tokens(selected: &str) -> Vec<Choice> {
    Choice::of(
        &[("members", "All members"), ("admins", "Admins and owners")],
        selected,
    )
}

/// The choices for the longest lifetime of a token, including a number of days set through the
/// API.
pub fn lifetimes(selected: &str) -> Vec<Choice> {
    let mut choices = Choice::of(
        &[
            ("none", "No limit"),
            ("7d", "7 days"),
            ("30d", "30 days"),
            ("90d", "90 days"),
            ("180d", "180 days"),
            ("365d", "365 days"),
        ],
        selected,
    );
    let days = selected
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    if let (Some(days), None) = (days, chosen(&choices)) {
        choices.push(Choice {
            value: format!("{days}d"),
            label: format!("{days} days"),
            selected: true,
        });
    }
    choices
}

/// The grace periods for tokens that a policy ends.
pub fn graces(selected: &str) -> Vec<Choice> {
    Choice::of(
        &[
            ("none", "None: they end at once"),
            ("1d", "1 day"),
            ("7d", "7 days"),
            ("30d", "30 days"),
        ],
        selected,
    )
}

/// The grace period with this value of [`graces`].
pub fn read_grace(value: &str) -> Option<Duration> {
    match value {
        "none" => Some(Duration::zero()),
        "1d" => Some(Duration::days(1)),
        "7d" => Some(Duration::days(7)),
        "30d" => Some(Duration::days(30)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_lifetime_is_always_a_choice() {
        let labels = |selected| {
            let choices = lifetimes(selected);
            chosen(&choices).map(|choice| choice.label.clone())
        };
        assert_eq!(labels("none").as_deref(), Some("No limit"));
        assert_eq!(labels("90d").as_deref(), Some("90 days"));
        assert_eq!(labels("45d").as_deref(), Some("45 days"));
        assert_eq!(labels("x"), None);
    }

    #[test]
    fn query_keeps_the_form_values() {
        let terms = |never| Terms {
            personal_tokens: personal_tokens("admins"),
            created_by: personal_tokens("members"),
            max_lifetime: lifetimes("90d"),
            never,
        };
        let kept = "personal_tokens=admins&created_by=members&max_lifetime=90d";
        assert_eq!(terms(false).query(), kept);
        assert_eq!(terms(true).query(), format!("{kept}&never=yes"));
    }
}
