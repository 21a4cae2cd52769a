//! Personal access tokens: the list, creating, revoking.

use super::{Chrome, ExpiryChoice, FieldErrors, Moment, ScopeGroup};
use askama::Template;

/// `/tokens`.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Every token of the account, the newest first, with those that have ended.
    pub tokens: Vec<TokenRow>,
    /// What was just done, if anything.
    pub notice: Option<TokensNotice>,
}

impl TokensPage {
    /// Whether there is anything left to revoke.
    fn any_live(&self) -> bool {
        self.tokens.iter().any(TokenRow::is_live)
    }
}

/// What was just done to the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensNotice {
    /// The token with this name was revoked.
    Revoked(String),
    /// This many tokens were revoked.
    RevokedAll(usize),
}

/// A token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id, for the URL.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// The names of its scopes; may be empty.
    pub scopes: Vec<String>,
    /// The application and device that asked for it: `Doorcode CLI on laptop`.
    pub origin: Option<String>,
    /// When it was created.
    pub created: Moment,
    /// When it ends; `None` if it never does.
    pub expires: Option<Moment>,
    /// When and from which address it was last used; `None` if never.
    pub last_used: Option<LastUse>,
    /// Whether it still works.
    pub state: TokenState,
}

impl TokenRow {
    /// Whether it can still be used and revoked.
    fn is_live(&self) -> bool {
        matches!(self.state, TokenState::Live)
    }
}

/// The last use of a token.
#[derive(Debug, Clone)]
pub struct LastUse {
    /// When.
    pub at: Moment,
    /// From which network address, if it is known.
    pub address: Option<String>,
}

/// Whether a token still works.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// It works.
    Live,
    /// Its time has passed.
    Expired,
    /// It was revoked at this time.
    Revoked(Moment),
}

/// `/tokens/new`. Posts to `/tokens/new` the fields `name`, `scope` (repeated), `expires`,
/// `expires_on`.
#[derive(Debug, Template)]
#[template(path = "token_new.html")]
pub struct NewTokenPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What was typed as the name.
    pub name: String,
    /// The scopes to choose from; none ticked unless re-shown after an error.
    pub scopes: Vec<ScopeGroup>,
    /// The entries of `Expires`, one of them selected.
    pub expiry: Vec<ExpiryChoice>,
    /// What was typed as the custom date: `2027-02-20`, or empty.
    pub expires_on: String,
    /// The first date that can be chosen: `2026-11-22`.
    pub earliest: String,
    /// The last date that can be chosen, if lifetimes are limited.
    pub latest: Option<String>,
    /// Sent back by the form, so that it makes one token however often it is sent.
    pub reservation: String,
    /// What is wrong; fields `name`, `scope`, `expires`, `expires_on`.
    pub errors: FieldErrors,
}

/// The one page that shows a token, right after it was created.
#[derive(Template)]
#[template(path = "token_created.html")]
pub struct TokenCreatedPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What its owner calls it.
    pub name: String,
    /// The token itself.
    pub token: String,
    /// The names of its scopes; may be empty.
    pub scopes: Vec<String>,
    /// When it ends; `None` if it never does.
    pub expires: Option<Moment>,
    /// The absolute URL of `/v1/me`, for the example.
    pub me_url: String,
}

/// `GET /tokens/{id}/revoke`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke.html")]
pub struct RevokePage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The token that would be revoked.
    pub token: TokenRow,
}

/// `GET /tokens/revoke-all`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke_all.html")]
pub struct RevokeAllPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The tokens that would be revoked; those that still work.
    pub tokens: Vec<TokenRow>,
}
