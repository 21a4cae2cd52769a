//! Code entry, consent and result, in every state.

use super::super::ProjectGroup;
use super::super::device::*;
use super::super::{Choice, FieldErrors, ScopeChoice};
use super::{HOSTILE, LONG, Sample, ada, choice, days, minutes, sample};
use domain::device::DeniedBecause;
use domain::route::Unscoped;
use domain::scope::Risk;

/// The riskiest first.
const MANY_SCOPES: [(&str, &str, Risk); 18] = [
    ("domain:purchase", "Buy domains", Risk::High),
    ("secret:read", "Read the values of secrets", Risk::High),
    (
        "orgs:write",
        "Change organizations and their members, and invite new ones, owners included",
        Risk::High,
    ),
    ("app:deploy", "Deploy builds and roll back", Risk::Write),
    (
        "app:write",
        "Create apps and change their environment",
        Risk::Write,
    ),
    (
        "database:write",
        "Create databases and change their data",
        Risk::Write,
    ),
    ("domain:write", "Change DNS records", Risk::Write),
    (
        "server:write",
        "Create servers and change their settings",
        Risk::Write,
    ),
    (
        "tokens:write",
        "Create, rotate and revoke your tokens",
        Risk::Write,
    ),
    (
        "app:read",
        "Read apps, builds and their settings",
        Risk::Read,
    ),
    ("audit:read", "Read the audit log", Risk::Read),
    ("billing:read", "Read invoices and usage", Risk::Read),
    (
        "database:read",
        "List databases and run read-only queries",
        Risk::Read,
    ),
    ("domain:read", "List domains and DNS records", Risk::Read),
    ("log:read", "Stream runtime and access logs", Risk::Read),
    (
        "orgs:read",
        "See your organizations and their members",
        Risk::Read,
    ),
    ("server:read", "Read servers and their settings", Risk::Read),
    (
        "tokens:read",
        "Read your tokens: names, scopes and last use",
        Risk::Read,
    ),
];

fn code() -> CodePage {
    CodePage {
        chrome: ada(),
        code: String::new(),
        via: Via::Keyboard,
        errors: FieldErrors::none(),
    }
}

fn consent(confirm: Confirm) -> ConsentPage {
    ConsentPage {
        chrome: ada(),
        ticket: "ticket".into(),
        user_code: "WDJB-MJHT".into(),
        client: ClientCard {
            name: "Doorcode CLI".into(),
            id: "doorcode-cli".into(),
            trust: ClientTrust::Unverified,
        },
        device_name: Some("ada-laptop".into()),
        address: "203.0.113.7".into(),
        proximity: Proximity::SameNetwork,
        requested: minutes(-3),
        code_expires: minutes(7),
        token_ends: Some(days(90)),
        scopes: vec![
            choice(
                "orgs:read",
                "See your organizations and their members",
                true,
            ),
            choice("projects:read", "See the projects you can reach", true),
            choice(
                "tokens:read",
                "See your tokens: names, scopes and last use",
                true,
            ),
        ],
        withheld: Vec::new(),
        unscoped: Unscoped::Identity,
        limits: LimitFields {
            are_open: false,
            organizations: Vec::new(),
            projects: Vec::new(),
            expiry: Choice::of(
                &[("", "On 26 February 2027 (default)"), ("30d", "In 30 days")],
                "",
            ),
            expires_on: String::new(),
            dates: ("2026-11-28".into(), Some("2027-02-25".into())),
            out_of_reach: None,
        },
        confirm,
        return_to: "/device".into(),
        errors: FieldErrors::none(),
    }
}

fn result(outcome: Outcome) -> ResultPage {
    ResultPage {
        chrome: ada(),
        client: "Doorcode CLI".into(),
        outcome,
    }
}

