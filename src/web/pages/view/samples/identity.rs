//! Sign-in with identity providers, in every state.

use super::super::FieldErrors;
use super::super::account::LoginNotice;
use super::super::identity::*;
use super::account::login;
use super::{HOSTILE, LONG, Sample, ada, sample, stranger};

fn button(name: &str) -> ProviderButton {
    ProviderButton {
        name: name.into(),
        href: "/login/with/acme?return_to=%2Ftokens".into(),
    }
}

fn connect(proof: ConnectProof) -> ConnectPage {
    ConnectPage {
        chrome: stranger(),
        link: "one-time".into(),
        provider: "Acme".into(),
        identity: HOSTILE.into(),
        proof,
        errors: FieldErrors::none(),
    }
}

/// Sign-in with identity providers.
pub fn samples() -> Vec<Sample> {
    let mut with_providers = login(None);
    with_providers.providers = vec![button("Acme"), button(HOSTILE)];
    let mut without_passwords = login(None);
    without_passwords.providers = vec![button("Acme"), button(LONG)];
    without_passwords.has_passwords = false;
    let failed = |notice| {
        let mut page = login(Some(notice));
        page.providers = vec![button("Acme")];
        page
    };
    let password = |can_replace, has_passwords| ConnectProof::Password {
        can_replace,
        has_passwords,
    };
    let confirm = ConnectPage {
        chrome: ada(),
        ..connect(ConnectProof::Session("ada@example.com".into()))
    };
    let wrong = ConnectPage {
        errors: FieldErrors::on("password", "This is not the password of the account."),
        ..connect(password(true, true))
    };
    let closed = ConnectClosedPage { chrome: stranger() };
    vec![
        sample("login", "providers", &with_providers),
        sample("login", "providers-only", &without_passwords),
        sample(
            "login",
            "provider-stale",
            &failed(LoginNotice::ProviderStale),
        ),
        sample(
            "login",
            "provider-denied",
            &failed(LoginNotice::ProviderDenied),
        ),
        sample(
            "login",
            "provider-not-admitted",
            &failed(LoginNotice::ProviderNotAdmitted),
        ),
        sample(
            "login",
            "provider-no-email",
            &failed(LoginNotice::ProviderNoEmail),
        ),
        sample(
            "login",
            "provider-failed",
            &failed(LoginNotice::ProviderFailed),
        ),
        sample(
            "login",
            "provider-not-recent",
            &failed(LoginNotice::ProviderNotRecent),
        ),
        sample("login-connect", "session", &confirm),
        sample("login-connect", "password", &connect(password(false, true))),
        sample("login-connect", "wrong-password", &wrong),
        sample(
            "login-connect",
            "no-passwords",
            &connect(password(false, false)),
        ),
        sample("login-connect-closed", "closed", &closed),
    ]
}
