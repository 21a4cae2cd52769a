//! `[organizations]`: who may create organizations, and how many users invitations create;
//! `[new_organizations]`: their plan and policy.

use super::table::Table;
use domain::id::OrganizationId;
use domain::org::is_slug;
use domain::policy::{GatedTokens, Longest, MOST_DAYS, PersonalTokens, Plan, Policy};

/// Who may create organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makers {
    /// Only the operator.
    Operator,
    /// Every user. The creator owns the organization, which has no effect outside itself.
    Users,
}

/// The organization settings.
#[derive(Debug, Clone)]
pub struct Organizations {
    /// Who may create organizations.
    pub made_by: Makers,
    /// The organization that counts where a request names none, by its slug or id.
    pub home: Option<String>,
    /// Maximum number of users that the invitations of one user create in a day.
    pub new_users_per_day: u32,
    /// The tokens that need the plan `team`.
    pub plan_needed_for: GatedTokens,
}

/// The plan and policy with which organizations are created.
#[derive(Debug, Clone, Copy)]
pub struct NewOrganizations {
    /// The plan.
    pub plan: Plan,
    /// The policy.
    pub policy: Policy,
}

impl NewOrganizations {
    pub(super) fn read(table: &mut Table) -> Self {
        let plans = [("team", Plan::Team), ("free", Plan::Free)];
        let members = PersonalTokens::ALL.map(|choice| (choice.as_str(), choice));
        let plan = table.choice("plan", plans, "is neither team nor free");
        let otherwise = "is neither members nor admins";
        let personal_tokens = table.choice("personal_tokens", members, otherwise);
        let created_by = table.choice("created_by", members, otherwise);
        let days = table.number("max_lifetime_days", 0, 0..=MOST_DAYS);
        let never = table.flag("never_expires", days == 0);
        if never && days > 0 {
            let why = "is true beside max_lifetime_days, with which every token expires";
            table.fault("never_expires", why.to_owned());
        }
        Self {
            plan,
            policy: Policy {
                personal_tokens,
                created_by,
                longest: match (days, never) {
                    (0, true) => Longest::Unlimited,
                    (0, false) => Longest::Ending,
                    (days, _) => Longest::Days(days),
                },
            },
        }
    }
}

impl Organizations {
    pub(super) fn read(table: &mut Table) -> Self {
        let makers = [("operator", Makers::Operator), ("users", Makers::Users)];
        Self {
            made_by: table.choice("made_by", makers, "is not one of operator, users"),
            home: table.text_as("home", None, home, |home| home.clone().unwrap_or_default()),
            new_users_per_day: table.number("new_users_per_day", 50, 1..=1_000_000),
            plan_needed_for: table.choice(
                "plan_needed_for",
                [
                    ("organization_tokens", GatedTokens::Organization),
                    ("all_tokens", GatedTokens::All),
                ],
                "is neither organization_tokens nor all_tokens",
            ),
        }
    }
}

/// The slug or id of an organization; empty for none.
fn home(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        text => organization(text).map(Some),
    }
}

/// The slug or id of an organization.
pub(super) fn organization(text: &str) -> Result<String, String> {
    match is_slug(text) || OrganizationId::parse(text).is_some() {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is neither the slug nor the id of an organization"
        )),
    }
}
