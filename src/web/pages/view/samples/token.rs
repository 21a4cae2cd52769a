//! The pages of tokens, in every state.

use super::super::Choice;
use super::super::token::*;
use super::super::token_list::*;
use super::{HOSTILE, LONG, Sample, acme, ada, days, ending, hostile_org, minutes, sample};
use domain::policy::Violation;

pub(super) fn token(id: &str, name: &str, state: TokenState) -> TokenRow {
    TokenRow {
        id: format!("tok_{id}"),
        name: name.into(),
        hint: "dc_…4f2a".into(),
        scopes: vec!["projects:read".into(), "tokens:read".into()],
        origin: None,
        maker: None,
        creator: None,
        high_risk: 0,
        limits: Vec::new(),
        created: days(-12),
        expires: Some(days(78)),
        last_used: Some(LastUse {
            at: minutes(-4),
            address: Some("203.0.113.7".into()),
        }),
        state,
        mark: None,
    }
}

fn page(tokens: Vec<TokenRow>, notice: Option<TokensNotice>) -> TokensPage {
    TokensPage {
        chrome: ada(),
        owner: TokensOwner::User,
        right: TokenRight::Manage,
        can_create_own: true,
        listing: listing(tokens),
        notice,
        commands: FirstCommands {
            sign_in: "doorcode login --host https://auth.example.com".into(),
            whoami: "doorcode whoami".into(),
            request: "curl -H \"Authorization: Bearer $TOKEN\" https://auth.example.com/v1/me"
                .into(),
        },
    }
}

fn listing(tokens: Vec<TokenRow>) -> TokenListing {
    TokenListing {
        part: "active",
        sorts: Choice::of(
            &[("used", "Sort: last used"), ("name", "Sort: name")],
            "used",
        ),
        active: tokens.iter().filter(|token| token.is_live()).count(),
        attention: tokens.iter().filter(|token| token.mark.is_some()).count(),
        ended: tokens.iter().filter(|token| !token.is_live()).count(),
        first: 1,
        matches: tokens.len(),
        tokens,
        ..TokenListing::default()
    }
}

fn several() -> Vec<TokenRow> {
    vec![
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
            high_risk: 1,
            ..token("1", "ada-laptop", TokenState::Live)
        },
        TokenRow {
            limits: vec!["Acme".into(), "Website".into()],
            expires: None,
            last_used: None,
            mark: Some(TokenMark::HoldsEverything),
            ..token("2", "Build server", TokenState::Live)
        },
        TokenRow {
            origin: Some(format!("Doorcode CLI on {LONG}")),
            expires: Some(days(5)),
            mark: Some(TokenMark::ExpiresSoon),
            ..token("3", LONG, TokenState::Live)
        },
        TokenRow {
            scopes: Vec::new(),
            expires: Some(days(-2)),
            ..token("4", HOSTILE, TokenState::Expired)
        },
        TokenRow {
            expires: Some(minutes(1400)),
            mark: Some(TokenMark::Replaced),
            ..token("6", "Deploys", TokenState::Replaced)
        },
        token("5", "Old script", TokenState::Revoked(days(-1))),
        TokenRow {
            expires: None,
            mark: Some(TokenMark::GraceEnds(days(6))),
            ..token("7", "Nightly build", TokenState::Live)
        },
        TokenRow {
            expires: None,
            mark: Some(TokenMark::Blocked),
            ..token("8", "Backups", TokenState::Refused(LONG.into()))
        },
        TokenRow {
            mark: Some(TokenMark::BlockedByAdmin),
            ..token("12", "Laptop", TokenState::Refused(HOSTILE.into()))
        },
        TokenRow {
            mark: Some(TokenMark::Forgotten(days(-94))),
            last_used: None,
            scopes: vec!["orgs:write".into()],
            high_risk: 1,
            ..token("9", "Legacy deploys", TokenState::Live)
        },
        TokenRow {
            mark: Some(TokenMark::Unused(days(-33))),
            ..token("10", "Invoices", TokenState::Live)
        },
        TokenRow {
            mark: Some(TokenMark::NeverUsed),
            last_used: None,
            ..token("11", "Tablet", TokenState::Live)
        },
    ]
}

/// The tokens of an ordinary user.
fn ordinary() -> Vec<TokenRow> {
    let named = |id: &str, name: &str, hint: &str, used: i64| TokenRow {
        hint: format!("dc_…{hint}"),
        last_used: Some(LastUse {
            at: minutes(-used),
            address: Some(format!("203.0.113.{}", 7 + used % 50)),
        }),
        ..token(id, name, TokenState::Live)
    };
    let all = [
        "audit:read",
        "orgs:read",
        "projects:read",
        "tokens:read",
        "tokens:write",
    ];
    vec![
        TokenRow {
            scopes: all.map(String::from).to_vec(),
            high_risk: 1,
            ..named("1", "ada-laptop", "4f2a", 4)
        },
        TokenRow {
            limits: vec!["Acme".into(), "Website".into()],
            expires: Some(days(5)),
            mark: Some(TokenMark::ExpiresSoon),
            ..named("2", "Production deploys", "91c0", 12)
        },
        TokenRow {
            limits: vec!["Acme".into()],
            scopes: vec!["projects:read".into()],
            ..named("3", "Nightly report", "07be", 700)
        },
        TokenRow {
            expires: Some(minutes(1400)),
            mark: Some(TokenMark::Replaced),
            ..named("4", "ERP sync", "d3a8", 190)
        },
        TokenRow {
            scopes: vec!["orgs:write".into()],
            high_risk: 1,
            expires: None,
            mark: Some(TokenMark::Unused(days(-33))),
            ..named("5", "Import of 2025", "6e11", 47_520)
        },
        TokenRow {
            expires: Some(days(364)),
            last_used: None,
            scopes: Vec::new(),
            ..named("6", "Dashboard", "b42d", 0)
        },
    ]
}

