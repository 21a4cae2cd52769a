//! Setting a password without the current one: forgotten, or set by the operator.

use super::filters;
use super::{Chrome, FieldErrors};
use askama::Template;
use config::Support;

/// `/forgot`. Posts to `/forgot` the field `email`.
#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    /// The page frame.
    pub chrome: Chrome,
    /// What the page shows.
    pub state: ForgotState,
    /// Where users get help; `None` if it is not configured.
    pub support: Option<Support>,
    /// The typed email.
    pub email: String,
    /// Form errors; field `email`.
    pub errors: FieldErrors,
}

/// What the page for forgotten passwords shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgotState {
    /// The form.
    Form,
    /// A message was requested; the page is the same for every address.
    Sent,
    /// The server sends no mail.
    NoMail,
}

/// `GET /reset` with a usable link, also after an error. Posts to `/reset` the fields `link` and
/// `new_password`.
#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// The email for sign-in.
    pub email: String,
    /// Whether the email is verified; otherwise the tokens end.
    pub is_verified: bool,
    /// Whether users sign in with passwords; otherwise the link signs in alone.
    pub has_passwords: bool,
    /// Form errors; field `new_password`.
    pub errors: FieldErrors,
}

/// `GET /reset` without a usable link.
#[derive(Debug, Template)]
#[template(path = "reset_closed.html")]
pub struct ResetClosedPage {
    /// The page frame.
    pub chrome: Chrome,
}

/// `/account/password/new`, for a password that the operator set. Posts to the same path the
/// fields `new_password` and `return_to`.
#[derive(Debug, Template)]
#[template(path = "password_new.html")]
pub struct NewPasswordPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The local path to go to afterwards.
    pub return_to: String,
    /// Form errors; field `new_password`.
    pub errors: FieldErrors,
}

/// `/account/password/done`. Posts to `/tokens/revoke-all`.
#[derive(Debug, Template)]
#[template(path = "password_done.html")]
pub struct PasswordSetPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The local path to go to.
    pub return_to: String,
    /// The number of the user's active tokens.
    pub tokens: usize,
}
