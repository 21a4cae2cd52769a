//! Setup, sign-in and the account page, in every state.

use super::super::account::*;
use super::super::{Chrome, FieldErrors};
use super::{HOSTILE, Sample, ada, sample, stranger};

fn setup() -> SetupPage {
    SetupPage {
        chrome: stranger(),
        link: "one-time".into(),
        name: String::new(),
        email: String::new(),
        organization: String::new(),
        errors: FieldErrors::none(),
    }
}

pub(super) fn login(notice: Option<LoginNotice>) -> LoginPage {
    LoginPage {
        chrome: stranger(),
        email: String::new(),
        return_to: "/tokens".into(),
        notice,
        passkey: None,
        has_passwords: true,
        providers: Vec::new(),
        errors: FieldErrors::none(),
    }
}

fn user(notice: Option<AccountNotice>) -> AccountPage {
    AccountPage {
        chrome: ada(),
        name: "Ada Lovelace".into(),
        is_email_verified: true,
        sends_mail: true,
        new_email: String::new(),
        notice,
        errors: FieldErrors::none(),
        has_password: true,
    }
}

/// Setup, sign-in and the account page.
pub fn samples() -> Vec<Sample> {
    let mut setup_errors = FieldErrors::on("name", "Enter your name.");
    setup_errors.push("email", "Enter an email such as ada@example.com.");
    setup_errors.push("password", "Use at least 15 characters.");
    setup_errors.push("organization", "Enter the name of your company or team.");
    let refused = "The email or the password is wrong.";
    let login_throttled = LoginPage {
        chrome: Chrome {
            notice: Some("Too many attempts. Try again in 30 seconds.".into()),
            ..stranger()
        },
        email: "ada@example.com".into(),
        ..login(None)
    };
    let setup_with_errors = SetupPage {
        name: HOSTILE.into(),
        errors: setup_errors,
        ..setup()
    };
    let login_with_errors = LoginPage {
        email: "ada@example.com".into(),
        errors: FieldErrors::on("password", refused),
        ..login(None)
    };
    let with_passkey = LoginPage {
        passkey: Some(super::factor::ceremony()),
        ..login(None)
    };
    let login_whole = LoginPage {
        errors: FieldErrors::whole(refused),
        ..login(None)
    };
    let closed = |reason| SetupClosedPage {
        chrome: stranger(),
        reason,
    };
    let mut email_errors = FieldErrors::on("new_email", "Enter an email such as ada@example.com.");
    email_errors.push("email_password", "That is not your password.");
    let email_with_errors = AccountPage {
        new_email: HOSTILE.into(),
        errors: email_errors,
        ..user(None)
    };
    let unverified = |sends_mail| AccountPage {
        is_email_verified: false,
        sends_mail,
        ..user(None)
    };
    let without_password = AccountPage {
        has_password: false,
        ..user(None)
    };
    let confirm = |purpose| EmailConfirmPage {
        chrome: ada(),
        purpose,
        email: HOSTILE.into(),
        link: "one-time".into(),
    };
    let link_closed = |is_email_verified| EmailClosedPage {
        chrome: ada(),
        email: "ada@example.com".into(),
        is_email_verified,
    };
    let done = |state, notice| sample("account", state, &user(Some(notice)));
    vec![
        sample("setup", "empty", &setup()),
        sample("setup", "errors", &setup_with_errors),
        sample("setup-closed", "done", &closed(SetupClosed::Done)),
        sample("setup-closed", "bad-link", &closed(SetupClosed::BadLink)),
        sample("login", "empty", &login(None)),
        sample("login", "signed-out", &login(Some(LoginNotice::SignedOut))),
        sample("login", "ended", &login(Some(LoginNotice::SessionEnded))),
        sample("login", "device", &login(Some(LoginNotice::DeviceCode))),
        sample("login", "again", &login(Some(LoginNotice::Again))),
        sample("login", "stale", &login(Some(LoginNotice::StaleForm))),
        sample("login", "passkey", &with_passkey),
        sample(
            "login",
            "passkey-failed",
            &login(Some(LoginNotice::PasskeyFailed)),
        ),
        sample("login", "refused", &login_with_errors),
        sample("login", "throttled", &login_throttled),
        sample("login", "refused-whole", &login_whole),
        sample("account", "plain", &user(None)),
        done("name-saved", AccountNotice::NameSaved),
        done("verification", AccountNotice::VerificationSent),
        done("email-verified", AccountNotice::EmailVerified),
        done("email-link", AccountNotice::EmailChangeSent),
        done("email", AccountNotice::EmailChanged),
        sample("account", "email-errors", &email_with_errors),
        sample("account", "without-password", &without_password),
        sample("account", "unverified", &unverified(true)),
        sample("account", "unverified-without-mail", &unverified(false)),
        sample("email-confirm", "verify", &confirm(EmailPurpose::Verify)),
        sample("email-confirm", "change", &confirm(EmailPurpose::Change)),
        sample("email-closed", "verified", &link_closed(true)),
        sample("email-closed", "unverified", &link_closed(false)),
    ]
}
