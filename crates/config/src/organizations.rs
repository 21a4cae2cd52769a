//! `[organizations]`: who may create organizations, and how many users invitations create.

use super::table::Table;
use domain::id::OrganizationId;
use domain::org::is_slug;

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
}

impl Organizations {
    pub(super) fn read(table: &mut Table) -> Self {
        let makers = [("operator", Makers::Operator), ("users", Makers::Users)];
        Self {
            made_by: table.choice("made_by", makers, "is not one of operator, users"),
            home: table.text_as("home", None, home, |home| home.clone().unwrap_or_default()),
            new_users_per_day: table.number("new_users_per_day", 50, 1..=1_000_000),
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
