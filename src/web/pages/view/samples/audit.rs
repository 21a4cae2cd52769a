//! The audit log and the activity of users and tokens, in every state.

use super::super::audit::*;
use super::super::chart::UseChart;
use super::super::log_badge::{Checkpoint, LogBadge, LogState};
use super::super::token::{TokenRight, TokenRow, TokenState, TokensOwner};
use super::super::token_activity::*;
use super::super::{Choice, FieldErrors};
use super::token::token;
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, minutes, now, sample};
use chrono::Days;

fn who(name: &str, by: Option<&str>, id: &str) -> Who {
    Who {
        name: name.into(),
        by: by.map(str::to_owned),
        id: id.into(),
    }
}

fn event(sequence: u64, who: Who, what: Vec<Part>) -> EventRow {
    EventRow {
        sequence,
        at: minutes(-7 * i64::try_from(80 - sequence).unwrap()),
        who,
        what,
        is_refused: false,
        organization: None,
        address: Some("203.0.113.7".into()),
        agent: Some("Firefox on Linux".into()),
        facts: vec![
            ("Time", "2026-11-22 01:40:10 UTC".into()),
            ("Action", "token.created".into()),
            ("Request", "c0ffee00c0ffee00c0ffee00c0ffee00".into()),
            ("Agent", HOSTILE.into()),
            ("Hash", "5e".repeat(32)),
        ],
        detail: format!("{{\n  \"name\": \"{HOSTILE}\"\n}}"),
    }
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn name(text: &str, id: &str) -> Part {
    Part::Name(text.into(), Some(id.into()))
}

fn events() -> Vec<EventRow> {
    let ada = || who("Ada Lovelace", None, "usr_ada");
    vec![
        event(
            79,
            ada(),
            vec![text("made the token"), name("deploy", "tok_1")],
        ),
        EventRow {
            agent: Some(LONG.into()),
            address: Some("2001:db8:85a3:1:2:8a2e:370:7334".into()),
            ..event(
                70,
                who("Bob Byron", Some("with the token build server"), "usr_bob"),
                vec![
                    text("changed the role of"),
                    name(HOSTILE, "usr_eve"),
                    text("from"),
                    Part::Name("member".into(), None),
                    text("to"),
                    Part::Name("admin".into(), None),
                ],
            )
        },
        EventRow {
            is_refused: true,
            organization: Some("Acme".into()),
            ..event(
                60,
                who("Somebody", Some("not signed in"), "anonymous"),
                vec![text("tried to sign in as"), name("Ada Lovelace", "usr_ada")],
            )
        },
        EventRow {
            address: None,
            agent: None,
            detail: String::new(),
            ..event(
                50,
                who("The operator", Some("for Ada Lovelace"), "usr_ada"),
                vec![text("made the project"), name(LONG, "prj_1")],
            )
        },
        event(
            40,
            who(HOSTILE, Some(HOSTILE), HOSTILE),
            vec![text("did"), Part::Name(LONG.into(), None)],
        ),
    ]
}

fn form(path: &str, query: &str) -> AuditForm {
    let actors = [
        ("", "All actors"),
        ("usr_ada", "Ada Lovelace"),
        ("x", HOSTILE),
        ("y", LONG),
    ];
    AuditForm {
        path: path.into(),
        actors: Choice::of(&actors, "usr_ada"),
        actions: Choice::of(&[("", "All actions"), ("token", "Tokens")], ""),
        token: HOSTILE.into(),
        from: "2026-11-01".into(),
        to: String::new(),
        query: query.into(),
    }
}

/// The badge of a verified log.
pub(super) fn verified() -> LogBadge {
    LogBadge {
        state: LogState::Verified(minutes(-2), 12_408),
        checkpoint: Some(Checkpoint {
            at: minutes(-1),
            sequence: 12_410,
            hash: "7f3ac1…a2e09b".into(),
        }),
    }
}

fn audit(query: &str, events: Vec<EventRow>) -> AuditPage {
    AuditPage {
        chrome: ada(),
        org: acme(),
        log: verified(),
        form: form("/o/acme/audit", query),
        next: (!events.is_empty()).then(|| "/o/acme/audit?before=40".into()),
        events,
        errors: FieldErrors::none(),
    }
}

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

/// The audit log, a user's activity and a token's.
pub fn samples() -> Vec<Sample> {
    let mut errors = FieldErrors::on("from", "Enter a date as year-month-day.");
    errors.push("to", "Enter a date as year-month-day.");
    let wrong = AuditPage {
        errors,
        ..audit("from=x&to=x", Vec::new())
    };
    let hostile = AuditPage {
        org: hostile_org(),
        ..audit("actor=%3Cscript%3E", events())
    };
    let contradicted = AuditPage {
        log: LogBadge {
            state: LogState::Contradicted(days(-1), 7),
            ..verified()
        },
        ..audit("", events())
    };
    let unverified = AuditPage {
        log: LogBadge {
            state: LogState::Unverified,
            checkpoint: None,
        },
        ..audit("", events())
    };
    let own = |state, query, events, errors| {
        let page = AccountActivityPage {
            chrome: ada(),
            form: form("/account/activity", query),
            events,
            next: Some("/account/activity?before=40".into()),
            errors,
        };
        sample("account-activity", state, &page)
    };
    let none = FieldErrors::none;
    let no_day = FieldErrors::on("to", "Enter a date as year-month-day.");
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
        ending: Some(format!("by {HOSTILE}, with all others")),
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
        sample("audit", "several", &audit("", events())),
        sample("audit", "hostile", &hostile),
        sample("audit", "nothing-yet", &audit("", Vec::new())),
        sample("audit", "nothing-found", &audit("token=x", Vec::new())),
        sample("audit", "errors", &wrong),
        sample("audit", "contradicted", &contradicted),
        sample("audit", "unverified", &unverified),
        own("several", "", events(), none()),
        own("none", "", Vec::new(), none()),
        own("nothing-found", "token=x", Vec::new(), none()),
        own("errors", "to=x", Vec::new(), no_day),
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
