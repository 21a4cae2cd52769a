//! Setup, sign-in and the account page.

use super::factor::Ceremony;
use super::filters;
use super::identity::ProviderButton;
use super::{Chrome, FieldErrors};
use askama::Template;

/// `GET /setup` with the one-time link, also after an error. Posts to `/setup` the fields `link`,
/// `name`, `email`, `password`, `organization`.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// The typed name.
    pub name: String,
    /// The typed email.
    pub email: String,
    /// The typed name of the organization.
    pub organization: String,
    /// Form errors; fields `name`, `email`, `password`, `organization`.
    pub errors: FieldErrors,
}

/// `GET /setup` without a valid link.
#[derive(Debug, Template)]
#[template(path = "setup_closed.html")]
pub struct SetupClosedPage {
    /// The page frame.
    pub chrome: Chrome,
    /// Why there is no form.
    pub reason: SetupClosed,
}

/// Why setup is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupClosed {
    /// The first user already exists.
    Done,
    /// The link is missing or wrong.
    BadLink,
}

/// `/login`. Posts to `/login` the fields `email`, `password`, `return_to`.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The typed email.
    pub email: String,
    /// The local path to go to afterwards; may be empty.
    pub return_to: String,
    /// Why the user sees this page, if there is a reason to show.
    pub notice: Option<LoginNotice>,
    /// The ceremony with a passkey; `None` if the server has none.
    pub passkey: Option<Ceremony>,
    /// Whether users sign in with passwords.
    pub has_passwords: bool,
    /// The identity providers.
    pub providers: Vec<ProviderButton>,
    /// Form errors; fields `email`, `password`. A failed sign-in belongs to `password`.
    pub errors: FieldErrors,
}

/// Why the user has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginNotice {
    /// The user just signed out.
    SignedOut,
    /// The session has ended, by timeout or from elsewhere.
    SessionEnded,
    /// The user is about to approve a device code, which is kept.
    DeviceCode,
    /// The sign-in form belongs to another browser, or the cookies of this one are gone.
    StaleForm,
    /// The user entered an email and a password to accept an invitation, and may have an account.
    Invited,
    /// The page needs a recent sign-in.
    Again,
    /// A sign-in with a provider took too long, or began in another browser.
    ProviderStale,
    /// The user or the provider ended the sign-in there.
    ProviderDenied,
    /// The rules for the provider do not admit the user.
    ProviderNotAdmitted,
    /// The provider did not confirm that the user has just signed in again.
    ProviderNotRecent,
    /// The provider states no email address.
    ProviderNoEmail,
    /// The provider did not answer, or its answer proves nothing.
    ProviderFailed,
    /// A passkey was not accepted.
    PasskeyFailed,
}

impl LoginNotice {
    /// The notices about a sign-in with a provider or a passkey.
    const OF_PROVIDER: [(Self, &str); 7] = [
        (Self::ProviderStale, "provider-stale"),
        (Self::ProviderDenied, "provider-denied"),
        (Self::ProviderNotAdmitted, "provider-not-admitted"),
        (Self::ProviderNotRecent, "provider-not-recent"),
        (Self::ProviderNoEmail, "provider-no-email"),
        (Self::ProviderFailed, "provider-failed"),
        (Self::PasskeyFailed, "passkey-failed"),
    ];

    /// The value of a notice about a provider in the URL of the page; empty for another notice.
    pub fn as_str(self) -> &'static str {
        let mut all = Self::OF_PROVIDER.iter();
        all.find(|(notice, _)| *notice == self)
            .map_or("", |(_, text)| text)
    }

    /// The notice about a provider with this value.
    pub fn of_provider(text: &str) -> Option<Self> {
        let mut all = Self::OF_PROVIDER.iter();
        all.find(|(_, one)| *one == text).map(|(notice, _)| *notice)
    }
}

/// `/account`. Posts to `/account/name` (`name`), `/account/email` (`new_email`, and
/// `email_password` of a user with a password) and `/account/email/verification`.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The page frame; its user is the one shown.
    pub chrome: Chrome,
    /// The value of the name field.
    pub name: String,
    /// Whether the email of the user is verified.
    pub is_email_verified: bool,
    /// Whether the server sends mail; without it only the operator confirms and changes addresses.
    pub sends_mail: bool,
    /// The typed new email.
    pub new_email: String,
    /// The notice of the last action.
    pub notice: Option<AccountNotice>,
    /// Form errors; fields `name`, `new_email`, `email_password`.
    pub errors: FieldErrors,
    /// Whether the user signs in with a password.
    pub has_password: bool,
}

/// The last action on the account page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNotice {
    /// The name was saved.
    NameSaved,
    /// A link was sent to the address.
    VerificationSent,
    /// The address was verified.
    EmailVerified,
    /// A link was sent to the new address.
    EmailChangeSent,
    /// The address was changed.
    EmailChanged,
}

/// `/account/email/verify` and `/account/email/confirm` with a valid link. Posts to the same path
/// the field `link`.
#[derive(Template)]
#[template(path = "email_confirm.html")]
pub struct EmailConfirmPage {
    /// The page frame.
    pub chrome: Chrome,
    /// What the link is for.
    pub purpose: EmailPurpose,
    /// The address that the link verifies.
    pub email: String,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
}

/// What a link about an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailPurpose {
    /// To verify the current address of the user.
    Verify,
    /// To verify a new address, which replaces the current one.
    Change,
}

impl EmailPurpose {
    /// Where the form is sent.
    fn action(self) -> &'static str {
        match self {
            Self::Verify => "/account/email/verify",
            Self::Change => "/account/email/confirm",
        }
    }
}

/// `/account/email/verify` and `/account/email/confirm` without a valid link.
#[derive(Debug, Template)]
#[template(path = "email_closed.html")]
pub struct EmailClosedPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The address of the user.
    pub email: String,
    /// Whether it is verified already.
    pub is_email_verified: bool,
}
