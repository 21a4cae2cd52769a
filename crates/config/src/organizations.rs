//! `[organizations]`: who may make them.

use super::Settings;
use super::table::Table;

/// Who may make organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makers {
    /// Whoever has an account. Its maker owns an organization, so where a scope has a
    /// `min_role`, an API must name the organization or project that it asks about.
    Users,
    /// The operator alone.
    Operator,
}

/// `[organizations]`.
#[derive(Debug, Clone)]
pub struct Organizations {
    /// Who may make them.
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
