//! Whether a sign-in with an identity provider needs a second factor of this server.

use super::super::table::Table;

/// Which sign-ins with a provider have two factors. The others need one of this server, if the user
/// has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// Those of which the provider states it, in the claims `amr` (RFC 8176) or `acr`.
    Stated,
    /// All: the provider always asks for two.
    Always,
}

impl SecondFactor {
    pub(super) fn read(table: &mut Table) -> Self {
        let choices = [("stated", Self::Stated), ("always", Self::Always)];
        table.choice("second_factor", choices, "is neither stated nor always")
    }
}
