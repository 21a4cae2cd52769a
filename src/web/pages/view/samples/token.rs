//! The pages of tokens, in every state.

use super::super::token::*;
use super::super::{ExpiryChoice, FieldErrors, Moment, ScopeGroup};
use super::{HOSTILE, LONG, Sample, ada, choice, days, minutes, sample};

fn token(id: &str, name: &str, state: TokenState) -> TokenRow {
    TokenRow {
        id: format!("tok_{id}"),
        name: name.into(),
        hint: "dc_…4f2a".into(),
        scopes: vec!["projects:read".into(), "tokens:read".into()],
        origin: None,
        created: days(-12),
        expires: Some(days(78)),
        last_used: Some(LastUse {
            at: minutes(-4),
            address: Some("203.0.113.7".into()),
        }),
        state,
    }
}

fn tokens(notice: Option<TokensNotice>) -> TokensPage {
    TokensPage {
        chrome: ada(),
        tokens: vec![
            TokenRow {
                origin: Some("Doorcode CLI on ada-laptop".into()),
                scopes: [
                    "audit:read",
                    "orgs:read",
                    "projects:read",
                    "tokens:read",
                    "tokens:write",
                ]
                .map(String::from)
                .to_vec(),
                ..token("1", "ada-laptop", TokenState::Live)
            },
            TokenRow {
                expires: None,
                last_used: None,
                ..token("2", "Build server", TokenState::Live)
            },
            TokenRow {
                origin: Some(format!("Doorcode CLI on {LONG}")),
                ..token("3", LONG, TokenState::Live)
            },
            TokenRow {
                scopes: Vec::new(),
                expires: Some(days(-2)),
                ..token("4", HOSTILE, TokenState::Expired)
            },
            token("5", "Old script", TokenState::Revoked(days(-1))),
        ],
        notice,
    }
}

fn new_token() -> NewTokenPage {
    NewTokenPage {
        chrome: ada(),
        name: String::new(),
        scopes: ScopeGroup::of(vec![
            choice("app:deploy", "Deploy builds and roll back", false),
            choice(
                "orgs:read",
                "See your organizations and their members",
                false,
            ),
            choice(
                "orgs:write",
                "Change organizations and their members",
                false,
            ),
            choice("projects:read", "See the projects you can reach", false),
            choice("projects:write", "Create and change projects", false),
            choice(
                "tokens:read",
                "See your tokens: names, scopes and last use",
                false,
            ),
            choice("tokens:write", "Create, rotate and revoke tokens", false),
        ]),
        expiry: ExpiryChoice::all("90d"),
        expires_on: String::new(),
        earliest: "2026-11-22".into(),
        reservation: "reservation".into(),
        latest: None,
        errors: FieldErrors::none(),
    }
}

fn created(name: &str, expires: Option<Moment>, scopes: &[&str]) -> TokenCreatedPage {
    TokenCreatedPage {
        chrome: ada(),
        name: name.into(),
        token: format!("dc_{}", "0123456789abcdef".repeat(3)),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        expires,
        me_url: "https://login.example.com/v1/me".into(),
    }
}

/// The way of a token.
pub fn samples() -> Vec<Sample> {
    let empty = TokensPage {
        tokens: Vec::new(),
        ..tokens(None)
    };
    let ended = TokensPage {
        tokens: tokens(None).tokens.split_off(3),
        ..tokens(Some(TokensNotice::RevokedAll(3)))
    };
    let mut errors = FieldErrors::on("name", "Enter a name.");
    errors.push("scope", "Your account cannot give app:deploy.");
    errors.push("expires", "Choose when it expires.");
    errors.push("expires_on", "Choose a date from tomorrow on.");
    let again = NewTokenPage {
        name: HOSTILE.into(),
        expiry: ExpiryChoice::all("custom"),
        expires_on: "2020-01-01".into(),
        latest: Some("2027-11-22".into()),
        errors,
        ..new_token()
    };
    let revoke = |token| RevokePage {
        chrome: ada(),
        token,
    };
    let revoke_all = |tokens| RevokeAllPage {
        chrome: ada(),
        tokens,
    };
    let mut live = tokens(None).tokens;
    live.truncate(3);
    let one = vec![live[1].clone()];
    vec![
        sample("tokens", "several", &tokens(None)),
        sample(
            "tokens",
            "revoked",
            &tokens(Some(TokensNotice::Revoked(HOSTILE.into()))),
        ),
        sample("tokens", "all-revoked", &ended),
        sample("tokens", "empty", &empty),
        sample("token-new", "empty", &new_token()),
        sample("token-new", "errors", &again),
        sample(
            "token-created",
            "plain",
            &created("Build server", Some(days(90)), &["projects:read"]),
        ),
        sample("token-created", "hostile", &created(HOSTILE, None, &[])),
        sample("revoke", "origin", &revoke(live[0].clone())),
        sample("revoke", "unused", &revoke(live[1].clone())),
        sample("revoke", "long", &revoke(live[2].clone())),
        sample("revoke-all", "several", &revoke_all(live)),
        sample("revoke-all", "one", &revoke_all(one)),
        sample("revoke-all", "none", &revoke_all(Vec::new())),
    ]
}
