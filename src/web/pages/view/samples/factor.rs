//! Second factors, in every state.

use super::super::factor::*;
use super::super::{FieldErrors, Moment};
use super::{HOSTILE, Sample, ada, minutes, sample, stranger};

pub(super) fn ceremony() -> Ceremony {
    Ceremony {
        state: "sealed".into(),
        challenge: "AAAA".into(),
        host: "localhost".into(),
    }
}

fn passkeys(passkeys: Vec<PasskeyRow>, begun: Option<Ceremony>) -> PasskeysPage {
    PasskeysPage {
        chrome: ada(),
        passkeys,
        known: "AAAA BBBB".into(),
        user_id: "usr_1".into(),
        email: "ada@example.com".into(),
        name: String::new(),
        begun,
        errors: FieldErrors::none(),
    }
}

fn row(name: &str, last_used: Option<Moment>) -> PasskeyRow {
    PasskeyRow {
        id: "psk_1".into(),
        name: name.into(),
        added: minutes(-9000),
        last_used,
    }
}

fn step(has_authenticator: bool, errors: FieldErrors) -> LoginFactorPage {
    LoginFactorPage {
        chrome: stranger(),
        link: "sealed".into(),
        email: "ada@example.com".into(),
        has_authenticator,
        passkey: None,
        known: String::new(),
        errors,
    }
}

fn authenticator(state: AuthenticatorState, errors: FieldErrors) -> AuthenticatorPage {
    AuthenticatorPage {
        chrome: ada(),
        state,
        errors,
    }
}

fn offered(url: &str) -> AuthenticatorState {
    AuthenticatorState::Offered {
        qr: qr(url),
        secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
        sealed: "sealed".into(),
    }
}

fn codes(left: usize, has_factor: bool) -> RecoveryPage {
    RecoveryPage {
        chrome: ada(),
        left,
        has_factor,
        errors: FieldErrors::none(),
    }
}

/// Second factors.
pub fn samples() -> Vec<Sample> {
    const URL: &str = "otpauth://totp/Doorcode:ada%40example%2Ecom?secret=GEZDGNBVGY3TQOJQ";
    let none = FieldErrors::none;
    let wrong = || FieldErrors::on("code", "This code is wrong or was used.");
    let present = |last_used| {
        AuthenticatorState::Present(Box::new(AuthenticatorTimes {
            added: minutes(-9000),
            last_used,
        }))
    };
    let hostile = LoginFactorPage {
        email: HOSTILE.into(),
        ..step(true, none())
    };
    let with_passkey = LoginFactorPage {
        passkey: Some(ceremony()),
        ..step(true, none())
    };
    let listed = vec![row("Laptop", Some(minutes(-5))), row(HOSTILE, None)];
    let no_name = PasskeysPage {
        errors: FieldErrors::on("name", "Enter a name."),
        ..passkeys(Vec::new(), Some(ceremony()))
    };
    let passkey = |errors| PasskeyPage {
        chrome: ada(),
        id: "psk_1".into(),
        name: "Laptop".into(),
        typed: HOSTILE.into(),
        errors,
    };
    let unnamed = FieldErrors::on("name", "Enter a name.");
    let new_codes = |codes: Option<Vec<String>>| NewCodesPage {
        chrome: ada(),
        codes,
    };
    let shown = (0..10).map(|n| format!("012{n}-4567-89ab-cdef")).collect();
    let refused = RecoveryPage {
        errors: FieldErrors::whole("Recovery codes replace a second factor."),
        ..codes(0, false)
    };
    let closed = LoginFactorClosedPage { chrome: stranger() };
    let too_long = offered(&"x".repeat(3_000));
    vec![
        sample("login-factor", "empty", &step(true, none())),
        sample("login-factor", "without-app", &step(false, none())),
        sample("login-factor", "errors", &step(true, wrong())),
        sample("login-factor", "hostile", &hostile),
        sample("login-factor", "passkey", &with_passkey),
        sample("passkeys", "empty", &passkeys(Vec::new(), Some(ceremony()))),
        sample("passkeys", "errors", &no_name),
        sample("passkeys", "listed", &passkeys(listed, Some(ceremony()))),
        sample("passkeys", "not-possible", &passkeys(Vec::new(), None)),
        sample("passkey", "plain", &passkey(none())),
        sample("passkey", "errors", &passkey(unnamed)),
        sample("login-factor-closed", "closed", &closed),
        sample(
            "authenticator",
            "offered",
            &authenticator(offered(URL), none()),
        ),
        sample(
            "authenticator",
            "errors",
            &authenticator(offered(URL), wrong()),
        ),
        sample(
            "authenticator",
            "without-qr",
            &authenticator(too_long, none()),
        ),
        sample(
            "authenticator",
            "unused",
            &authenticator(present(None), none()),
        ),
        sample(
            "authenticator",
            "used",
            &authenticator(present(Some(minutes(-5))), none()),
        ),
        sample("recovery-codes", "all", &codes(10, true)),
        sample("recovery-codes", "one", &codes(1, true)),
        sample("recovery-codes", "no-factor", &codes(0, false)),
        sample("recovery-codes", "errors", &refused),
        sample("recovery-codes-new", "shown", &new_codes(Some(shown))),
        sample("recovery-codes-new", "gone", &new_codes(None)),
    ]
}
