//! The tokens with access to an organization, and what its admins do about one.

use super::filters;
use super::org::OrganizationHead;
use super::token::{TokenMark, TokenRow, TokenState, TokensOwner};
use super::{Chrome, Moment};
use app::mail::MailStatus;
use askama::Template;

/// `GET /o/{org}/tokens`, also with the fields `show`, `q`, `member`, `page`.
#[derive(Debug, Template)]
#[template(path = "org_tokens.html")]
pub struct AccessPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The parts with their numbers of tokens, one of them current. Empty ones are left out.
    pub parts: Vec<AccessChip>,
    /// The tokens of the page.
    pub tokens: Vec<AccessRow>,
    /// The typed words.
    pub text: String,
    /// The value of the current part: `expiring`; empty for all.
    pub part: &'static str,
    /// The id and name of the only owner.
    pub member: Option<(String, String)>,
    /// The number of the first token of the page, from 1.
    pub first: usize,
    /// Number of tokens that match.
    pub matches: usize,
    /// The maximum number of tokens or members that are searched, if there may be more.
    pub cut: Option<u16>,
    /// URL of the page before.
    pub newer: Option<String>,
    /// URL of the page after.
    pub older: Option<String>,
    /// The notice of the last action.
    pub notice: Option<AccessNotice>,
}

impl AccessPage {
    /// The number of the last token of the page.
    fn last(&self) -> usize {
        (self.first + self.tokens.len()).saturating_sub(1)
    }

    /// Whether the list is not filtered.
    fn is_whole(&self) -> bool {
        self.part.is_empty() && self.text.is_empty() && self.member.is_none()
    }
}

/// A part of the tokens, as a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChip {
    /// Its name.
    pub label: &'static str,
    /// Number of tokens.
    pub count: usize,
    /// URL of the list.
    pub href: String,
    /// Whether it is the current one.
    pub is_current: bool,
}

/// A token with access to the organization.
#[derive(Debug, Clone)]
pub struct AccessRow {
    /// The token. Its last use is that in the organization.
    pub token: TokenRow,
    /// The owner of a personal token.
    pub owner: Option<AccessOwner>,
    /// When an admin last asked the owner to rotate it.
    pub rotation_requested: Option<Moment>,
    /// Whose pages the token has for the reader; `None` for a token of another user.
    pub pages: Option<TokensOwner>,
    /// What the reader can do about it.
    pub control: AccessControl,
}

impl AccessRow {
    fn is_blocked(&self) -> bool {
        self.token.mark == Some(TokenMark::BlockedByAdmin)
    }

    /// Whose tokens these are, for the words about their reach.
    fn reach_owner(&self) -> TokensOwner {
        match &self.pages {
            Some(pages) => pages.clone(),
            None => TokensOwner::User,
        }
    }
}

/// The owner of a personal token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessOwner {
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// Whether the user is the reader.
    pub is_you: bool,
}

/// What the reader can do about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessControl {
    /// Nothing: only owners act on the tokens of owners.
    Nothing,
    /// Block and unblock a personal token, and ask its owner to rotate it.
    Manage,
    /// Lift a block of a token of the organization.
    Unblock,
}

impl AccessControl {
    fn can_manage(self) -> bool {
        self == Self::Manage
    }

    fn can_unblock(self) -> bool {
        self != Self::Nothing
    }
}

/// The last action on a token with access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessNotice {
    /// The token with this name was blocked, and this number of further tokens.
    Blocked(String, usize),
    /// The token with this name was unblocked.
    Unblocked(String),
    /// The owner of a token was asked to rotate it.
    Asked {
        /// The name of the token.
        token: String,
        /// The name of the owner.
        owner: String,
        /// Whether a message was sent.
        mail: MailStatus,
    },
}

/// `GET /o/{org}/tokens/{id}/block`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "org_token_block.html")]
pub struct BlockPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The token's id, for the URL.
    pub id: String,
    /// The token's name.
    pub name: String,
    /// Its prefix and last four characters.
    pub hint: String,
    /// The names of its scopes.
    pub scopes: Vec<String>,
    /// The name of its owner.
    pub owner: String,
    /// Number of active tokens that were created with it.
    pub descendants: usize,
}
