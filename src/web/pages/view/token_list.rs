//! The list of tokens of a user or an organization.

use super::filters;
use super::token::{TokenMark, TokenRight, TokenRow, TokenState, TokensOwner};
use super::{Choice, Chrome};
use askama::Template;
use domain::policy::Violation;

/// `/tokens`, or `/o/{org}/settings/api-tokens`.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the tokens.
    pub owner: TokensOwner,
    /// The user's rights.
    pub right: TokenRight,
    /// Whether the user can create personal tokens.
    pub can_create_own: bool,
    /// The tokens, with the filter that found them.
    pub listing: TokenListing,
    /// The notice of the last action.
    pub notice: Option<TokensNotice>,
    /// The commands of an owner without tokens.
    pub commands: FirstCommands,
}

/// The commands to start with.
#[derive(Debug, Clone)]
pub struct FirstCommands {
    /// Signs in from a terminal.
    pub sign_in: String,
    /// Makes a request with the token of this sign-in.
    pub whoami: String,
    /// Makes a request with a token that is in the environment.
    pub request: String,
}

/// A page of tokens, and the filter that found them.
#[derive(Debug, Clone, Default)]
pub struct TokenListing {
    /// The tokens of the page.
    pub tokens: Vec<TokenRow>,
    /// The part that is shown: `active`, `attention` or `ended`.
    pub part: &'static str,
    /// The typed words.
    pub text: String,
    /// The orders, one of them selected.
    pub sorts: Vec<Choice>,
    /// Number of active tokens.
    pub active: usize,
    /// Number of those that need attention.
    pub attention: usize,
    /// Number of revoked and expired tokens.
    pub ended: usize,
    /// The number of the first token of the page, from 1.
    pub first: usize,
    /// Number of tokens that match.
    pub matches: usize,
    /// Whether only the newest tokens were searched.
    pub is_cut: bool,
    /// URL of the page before.
    pub newer: Option<String>,
    /// URL of the page after.
    pub older: Option<String>,
}

impl TokenListing {
    /// Whether the owner never had a token.
    fn is_unused(&self) -> bool {
        self.active == 0 && self.ended == 0
    }

    /// The number of the last token of the page.
    fn last(&self) -> usize {
        (self.first + self.tokens.len()).saturating_sub(1)
    }

    /// What the tokens of the shown part are called.
    fn kind(&self) -> &'static str {
        match self.part {
            "ended" => "ended",
            _ => "active",
        }
    }
}

impl TokensPage {
    /// Whether there is a token to revoke, and the right to do so.
    fn can_revoke(&self) -> bool {
        self.right.can_revoke() && self.listing.active > 0
    }
}

/// The last action on the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensNotice {
    /// A token was revoked.
    Revoked {
        /// Its name.
        name: String,
        /// Number of active tokens that were created with it and have ended.
        tokens: usize,
        /// Number of open invitations that were created with it and have ended.
        invitations: usize,
    },
    /// All tokens were revoked.
    RevokedAll {
        /// Number of active tokens that ended.
        tokens: usize,
        /// Number of open invitations that ended.
        invitations: usize,
    },
}
