//! Which tokens a caller may look at and change.

use super::token::{Limits, Token, TokenOwner};

/// The tokens of an owner, as far as they reach nothing that the caller does not: by another
/// token of its owner, a limited one must not get at what lies beyond its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleTokens {
    /// Whose tokens.
    pub owner: TokenOwner,
    /// What they must be within.
    pub limits: Limits,
}

impl VisibleTokens {
    /// An owner's tokens that are within these limits. Those of an organization reach that
    /// organization alone, whether they are limited to it or not.
    pub fn new(owner: TokenOwner, limits: Limits) -> Self {
        let organization = match owner {
            TokenOwner::User(_) => limits.organization,
            TokenOwner::Organization(_) => None,
        };
        Self {
            owner,
            limits: Limits {
                organization,
                projects: limits.projects,
            },
        }
    }

    /// Whether a token is one of them.
    pub fn covers(&self, token: &Token) -> bool {
        token.owner == self.owner && token.limits.is_within(&self.limits)
    }
}
