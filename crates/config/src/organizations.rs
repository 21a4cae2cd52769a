//! `[organizations]`: who may create organizations.

use super::Settings;
use super::table::Table;

/// Who may create organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makers {
    /// Every user. The creator owns the organization, so for a scope with a `min_role`, an API
    /// must name the organization or project in its access request.
    Users,
    /// Only the operator.
    Operator,
}

/// The organization settings.
#[derive(Debug, Clone)]
pub struct Organizations {
    /// Who may create organizations.
    pub made_by: Makers,
}

impl Organizations {
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let makers = |text: &str| match text {
            "users" => Ok(Makers::Users),
            "operator" => Ok(Makers::Operator),
            other => Err(format!("{other:?} is not one of users, operator")),
        };
        Self {
            made_by: table.text("made_by", makers).unwrap_or(Makers::Users),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        let made_by = match self.made_by {
            Makers::Users => "users",
            Makers::Operator => "operator",
        };
        vec![("made_by", made_by.into())]
    }
}
