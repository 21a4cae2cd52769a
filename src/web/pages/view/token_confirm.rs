//! The page on which the owner of a token signs in again for it.

use super::Chrome;
use super::filters;
use super::token::{TokenRow, TokensOwner};
use askama::Template;

/// `GET /tokens/{id}/confirm`. Posts to the same path the field `max_age`.
#[derive(Debug, Template)]
#[template(path = "token_confirm.html")]
pub struct ConfirmPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the token, who is the user.
    pub owner: TokensOwner,
    /// The token.
    pub token: TokenRow,
    /// What the page shows.
    pub state: ConfirmState,
    /// For how long the confirmation suffices, in words.
    pub period: String,
}

/// What the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmState {
    /// The form, with the seconds for which the confirmation suffices.
    Form(u64),
    /// The token is confirmed.
    Done,
}
