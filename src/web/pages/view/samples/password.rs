//! Setting a password without the current one, in every state.

use super::super::FieldErrors;
use super::super::password::*;
use super::{HOSTILE, Sample, ada, sample, stranger};
use config::Support;

fn forgot(state: ForgotState) -> ForgotPage {
    ForgotPage {
        chrome: stranger(),
        state,
        support: None,
        email: String::new(),
        errors: FieldErrors::none(),
    }
}

fn reset(errors: FieldErrors) -> ResetPage {
    ResetPage {
        chrome: stranger(),
        link: "one-time".into(),
        email: "ada@example.com".into(),
        is_verified: true,
        has_passwords: true,
        errors,
    }
}

fn new_password(errors: FieldErrors) -> NewPasswordPage {
    NewPasswordPage {
        chrome: ada(),
        return_to: "/tokens".into(),
        errors,
    }
}

/// Setting a password without the current one.
pub fn samples() -> Vec<Sample> {
    let with_errors = ForgotPage {
        email: HOSTILE.into(),
        errors: FieldErrors::on("email", "Enter an email such as ada@example.com."),
        ..forgot(ForgotState::Form)
    };
    let with_support = ForgotPage {
        support: Some(Support::Email("help@example.com".into())),
        ..forgot(ForgotState::NoMail)
    };
    let short = || FieldErrors::on("new_password", "Use at least 15 characters.");
    let done = |tokens| PasswordSetPage {
        chrome: ada(),
        return_to: "/tokens".into(),
        tokens,
    };
    let closed = ResetClosedPage { chrome: stranger() };
    vec![
        sample("forgot", "empty", &forgot(ForgotState::Form)),
        sample("forgot", "errors", &with_errors),
        sample("forgot", "sent", &forgot(ForgotState::Sent)),
        sample("forgot", "no-mail", &forgot(ForgotState::NoMail)),
        sample("forgot", "support", &with_support),
        sample("reset", "empty", &reset(FieldErrors::none())),
        sample("reset", "errors", &reset(short())),
        sample(
            "reset",
            "no-passwords",
            &ResetPage {
                has_passwords: false,
                ..reset(FieldErrors::none())
            },
        ),
        sample("reset-closed", "closed", &closed),
        sample("password-new", "empty", &new_password(FieldErrors::none())),
        sample("password-new", "errors", &new_password(short())),
        sample("password-done", "no-tokens", &done(0)),
        sample("password-done", "one-token", &done(1)),
        sample("password-done", "tokens", &done(3)),
    ]
}
