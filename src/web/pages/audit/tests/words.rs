//! Sentences about audit records.

use super::*;
use domain::Instant;
use domain::audit::record::{Detail, Method, Outcome};
use serde_json::json;

fn record(action: &str, target: Option<&str>, detail: Value) -> Record {
    Record {
        sequence: 1,
        id: "evt_1".into(),
        at: Instant::UNIX_EPOCH,
        action: action.into(),
        actor_kind: "user".into(),
        actor_id: Some("usr_ada".into()),
        user_id: Some("usr_ada".into()),
        token_id: None,
        client_id: None,
        organization_id: None,
        target: target.map(str::to_owned),
        outcome: Outcome::Done,
        method: Method::Session,
        request_id: "-".into(),
        address: None,
        agent: None,
        detail: Detail::try_from(detail).unwrap(),
        salt: None,
    }
}

fn names() -> Names {
    let names = [
        ("usr_ada", "Ada"),
        ("usr_bob", "Bob"),
        ("tok_1", "deploy"),
        ("prj_1", "Website"),
    ];
    let owned = names.map(|(id, name)| (id.to_owned(), name.to_owned()));
    owned.into_iter().collect()
}

fn told(record: &Record) -> String {
    let parts = sentence(record, &names());
    let texts: Vec<_> = parts.iter().map(Part::text).collect();
    texts.join(" ")
}

#[test]
fn every_action_has_a_sentence() {
    let full = json!({
        "name": "x", "from": "x", "to": "x", "role": "x", "user": "usr_bob", "token": "tok_1",
        "before": "x", "device_name": "x", "token_name": "x", "through": 7, "active": true, "route": "x", "issuer": "x",
    });
    for action in Action::ALL {
        for (target, detail) in [
            (None, json!({})),
            (Some("usr_ada"), full.clone()),
            (
                Some("tok_1"),
                json!({"count": 3, "before": "x", "replaces": "tok_0", "token_name": "x"}),
            ),
        ] {
            let record = record(action.as_str(), target, detail);
            let text = told(&record);
            let at = action.as_str();
            assert!(
                text.starts_with(|c: char| c.is_ascii_lowercase()),
                "{at}: {text}"
            );
            assert!(
                !text.contains(['{', '}']) && !text.contains("  "),
                "{at}: {text}"
            );
        }
        let whole = told(&record(action.as_str(), Some("usr_bob"), full.clone()));
        assert!(
            !whole.contains("something") || whole.ends_with(": something"),
            "{whole}"
        );
    }
}

#[test]
fn sentences_name_their_target() {
    for (action, target, detail, text) in [
        (
            "token.created",
            "tok_1",
            json!({"token_name": "old name"}),
            "created the token old name",
        ),
        (
            "token.revoked",
            "tok_1",
            json!({"reason": "x"}),
            "revoked the token deploy",
        ),
        (
            "token.revoked",
            "usr_ada",
            json!({"count": 3}),
            "revoked tokens: 3",
        ),
        (
            "member.changed",
            "usr_bob",
            json!({"from": "member", "to": "admin"}),
            "changed the role of Bob from member to admin",
        ),
        (
            "member.added",
            "usr_bob",
            json!({"role": "member"}),
            "added Bob as member",
        ),
        (
            "member.added",
            "usr_ada",
            json!({"role": "owner"}),
            "joined as owner",
        ),
        (
            "member.removed",
            "usr_ada",
            json!({}),
            "left the organization",
        ),
        ("member.removed", "usr_gone", json!({}), "removed usr_gone"),
        (
            "project.member_added",
            "prj_1",
            json!({"user": "usr_bob"}),
            "added Bob to the project Website",
        ),
        ("session.started", "ses_1", json!({}), "signed in"),
        ("moon.landed", "x", json!({}), "performed moon.landed"),
    ] {
        assert_eq!(told(&record(action, Some(target), detail)), text);
    }
}

#[test]
fn actor_is_named() {
    let of = |kind: &str, user: Option<&str>, you| {
        let record = Record {
            actor_kind: kind.into(),
            actor_id: Some("tok_1".into()),
            token_id: Some("tok_1".into()),
            user_id: user.map(str::to_owned),
            ..record("x.y", None, json!({}))
        };
        let who = who(&record, &names(), "Doorcode", you);
        (who.name, who.by.unwrap_or_default())
    };
    let is = |name: &str, by: &str| (name.to_owned(), by.to_owned());
    assert_eq!(of("user", Some("usr_bob"), None), is("Bob", ""));
    assert_eq!(of("user", Some("usr_bob"), Some("usr_bob")), is("You", ""));
    assert_eq!(of("user", Some("usr_gone"), None), is("A user", ""));
    assert_eq!(
        of("token", Some("usr_ada"), None),
        is("Ada", "with the token deploy")
    );
    assert_eq!(
        of("token", None, Some("usr_ada")),
        is("deploy", "an API token")
    );
    assert_eq!(
        of("operator", Some("usr_ada"), None),
        is("The operator", "for Ada")
    );
    assert_eq!(of("operator", None, None), is("The operator", ""));
    assert_eq!(of("system", None, None), is("Doorcode", ""));
    assert_eq!(
        of("anonymous", None, None),
        is("Anonymous", "not signed in")
    );
}
