//! Identity providers: their buttons, and connecting an identity to an account.

use super::filters;
use super::{Chrome, FieldErrors, Moment};
use askama::Template;

/// The link to the sign-in with a provider.
#[derive(Debug, Clone)]
pub struct ProviderButton {
    /// The name of the provider.
    pub name: String,
    /// Where the sign-in begins.
    pub href: String,
}

/// An identity that is connected to a user.
#[derive(Debug, Clone)]
pub struct IdentityRow {
    /// The issuer.
    pub issuer: String,
    /// The name of the provider; its issuer if it is not configured any more.
    pub provider: String,
    /// The address that the provider stated; empty if it stated none.
    pub email: String,
    /// When the user last signed in with it.
    pub last_used: Moment,
}

/// `/login/connect`. Posts to the same path the field `link`, and `password` or `decision` = `new`.
#[derive(Template)]
#[template(path = "login_connect.html")]
pub struct ConnectPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The sealed identity, sent back by the form.
    pub link: String,
    /// The name of the provider.
    pub provider: String,
    /// The address of the user at the provider, or the subject.
    pub identity: String,
    /// How the account is proven.
    pub proof: ConnectProof,
    /// Form errors; field `password`.
    pub errors: FieldErrors,
}

/// How the account is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectProof {
    /// The user with this address is signed in, and confirms.
    Session(String),
    /// With the password of the account.
    Password {
        /// Whether the user may create a new account instead.
        can_replace: bool,
        /// Whether the server has passwords.
        has_passwords: bool,
    },
}

/// `/login/connect` without an identity to connect.
#[derive(Debug, Template)]
#[template(path = "login_connect_closed.html")]
pub struct ConnectClosedPage {
    /// The page frame.
    pub chrome: Chrome,
}
