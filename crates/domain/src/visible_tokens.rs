//! The tokens that a caller may see and change.

use super::token::{Limits, Token, TokenOwner};

/// The tokens of an owner within the caller's limits. A limited token must not reach, through
/// another token of its owner, a resource beyond its own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleTokens {
    /// The owner.
    pub owner: TokenOwner,
    /// The limits that each token must be within.
    pub limits: Limits,
}

impl VisibleTokens {
    /// The owner's tokens within these limits. The organization limit does not apply to tokens of
    /// an organization, which reach only that organization anyway.
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

    /// Whether a token is visible.
    pub fn covers(&self, token: &Token) -> bool {
        token.owner == self.owner && token.limits.is_within(&self.limits)
    }
}
