//! The policy of an organization.

use super::org::{Access, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;

/// `/o/{org}/settings/policy`. Posts to the same path the fields `personal_tokens`,
/// `max_lifetime`, `never` = `yes`. Without `Access::Own` it has no form.
#[derive(Debug, Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its plan: `free` or `team`.
    pub plan: &'static str,
    /// What is in the form, or in force.
    pub terms: Terms,
    /// What the person may do.
    pub access: Access,
    /// Whether the policy was saved just now.
    pub notice: Option<PolicyNotice>,
    /// What is wrong; fields `personal_tokens`, `max_lifetime`, `never`.
    pub errors: FieldErrors,
}

/// What was just done to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyNotice {
    /// It was saved, and every living token keeps to it.
    Saved,
    /// It was saved, and this many living tokens break it.
    SavedWithGrace(usize),
}

/// What a policy says, as its form sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who may make personal tokens that reach the organization; see [`personal_tokens`].
    pub personal_tokens: Vec<Choice>,
    /// The longest lifetime of a token; see [`lifetimes`].
    pub max_lifetime: Vec<Choice>,
    /// Whether tokens may never expire.
    pub never: bool,
}

impl Terms {
    /// The form's values, to send them again: names and values.
    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let chosen = [
            ("personal_tokens", chosen(&self.personal_tokens)),
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

    /// The form's values as a query, which opens the form with them.
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

/// What a tightened policy would do. Posts to `/o/{org}/settings/policy/apply` the fields of
/// [`PolicyPage`] and `grace`.
#[derive(Debug, Template)]
#[template(path = "policy_review.html")]
pub struct PolicyReviewPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// What would be in force.
    pub terms: Terms,
    /// The newest living tokens that break it; never empty.
    pub tokens: Vec<AffectedToken>,
    /// How many more break it.
    pub more: usize,
    /// How long they would go on; see [`graces`].
    pub grace: Vec<Choice>,
    /// What is wrong; field `grace`.
    pub errors: FieldErrors,
}

impl PolicyReviewPage {
    /// How many tokens break it.
    fn count(&self) -> usize {
        self.tokens.len() + self.more
    }
}

/// A token that breaks a policy.
#[derive(Debug, Clone)]
pub struct AffectedToken {
    /// What its owner calls it.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// Whose it is: a person's name, or `None` if it is the organization's own.
    pub owner: Option<String>,
    /// When it was last used; `None` if never.
    pub last_used: Option<Moment>,
    /// What the policy has against it.
    pub reason: PolicyReason,
    /// What becomes of it after the grace.
    pub effect: PolicyEffect,
}

/// What becomes of a token that breaks a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyEffect {
    /// It can be used no more, since it reaches nothing else.
    Ends,
    /// It goes on, but no longer reaches the organization.
    LosesOrganization,
}

/// Why a token breaks a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyReason {
    /// The plan has no organization tokens.
    Plan,
    /// Its owner is neither admin nor owner.
    OwnerIsMember,
    /// It lives longer than allowed.
    LivesTooLong,
    /// It never expires.
    NeverExpires,
}

/// Who may make personal tokens that reach an organization.
pub fn personal_tokens(selected: &str) -> Vec<Choice> {
    Choice::of(
        &[("members", "Everyone"), ("admins", "Admins and owners")],
        selected,
    )
}

/// The longest lifetime of a token. A number of days that was set through the API is among
/// the choices too.
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

/// How long tokens go on that a policy ends.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_lifetime_that_is_in_force_can_stay() {
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
    fn the_way_back_keeps_what_was_chosen() {
        let terms = |never| Terms {
            personal_tokens: personal_tokens("admins"),
            max_lifetime: lifetimes("90d"),
            never,
        };
        let kept = "personal_tokens=admins&max_lifetime=90d";
        assert_eq!(terms(false).query(), kept);
        assert_eq!(terms(true).query(), format!("{kept}&never=yes"));
    }
}
