//! `[organizations]`: who may create organizations.

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
    pub(super) fn read(table: &mut Table) -> Self {
        let makers = [("users", Makers::Users), ("operator", Makers::Operator)];
        Self {
            made_by: table.choice("made_by", makers, "is not one of users, operator"),
        }
    }
}
