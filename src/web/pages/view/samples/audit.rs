//! The audit log and the activity of users, in every state.

use super::super::audit::*;
use super::super::log_badge::{Checkpoint, LogBadge, LogState};
use super::super::{Choice, FieldErrors};
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, minutes, sample};

pub(super) fn who(name: &str, by: Option<&str>, id: &str) -> Who {
    Who {
        name: name.into(),
        by: by.map(str::to_owned),
        id: id.into(),
    }
}

pub(super) fn event(sequence: u64, who: Who, what: Vec<Part>) -> EventRow {
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

pub(super) fn text(text: &str) -> Part {
    Part::Text(text.into())
}

pub(super) fn name(text: &str, id: &str) -> Part {
    Part::Name(text.into(), Some(id.into()))
}

/// The records of an ordinary day.
pub(super) fn changes() -> Vec<EventRow> {
    let ada = || who("Ada Lovelace", None, "usr_ada");
    let grace = || who("Grace Hopper", None, "usr_grace");
    vec![
        event(
            79,
            ada(),
            vec![
                text("changed the policy:"),
                Part::Name("longest lifetime no limit → 90 days".into(), None),
            ],
        ),
        event(
            74,
            grace(),
            vec![
                text("accepted the invitation of"),
                name("Ada Lovelace", "usr_ada"),
                text("and joined as"),
                Part::Name("admin".into(), None),
            ],
        ),
        event(
            61,
            who("Bob Byron", Some("with the token laptop"), "usr_bob"),
            vec![text("rotated the token"), name("ERP sync", "tok_1")],
        ),
        event(
            42,
            ada(),
            vec![
                text("added"),
                name("Bob Byron", "usr_bob"),
                text("to the project"),
                name("Warehouse robots", "prj_1"),
            ],
        ),
        event(
            20,
            grace(),
            vec![
                text("created the token"),
                name("Production deploys", "tok_2"),
            ],
        ),
    ]
}

pub(super) fn events() -> Vec<EventRow> {
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

/// The log of an ordinary organization.
fn ordinary() -> AuditPage {
    AuditPage {
        form: AuditForm {
            actors: Choice::of(&[("", "All actors"), ("usr_ada", "Ada Lovelace")], ""),
            token: String::new(),
            from: String::new(),
            ..form("/o/acme/audit", "")
        },
        ..audit("", changes())
    }
}

/// The audit log, and a user's activity.
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
    vec![
        sample("audit", "ordinary", &ordinary()),
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
    ]
}
