//! The page about how the user signs in.

use super::filters;
use super::identity::{IdentityRow, ProviderButton};
use super::{Chrome, FieldErrors, Moment};
use askama::Template;

/// `/account/security`. Posts to `/account/password` (`current_password`, `new_password`,
/// `end_others` = `yes`), `/account/identities/disconnect` (`issuer`),
/// `/account/sessions/{id}/sign-out` and `/account/sessions/sign-out-others`.
#[derive(Debug, Template)]
#[template(path = "account_security.html")]
pub struct SecurityPage {
    /// The page frame; its user is the one shown.
    pub chrome: Chrome,
    /// The notice of the last action.
    pub notice: Option<SecurityNotice>,
    /// The number of the user's active tokens.
    pub tokens: usize,
    /// Whether the user can change a password here.
    pub password: PasswordState,
    /// The identities that are connected.
    pub identities: Vec<IdentityRow>,
    /// The providers that can be connected.
    pub providers: Vec<ProviderButton>,
    /// The user's active sessions, the last active first.
    pub sessions: Vec<SessionRow>,
    /// Form errors; fields `current_password`, `new_password`.
    pub errors: FieldErrors,
}

/// Whether the user can change a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordState {
    /// The user has none.
    None,
    /// The form is shown.
    Form {
        /// Whether `Sign out my other sessions` is ticked; true when the page opens.
        end_others: bool,
    },
    /// After a new sign-in, at this path.
    SignInAgain(String),
}

/// The last action on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityNotice {
    /// The password was changed.
    PasswordChanged,
    /// The password was changed and the other sessions ended.
    PasswordChangedOthersEnded,
    /// Another session was signed out.
    SessionEnded,
    /// All other sessions were signed out.
    OthersEnded,
    /// An identity was connected.
    IdentityConnected,
    /// An identity was disconnected.
    IdentityDisconnected,
}

/// A session in the list.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its id, for the sign-out URL; not its secret.
    pub id: String,
    /// Whether it is that of this browser.
    pub is_this_browser: bool,
    /// Short name of the browser; empty if unknown.
    pub agent: String,
    /// Whether the browser is on a phone.
    pub is_phone: bool,
    /// Where it began, seen from this browser.
    pub place: SessionPlace,
    /// The network address at the sign-in.
    pub address: String,
    /// When it was last used.
    pub last_seen: Moment,
    /// When it began.
    pub signed_in: Moment,
}

impl SessionRow {
    /// The name of its icon.
    fn icon(&self) -> &'static str {
        match self.is_phone {
            true => "phone",
            false => "browser",
        }
    }
}

/// Where a session began, seen from this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPlace {
    /// On the machine of the server.
    ThisMachine,
    /// In the same network as this browser now.
    ThisNetwork,
    /// In another network.
    AnotherNetwork,
    /// The address says nothing about the browser.
    Unknown,
}

impl SessionPlace {
    /// The place in words, before the address.
    fn words(self) -> &'static str {
        match self {
            Self::ThisMachine => "This machine · ",
            Self::ThisNetwork => "Your network now · ",
            Self::AnotherNetwork => "Another network · ",
            Self::Unknown => "",
        }
    }
}