/// The tokens of Acme, as `right` shows them.
fn of_acme(right: TokenRight, mut tokens: Vec<TokenRow>) -> TokensPage {
    for token in &mut tokens {
        token.origin = None;
        token.maker = Some(HOSTILE.into());
    }
    TokensPage {
        owner: TokensOwner::Organization(acme()),
        right,
        ..page(tokens, None)
    }
}

/// Lists of tokens and revocation.
pub fn samples() -> Vec<Sample> {
    let tokens = |state, tokens, notice| sample("tokens", state, &page(tokens, notice));
    let listed = |state, listing| {
        let page = TokensPage {
            listing,
            ..page(Vec::new(), None)
        };
        sample("tokens", state, &page)
    };
    let nothing = |part, text: &str| TokenListing {
        part,
        text: text.into(),
        active: 3,
        ended: 1,
        ..listing(Vec::new())
    };
    let revoke = |token| RevokePage {
        chrome: ada(),
        owner: TokensOwner::User,
        token,
        descendants: 2,
        has_successor: true,
        recent: Some(RecentUses {
            total: 68,
            is_cut: false,
            sources: 2,
            addresses: vec![
                (Some("192.0.2.77".into()), 52),
                (Some("192.0.2.81".into()), 16),
            ],
            more: 0,
        }),
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
    let mut live = several();
    live.truncate(3);
    let org_revoke = RevokePage {
        owner: TokensOwner::Organization(hostile_org()),
        ..revoke(TokenRow {
            maker: Some(LONG.into()),
            limits: vec![HOSTILE.into()],
            ..live[1].clone()
        })
    };
    let unused = RevokePage {
        recent: Some(RecentUses::default()),
        ..revoke(live[1].clone())
    };
    let many_addresses = RevokePage {
        recent: Some(RecentUses {
            total: 1000,
            is_cut: true,
            sources: 7,
            addresses: vec![(None, 990), (Some("2001:db8::7334".into()), 1)],
            more: 5,
        }),
        ..revoke(live[0].clone())
    };
    let long = RevokePage {
        recent: None,
        ..revoke(live[2].clone())
    };
    let one = vec![ending().remove(0)];
    let refused = |state, violation, tokens| {
        let page = TokensPage {
            right: TokenRight::Revoke(violation),
            can_create_own: false,
            ..page(tokens, None)
        };
        sample("tokens", state, &page)
    };
    let org_tokens = |state, right, tokens| sample("org-tokens", state, &of_acme(right, tokens));
    vec![
        tokens("ordinary", ordinary(), None),
        tokens("several", several(), None),
        tokens(
            "revoked",
            several(),
            Some(TokensNotice::Revoked {
                name: HOSTILE.into(),
                tokens: 2,
                invitations: 1,
            }),
        ),
        tokens(
            "all-revoked",
            several().split_off(3),
            Some(TokensNotice::RevokedAll {
                tokens: 3,
                invitations: 0,
            }),
        ),
        tokens("empty", Vec::new(), None),
        listed(
            "found",
            TokenListing {
                text: HOSTILE.into(),
                first: 51,
                matches: 132,
                newer: Some("/tokens?q=a".into()),
                older: Some("/tokens?q=a&page=3".into()),
                ..listing(several())
            },
        ),
        refused("plan", Violation::Plan, several()),
        refused("role", Violation::Role, Vec::new()),
        refused("creator", Violation::Creator, several()),
        listed("nothing-found", nothing("active", HOSTILE)),
        listed("nothing-active", nothing("active", "")),
        listed("nothing-ended", nothing("ended", "")),
        listed("nothing-urgent", nothing("attention", "")),
        listed(
            "cut",
            TokenListing {
                part: "ended",
                matches: 1000,
                is_cut: true,
                ..listing(several().split_off(5))
            },
        ),
        org_tokens("several", TokenRight::Manage, several()),
        org_tokens("empty", TokenRight::Manage, Vec::new()),
        org_tokens("member", TokenRight::View, Vec::new()),
        org_tokens("free", TokenRight::Revoke(Violation::Plan), several()),
        org_tokens(
            "free-empty",
            TokenRight::Revoke(Violation::Plan),
            Vec::new(),
        ),
        sample("revoke", "origin", &revoke(live[0].clone())),
        sample("revoke", "unused", &unused),
        sample("revoke", "many-addresses", &many_addresses),
        sample("revoke", "long", &long),
        sample("revoke-all", "several", &revoke_all(ending())),
        sample("revoke-all", "one", &revoke_all(one)),
        sample("revoke-all", "none", &revoke_all(Vec::new())),
        sample("org-revoke", "hostile", &org_revoke),
        sample("org-revoke-all", "several", &acme_revoke_all(ending())),
        sample("org-revoke-all", "none", &acme_revoke_all(Vec::new())),
    ]
}
