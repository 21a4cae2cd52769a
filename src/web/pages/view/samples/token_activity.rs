//! The page of a token: its uses and its history, in every state.

use super::super::FieldErrors;
use super::super::audit::EventRow;
use super::super::chart::UseChart;
use super::super::token::{TokenRight, TokenRow, TokenState, TokensOwner};
use super::super::token_activity::*;
use super::audit::{event, events, name, text, who};
use super::token::token;
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, minutes, now, sample};
use chrono::Days;

fn page(owner: TokensOwner, token: TokenRow, record: UseRecord) -> TokenPage {
    let events = match record {
        UseRecord::Off => Vec::new(),
        UseRecord::On { .. } => events(),
    };
    TokenPage {
        blocked_in: Vec::new(),
        rotation_requests: Vec::new(),
        chrome: ada(),
        owner,
        right: TokenRight::Manage,
        token,
        ending: None,
        successor: None,
        predecessor: None,
        children: Vec::new(),
        record,
        next: None,
        events,
        is_renamed: false,
        name: "ada-laptop".into(),
        errors: FieldErrors::none(),
    }
}

fn relative(straggler: Option<i64>) -> Option<Relative> {
    Some(Relative {
        id: "tok_9".into(),
        hint: "dc_…9a01".into(),
        at: days(-2),
        straggler: straggler.map(minutes),
    })
}

fn used(refusal: Option<&str>) -> UseRow {
    UseRow {
        at: minutes(-180),
        address: Some("203.0.113.7".into()),
        route: Some("POST /v1/projects/{project}/deploys".into()),
        scope: Some("app:deploy".into()),
        refusal: refusal.map(str::to_owned),
        repeated: (refusal == Some("revoked")).then(|| (42, minutes(-178))),
    }
}

fn record(uses: Vec<UseRow>) -> UseRecord {
    let today = now().date_naive();
    let count = |n: u64| match uses.is_empty() {
        true => 0,
        false => (n * 37) % 23 * u64::from(!n.is_multiple_of(4)),
    };
    let counts: Vec<_> = (0..30)
        .map(|n| (today - Days::new(29 - n), count(n)))
        .collect();
    UseRecord::On {
        chart: UseChart::new(&counts),
        uses,
    }
}

/// An ordinary token that was rotated once.
fn ordinary_token() -> TokenPage {
    let reads = UseRow {
        route: Some("GET /v1/projects/{project}".into()),
        scope: Some("projects:read".into()),
        at: minutes(-95),
        ..used(None)
    };
    let denied = UseRow {
        route: Some("DELETE /v1/projects/{project}".into()),
        scope: Some("projects:write".into()),
        ..used(Some("insufficient_scope"))
    };
    let older = UseRow {
        at: minutes(-400),
        ..reads.clone()
    };
    let uses = record(vec![reads, used(None), denied, older]);
    let ada = || who("Ada Lovelace", None, "usr_ada");
    let own_event = |sequence, what| EventRow {
        agent: None,
        ..event(sequence, ada(), what)
    };
    TokenPage {
        predecessor: relative(None),
        name: "Production deploys".into(),
        events: vec![
            own_event(
                30,
                vec![
                    text("renamed a token to"),
                    name("Production deploys", "tok_1"),
                ],
            ),
            own_event(
                10,
                vec![
                    text("created the token"),
                    name("deploys", "tok_1"),
                    text("to replace an older one"),
                ],
            ),
        ],
        ..page(
            TokensOwner::User,
            TokenRow {
                created: days(-2),
                ..token("1", "Production deploys", TokenState::Live)
            },
            uses,
        )
    }
}

/// The page of a token.
pub fn samples() -> Vec<Sample> {
    let bare = UseRow {
        address: None,
        route: Some(HOSTILE.into()),
        scope: None,
        ..used(Some("insufficient_scope"))
    };
    let live = || token("1", "ada-laptop", TokenState::Live);
    let busy = || record(vec![used(None), bare.clone(), used(Some("revoked"))]);
    let rotated = TokenPage {
        children: vec![Child {
            id: "tok_8".into(),
            name: HOSTILE.into(),
            hint: "dc_…77aa".into(),
            about: "Revoked organization token",
            is_linked: false,
        }],
        successor: relative(Some(-180)),
        next: Some("/tokens/tok_1?after=evt_1.0.50".into()),
        ..page(
            TokensOwner::User,
            token("1", HOSTILE, TokenState::Replaced),
            busy(),
        )
    };
    let done = TokenPage {
        successor: relative(None),
        predecessor: relative(Some(-7)),
        ending: Some(Ending {
            by: HOSTILE.into(),
            why: ", with all others",
        }),
        ..page(
            TokensOwner::Organization(hostile_org()),
            token("1", LONG, TokenState::Revoked(days(-1))),
            busy(),
        )
    };
    let fresh = TokenRow {
        last_used: None,
        ..live()
    };
    let successor = TokenPage {
        predecessor: relative(None),
        ..page(
            TokensOwner::Organization(acme()),
            live(),
            record(Vec::new()),
        )
    };
    let blocked = TokenPage {
        blocked_in: vec!["Acme".into(), HOSTILE.into()],
        rotation_requests: vec![RotationNote {
            by: HOSTILE.into(),
            organization: LONG.into(),
            at: days(-1),
        }],
        ..page(TokensOwner::User, live(), record(Vec::new()))
    };
    let ended = TokenRow {
        last_used: None,
        ..token("1", "Old", TokenState::Expired)
    };
    let own_token =
        |state, token, record| sample("token", state, &page(TokensOwner::User, token, record));
    vec![
        sample("token", "ordinary", &ordinary_token()),
        sample("token", "rotated", &rotated),
        sample("token", "blocked", &blocked),
        own_token("unused", fresh, record(Vec::new())),
        own_token("ended-unused", ended, record(Vec::new())),
        own_token("not-recorded", live(), UseRecord::Off),
        sample(
            "token",
            "renamed",
            &TokenPage {
                is_renamed: true,
                ..page(TokensOwner::User, live(), record(Vec::new()))
            },
        ),
        sample(
            "token",
            "errors",
            &TokenPage {
                name: HOSTILE.into(),
                errors: FieldErrors::on("name", "Enter a name."),
                ..page(TokensOwner::User, live(), record(Vec::new()))
            },
        ),
        sample("org-token", "ended", &done),
        sample("org-token", "successor", &successor),
    ]
}
