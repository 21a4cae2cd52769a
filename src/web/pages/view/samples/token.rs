//! The pages of tokens, in every state.

use super::super::token::*;
use super::{HOSTILE, LONG, Sample, acme, ada, days, ending, hostile_org, minutes, sample};

pub(super) fn token(id: &str, name: &str, state: TokenState) -> TokenRow {
    TokenRow {
        id: format!("tok_{id}"),
        name: name.into(),
        hint: "dc_…4f2a".into(),
        scopes: vec!["projects:read".into(), "tokens:read".into()],
        origin: None,
        maker: None,
        limits: Vec::new(),
        created: days(-12),
        expires: Some(days(78)),
        last_used: Some(LastUse {
            at: minutes(-4),
            address: Some("203.0.113.7".into()),
        }),
        state,
        advice: Vec::new(),
    }
}

fn tokens(notice: Option<TokensNotice>) -> TokensPage {
    TokensPage {
        chrome: ada(),
        owner: TokensOwner::User,
        right: TokenRight::Manage,
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
                limits: vec!["Acme".into(), "Website".into()],
                expires: None,
                last_used: None,
                advice: vec![
                    TokenAdvice::NeverUsed,
                    TokenAdvice::NeverExpires,
                    TokenAdvice::HoldsEverything,
                ],
                ..token("2", "Build server", TokenState::Live)
            },
            TokenRow {
                origin: Some(format!("Doorcode CLI on {LONG}")),
                advice: vec![
                    TokenAdvice::Unused(days(-91)),
                    TokenAdvice::ExpiresSoon(days(5)),
                ],
                ..token("3", LONG, TokenState::Live)
            },
            TokenRow {
                scopes: Vec::new(),
                expires: Some(days(-2)),
                ..token("4", HOSTILE, TokenState::Expired)
            },
            TokenRow {
                expires: Some(minutes(1400)),
                ..token("6", "Deploys", TokenState::Replaced)
            },
            token("5", "Old script", TokenState::Revoked(days(-1))),
            TokenRow {
                expires: None,
                advice: vec![TokenAdvice::GraceEnds(days(6))],
                ..token("7", "Nightly build", TokenState::Live)
            },
            TokenRow {
                expires: None,
                ..token("8", "Backups", TokenState::Refused(LONG.into()))
            },
        ],
        next: None,
        notice,
    }
}

/// The tokens of Acme, as `right` shows them.
fn of_acme(right: TokenRight, mut tokens: Vec<TokenRow>) -> TokensPage {
    for token in &mut tokens {
        token.origin = None;
        token.maker = Some(HOSTILE.into());
    }
    TokensPage {
        chrome: ada(),
        owner: TokensOwner::Organization(acme()),
        right,
        tokens,
        next: Some("/o/acme/settings/api-tokens?cursor=abc".into()),
        notice: None,
    }
}

/// Lists of tokens and revocation.
pub fn samples() -> Vec<Sample> {
    let empty = TokensPage {
        tokens: Vec::new(),
        ..tokens(None)
    };
    let ended = TokensPage {
        tokens: tokens(None).tokens.split_off(3),
        ..tokens(Some(TokensNotice::RevokedAll(3)))
    };
    let revoke = |token| RevokePage {
        chrome: ada(),
        owner: TokensOwner::User,
        token,
    };
    let revoke_all = |tokens| RevokeAllPage {
        chrome: ada(),
        owner: TokensOwner::User,
        tokens,
    };
    let acme_revoke_all = |tokens| RevokeAllPage {
        owner: TokensOwner::Organization(acme()),
        ..revoke_all(tokens)
    };
    let all = || tokens(None).tokens;
    let mut live = tokens(None).tokens;
    live.truncate(3);
    let org_revoke = RevokePage {
        owner: TokensOwner::Organization(hostile_org()),
        ..revoke(TokenRow {
            maker: Some(LONG.into()),
            limits: vec![HOSTILE.into()],
            ..live[1].clone()
        })
    };
    let one = vec![ending().remove(0)];
    vec![
        sample("tokens", "several", &tokens(None)),
        sample(
            "tokens",
            "revoked",
            &tokens(Some(TokensNotice::Revoked(HOSTILE.into()))),
        ),
        sample("tokens", "all-revoked", &ended),
        sample("tokens", "empty", &empty),
        sample("org-tokens", "several", &of_acme(TokenRight::Manage, all())),
        sample(
            "org-tokens",
            "empty",
            &of_acme(TokenRight::Manage, Vec::new()),
        ),
        sample(
            "org-tokens",
            "member",
            &of_acme(TokenRight::View, Vec::new()),
        ),
        sample("org-tokens", "free", &of_acme(TokenRight::Revoke, all())),
        sample(
            "org-tokens",
            "free-empty",
            &of_acme(TokenRight::Revoke, Vec::new()),
        ),
        sample("revoke", "origin", &revoke(live[0].clone())),
        sample("revoke", "unused", &revoke(live[1].clone())),
        sample("revoke", "long", &revoke(live[2].clone())),
        sample("revoke-all", "several", &revoke_all(ending())),
        sample("revoke-all", "one", &revoke_all(one)),
        sample("revoke-all", "none", &revoke_all(Vec::new())),
        sample("org-revoke", "hostile", &org_revoke),
        sample("org-revoke-all", "several", &acme_revoke_all(ending())),
        sample("org-revoke-all", "none", &acme_revoke_all(Vec::new())),
    ]
}
