//! The tokens with access to an organization, in every state.

use super::super::token::*;
use super::super::token_access::*;
use super::token::token;
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, sample};
use app::mail::MailStatus;

fn owner(name: &str) -> Option<AccessOwner> {
    Some(AccessOwner {
        name: name.into(),
        email: "bob@example.com".into(),
        is_you: false,
    })
}

fn row(token: TokenRow, owner: Option<AccessOwner>) -> AccessRow {
    AccessRow {
        token,
        owner,
        rotation_requested: None,
        pages: None,
        control: AccessControl::Manage,
    }
}

fn several() -> Vec<AccessRow> {
    let live = |id, name| token(id, name, TokenState::Live);
    let blocked = TokenRow {
        mark: Some(TokenMark::BlockedByAdmin),
        ..token("4", HOSTILE, TokenState::Refused(HOSTILE.into()))
    };
    let own = AccessRow {
        pages: Some(TokensOwner::Organization(acme())),
        control: AccessControl::Unblock,
        ..row(live("1", "Production deploys"), None)
    };
    let yours = AccessOwner {
        is_you: true,
        ..owner("Ada Lovelace").expect("an owner")
    };
    vec![
        own.clone(),
        AccessRow {
            pages: Some(TokensOwner::User),
            ..row(live("2", "laptop"), Some(yours))
        },
        AccessRow {
            rotation_requested: Some(days(-1)),
            ..row(
                TokenRow {
                    mark: Some(TokenMark::ExpiresSoon),
                    expires: Some(days(5)),
                    ..live("3", LONG)
                },
                owner(LONG),
            )
        },
        row(blocked.clone(), owner(HOSTILE)),
        AccessRow {
            token: blocked,
            ..own
        },
        AccessRow {
            control: AccessControl::Nothing,
            ..row(
                TokenRow {
                    last_used: None,
                    expires: None,
                    ..live("5", "zapier")
                },
                owner("Fatima Noor"),
            )
        },
    ]
}

fn page(tokens: Vec<AccessRow>, notice: Option<AccessNotice>) -> AccessPage {
    let chip = |label, count, is_current| AccessChip {
        label,
        count,
        href: "/o/acme/tokens?show=unused".into(),
        is_current,
    };
    AccessPage {
        chrome: ada(),
        org: acme(),
        parts: vec![chip("All", 6, true), chip("Unused", 2, false)],
        text: String::new(),
        part: "",
        member: None,
        first: 1,
        matches: tokens.len(),
        tokens,
        cut: None,
        newer: None,
        older: None,
        notice,
    }
}

/// The list, and the question before a block.
pub fn samples() -> Vec<Sample> {
    let found = AccessPage {
        org: hostile_org(),
        text: HOSTILE.into(),
        part: "unused",
        member: Some(("usr_bob".into(), HOSTILE.into())),
        first: 51,
        matches: 132,
        cut: Some(1000),
        newer: Some("/o/acme/tokens?q=a".into()),
        older: Some("/o/acme/tokens?q=a&page=3".into()),
        ..page(several(), None)
    };
    let nothing = AccessPage {
        text: HOSTILE.into(),
        ..page(Vec::new(), None)
    };
    let asked = |mail| AccessNotice::Asked {
        token: HOSTILE.into(),
        owner: "Bob Byron".into(),
        mail,
    };
    let block = |name: &str, descendants| BlockPage {
        chrome: ada(),
        org: acme(),
        id: "tok_3".into(),
        name: name.into(),
        hint: "dc_…4f2a".into(),
        scopes: vec!["orgs:read".into()],
        owner: "Bob Byron".into(),
        descendants,
    };
    let done = |state, notice| sample("tokens-with-access", state, &page(several(), Some(notice)));
    vec![
        sample("tokens-with-access", "several", &page(several(), None)),
        sample("tokens-with-access", "found", &found),
        sample("tokens-with-access", "empty", &page(Vec::new(), None)),
        sample("tokens-with-access", "nothing-found", &nothing),
        done("blocked", AccessNotice::Blocked(HOSTILE.into(), 2)),
        done("unblocked", AccessNotice::Unblocked(LONG.into())),
        done("asked", asked(MailStatus::Sent)),
        done("asked-without-mail", asked(MailStatus::NotSent)),
        sample("token-block", "one", &block("zapier", 0)),
        sample("token-block", "several", &block(HOSTILE, 3)),
    ]
}
