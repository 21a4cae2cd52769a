//! The page about how the user signs in, in every state.

use super::super::FieldErrors;
use super::super::identity::{IdentityRow, ProviderButton};
use super::super::security::*;
use super::{HOSTILE, LONG, Sample, ada, minutes, sample};

fn page(notice: Option<SecurityNotice>) -> SecurityPage {
    let row = |id: &str, agent: &str, address: &str, seen| SessionRow {
        id: id.into(),
        is_this_browser: false,
        agent: agent.into(),
        is_phone: agent.ends_with("iPhone"),
        place: SessionPlace::AnotherNetwork,
        address: address.into(),
        last_seen: minutes(seen),
        signed_in: minutes(seen - 4000),
    };
    let address = "2001:db8:85a3:1:2:8a2e:370:7334";
    SecurityPage {
        chrome: ada(),
        notice,
        tokens: 3,
        password: PasswordState::Form { end_others: true },
        identities: Vec::new(),
        providers: Vec::new(),
        sessions: vec![
            SessionRow {
                is_this_browser: true,
                place: SessionPlace::ThisNetwork,
                ..row("s1", "Firefox on Linux", "203.0.113.7", 0)
            },
            row("s2", "Safari on iPhone", address, -95),
            SessionRow {
                place: SessionPlace::ThisMachine,
                ..row("s3", HOSTILE, "127.0.0.1", -3000)
            },
            SessionRow {
                place: SessionPlace::Unknown,
                ..row("s4", "", "198.51.100.3", -9000)
            },
        ],
        errors: FieldErrors::none(),
    }
}

/// The page about how the user signs in.
pub fn samples() -> Vec<Sample> {
    let mut errors = FieldErrors::on("current_password", "That is not your password.");
    errors.push("new_password", "Use at least 15 characters.");
    let with_errors = SecurityPage {
        password: PasswordState::Form { end_others: false },
        errors,
        ..page(None)
    };
    let changed = |tokens| SecurityPage {
        tokens,
        ..page(Some(SecurityNotice::PasswordChanged))
    };
    let again = "/login?return_to=%2Faccount%2Fsecurity&notice=again";
    let stale = SecurityPage {
        password: PasswordState::SignInAgain(again.into()),
        ..page(None)
    };
    let mut plain = page(None);
    plain.sessions.truncate(2);
    let mut alone = page(None);
    alone.sessions.truncate(1);
    let identities = SecurityPage {
        password: PasswordState::None,
        identities: vec![
            IdentityRow {
                issuer: "https://id.example.com".into(),
                provider: "Acme".into(),
                email: "ada@example.com".into(),
                last_used: minutes(-50),
            },
            IdentityRow {
                issuer: HOSTILE.into(),
                provider: LONG.into(),
                email: String::new(),
                last_used: minutes(-90_000),
            },
        ],
        providers: vec![ProviderButton {
            name: "Beta".into(),
            href: "/login/with/beta?connect=yes".into(),
        }],
        ..page(None)
    };
    let done = |state, notice| sample("account-security", state, &page(Some(notice)));
    vec![
        sample("account-security", "plain", &plain),
        sample("account-security", "hostile-session", &page(None)),
        sample("account-security", "stale", &stale),
        sample("account-security", "alone", &alone),
        sample("account-security", "identities", &identities),
        sample("account-security", "errors", &with_errors),
        sample("account-security", "one-token", &changed(1)),
        sample("account-security", "no-tokens", &changed(0)),
        done("password", SecurityNotice::PasswordChanged),
        done(
            "password-others",
            SecurityNotice::PasswordChangedOthersEnded,
        ),
        done("session-ended", SecurityNotice::SessionEnded),
        done("others-ended", SecurityNotice::OthersEnded),
        done("connected", SecurityNotice::IdentityConnected),
        done("disconnected", SecurityNotice::IdentityDisconnected),
    ]
}