/// Device code pages.
pub fn samples() -> Vec<Sample> {
    let mine = || "198.51.100.24".to_owned();
    let wrong = CodePage {
        code: "WDJB-MJHX".into(),
        errors: FieldErrors::on(
            "user_code",
            "This code is wrong, expired or already used. Check it, or start again on your device for a new one.",
        ),
        ..code()
    };
    let by_link = CodePage {
        code: "WDJB-MJHT".into(),
        via: Via::Link,
        ..code()
    };
    let hostile = ConsentPage {
        client: ClientCard {
            name: HOSTILE.into(),
            id: LONG.into(),
            trust: ClientTrust::Unverified,
        },
        device_name: Some(HOSTILE.into()),
        address: "2001:db8:85a3:1:2:8a2e:370:7334".into(),
        token_ends: None,
        withheld: vec!["app:deploy".into(), "orgs:write".into()],
        ..consent(Confirm::ByLinkFromOtherNetwork(mine()))
    };
    let many = ConsentPage {
        scopes: MANY_SCOPES
            .map(|(name, description, risk)| ScopeChoice {
                risk,
                ..choice(name, description, risk != Risk::High)
            })
            .to_vec(),
        proximity: Proximity::Uncertain,
        withheld: vec!["policy:write".into()],
        ..consent(Confirm::ByLink)
    };
    let bare = ConsentPage {
        client: ClientCard {
            name: "Build robot".into(),
            id: "robot".into(),
            trust: ClientTrust::Registered,
        },
        device_name: None,
        scopes: Vec::new(),
        ..consent(Confirm::NotAsked)
    };
    let open = ConsentPage {
        unscoped: Unscoped::Open,
        scopes: Vec::new(),
        ..consent(Confirm::NotAsked)
    };
    let by_role = ConsentPage {
        unscoped: Unscoped::ByRole,
        scopes: Vec::new(),
        ..consent(Confirm::NotAsked)
    };
    let scopes_and_role = ConsentPage {
        unscoped: Unscoped::ByRole,
        ..consent(Confirm::NotAsked)
    };
    let other_network = consent(Confirm::OtherNetwork(mine()));
    let unconfirmed = ConsentPage {
        errors: FieldErrors::on(
            "confirm",
            "Tick this box if you started the sign-in yourself. If you did not, press Deny.",
        ),
        ..consent(Confirm::OtherNetwork(mine()))
    };
    let approved = |scopes: &[&str], token_ends| Outcome::Approved {
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        token_ends,
        limited_to: Vec::new(),
    };
    let limited = ConsentPage {
        limits: LimitFields {
            are_open: true,
            organizations: Choice::of(&[("", "All of mine"), ("org_1", "Acme")], "org_1"),
            projects: vec![ProjectGroup {
                organization_id: "org_1".into(),
                organization: "Acme".into(),
                projects: Choice::of(&[("prj_1", "Website"), ("prj_2", HOSTILE)], "prj_1"),
            }],
            expires_on: "2027-01-01".into(),
            out_of_reach: Some(("the organization", "globex".into())),
            ..consent(Confirm::NotAsked).limits
        },
        errors: FieldErrors::on("expires", "Choose a date up to 2027-02-25."),
        ..consent(Confirm::NotAsked)
    };
    let forbidden = |rule, owner: &str| ForbiddenPage {
        chrome: ada(),
        ticket: "ticket".into(),
        user_code: "WDJB-MJHT".into(),
        client: "Doorcode CLI".into(),
        device_name: Some("ada-laptop".into()),
        owners: match &rule {
            ForbiddenBy::PersonalTokens(..) => [
                ("Grace Hopper", "grace@example.com"),
                (owner, "mary@example.com"),
            ]
            .map(|(name, email)| Owner {
                name: name.into(),
                email: email.into(),
            })
            .into(),
            ForbiddenBy::Other(_) => Vec::new(),
        },
        rule,
        return_to: "/device".into(),
    };
    let of_acme = || ForbiddenBy::PersonalTokens("Acme".into(), "acme".into(), "member");
    let because = DeniedBecause::NoOrganization.explain();
    let of_limited = Outcome::Approved {
        scopes: vec!["orgs:read".into()],
        token_ends: Some(days(7)),
        limited_to: vec!["Acme".into(), "Website".into()],
    };
    vec![
        sample("consent", "limited", &limited),
        sample(
            "consent-forbidden",
            "policy",
            &forbidden(of_acme(), "Mary Somerville"),
        ),
        sample(
            "consent-forbidden",
            "hostile",
            &forbidden(of_acme(), HOSTILE),
        ),
        sample(
            "consent-forbidden",
            "other",
            &forbidden(ForbiddenBy::Other(because), ""),
        ),
        sample("approved", "limited", &result(of_limited)),
        sample("forbidden", "plain", &result(Outcome::Forbidden(because))),
        sample("device", "empty", &code()),
        sample("device", "by-link", &by_link),
        sample("device", "wrong", &wrong),
        sample("consent", "plain", &consent(Confirm::NotAsked)),
        sample("consent", "link", &consent(Confirm::ByLink)),
        sample("consent", "other-network", &other_network),
        sample("consent", "network", &unconfirmed),
        sample("consent", "hostile", &hostile),
        sample("consent", "bare", &bare),
        sample("consent", "many", &many),
        sample("consent", "open", &open),
        sample("consent", "by-role", &by_role),
        sample("consent", "scopes-and-role", &scopes_and_role),
        sample(
            "approved",
            "plain",
            &result(approved(&["orgs:read", "tokens:read"], Some(days(90)))),
        ),
        sample("approved", "bare", &result(approved(&[], None))),
        sample("denied", "plain", &result(Outcome::Denied)),
        sample("expired", "plain", &result(Outcome::Expired)),
        sample("decided", "plain", &result(Outcome::AlreadyDecided)),
    ]
}
