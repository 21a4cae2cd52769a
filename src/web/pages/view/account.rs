//! Setup, sign-in and the account.

use super::{Chrome, FieldErrors, Moment};
use askama::Template;

/// `GET /setup` with the one-time link, and again after an error. Posts to `/setup` the
/// fields `link`, `name`, `email`, `password`, `organization`.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// What was typed as the name.
    pub name: String,
    /// What was typed as the email.
    pub email: String,
    /// What was typed as the organization.
    pub organization: String,
    /// What is wrong; fields `name`, `email`, `password`, `organization`.
    pub errors: FieldErrors,
}

/// `GET /setup` without a link that works.
#[derive(Debug, Template)]
#[template(path = "setup_closed.html")]
pub struct SetupClosedPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Why there is no form.
    pub reason: SetupClosed,
}

/// Why setup cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupClosed {
    /// The first account exists already.
    Done,
    /// The link is missing or wrong.
    BadLink,
}

/// `/login`. Posts to `/login` the fields `email`, `password`, `return_to`.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What was typed as the email.
    pub email: String,
    /// The local path to go to afterwards; may be empty.
    pub return_to: String,
    /// Why the person sees this page, if there is something to say.
    pub notice: Option<LoginNotice>,
    /// What is wrong; fields `email`, `password`. A refused sign-in belongs to `password`.
    pub errors: FieldErrors,
}

/// Why someone is asked to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginNotice {
    /// They just signed out.
    SignedOut,
    /// Their session has ended, by time or from elsewhere.
    SessionEnded,
    /// They are on their way to approve a device code, which is kept for them.
    DeviceCode,
}

/// `/account`. Posts to `/account/name` (`name`), `/account/password` (`current_password`,
/// `new_password`, `end_others` = `yes`) and `/account/sessions/{id}/sign-out`.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// What is around the content; its account is the one shown.
    pub chrome: Chrome,
    /// The name in its field.
    pub name: String,
    /// Whether `Sign out my other sessions` is ticked; true when the page opens.
    pub end_others: bool,
    /// What was just done, if anything.
    pub notice: Option<AccountNotice>,
    /// What is wrong; fields `name`, `current_password`, `new_password`.
    pub errors: FieldErrors,
    /// The account's live sessions, this browser's first.
    pub sessions: Vec<SessionRow>,
}

/// What was just done to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNotice {
    /// The name was saved.
    NameSaved,
    /// The password was changed.
    PasswordChanged,
    /// The password was changed and the other sessions ended.
    PasswordChangedOthersEnded,
    /// Another session was signed out.
    SessionEnded,
}

/// A session in the list.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Names it in the sign-out URL; not its secret.
    pub id: String,
    /// Which browser it belongs to.
    pub place: SessionPlace,
    /// The browser, as it describes itself; empty if it did not.
    pub agent: String,
    /// The network address it was last used from.
    pub address: String,
    /// When it was last used.
    pub last_seen: Moment,
    /// When it began.
    pub signed_in: Moment,
}

/// Whose session a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPlace {
    /// The browser that asks.
    ThisBrowser,
    /// Another browser.
    Elsewhere,
}
