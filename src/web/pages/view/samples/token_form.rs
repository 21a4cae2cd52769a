//! Creating and rotating a token, in every state.

use super::super::token::*;
use super::super::{Choice, FieldErrors, Moment, ScopeGroup};
use super::token::token;
use super::{HOSTILE, LONG, Sample, acme, ada, choice, days, minutes, sample};

fn new_token() -> NewTokenPage {
    NewTokenPage {
        chrome: ada(),
        owner: TokensOwner::User,
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
                "Change organizations and their members, and invite new ones, owners included",
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
        limits: LimitChoices::default(),
        expiry: Choice::expiries("90d"),
        expires_on: String::new(),
        earliest: "2026-11-22".into(),
        form_nonce: "form_nonce".into(),
        latest: None,
        errors: FieldErrors::none(),
    }
}

/// Many scopes, two organizations with projects, and policies that restrict the token.
fn many() -> NewTokenPage {
    let mut scopes: Vec<_> = new_token()
        .scopes
        .into_iter()
        .flat_map(|g| g.scopes)
        .collect();
    scopes.push(choice("audit:read", "Read the audit log", false));
    scopes.push(choice(LONG, HOSTILE, false));
    let projects = |id: &str, name: &str, projects: &[(&str, &str)]| ProjectGroup {
        organization_id: id.into(),
        organization: name.into(),
        projects: Choice::of(projects, "prj_2"),
    };
    let caveat = |name: &str, required| Caveat {
        organization: name.into(),
        required,
    };
    NewTokenPage {
        scopes: ScopeGroup::of(scopes),
        limits: LimitChoices {
            organizations: Choice::of(
                &[("", "All of mine"), ("org_1", "Acme"), ("org_2", HOSTILE)],
                "",
            ),
            projects: vec![
                projects("org_1", "Acme", &[("prj_1", "Website"), ("prj_2", "App")]),
                projects("org_2", HOSTILE, &[("prj_3", LONG)]),
            ],
            caveats: vec![
                caveat("Acme", RequiredScope::ExpiresWithin("90 days".into())),
                caveat(HOSTILE, RequiredScope::AdminsOnly),
                caveat(LONG, RequiredScope::Expires),
            ],
        },
        ..new_token()
    }
}

fn created(name: &str, expires: Option<Moment>, scopes: &[&str]) -> TokenCreatedPage {
    TokenCreatedPage {
        chrome: ada(),
        owner: TokensOwner::User,
        id: "tok_1".into(),
        name: name.into(),
        secret: Some(format!("dc_{}", "0123456789abcdef".repeat(3))),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        expires,
        replaced: None,
        me_url: "https://login.example.com/v1/me".into(),
    }
}

fn rotated(works_until: Option<Moment>) -> TokenCreatedPage {
    TokenCreatedPage {
        replaced: Some(ReplacedToken {
            hint: "dc_…4f2a".into(),
            works_until,
        }),
        ..created("Build server", Some(days(90)), &["projects:read"])
    }
}

fn rotate(token: TokenRow) -> RotatePage {
    RotatePage {
        chrome: ada(),
        owner: TokensOwner::User,
        token,
        overlap: overlaps("24h"),
        errors: FieldErrors::none(),
    }
}

/// The forms that lead to a token shown once.
pub fn samples() -> Vec<Sample> {
    let mut errors = FieldErrors::on("name", "Enter a name.");
    errors.push("scope", "Your account cannot give app:deploy.");
    errors.push("organization", "You are not a member of that organization.");
    errors.push(
        "project",
        "One of the projects belongs to another organization.",
    );
    errors.push("expires", "Choose when it expires.");
    errors.push("expires_on", "Choose a date from tomorrow on.");
    let again = NewTokenPage {
        name: HOSTILE.into(),
        expiry: Choice::expiries("custom"),
        expires_on: "2020-01-01".into(),
        latest: Some("2027-11-22".into()),
        errors,
        ..many()
    };
    let live = || token("2", "Build server", TokenState::Live);
    let of_acme = || TokensOwner::Organization(acme());
    let org_new = NewTokenPage {
        owner: of_acme(),
        limits: LimitChoices {
            projects: many().limits.projects,
            ..LimitChoices::default()
        },
        ..new_token()
    };
    let org_created = TokenCreatedPage {
        owner: of_acme(),
        ..created("Build server", None, &["projects:read"])
    };
    let rotate_again = RotatePage {
        errors: FieldErrors::on("overlap", "Choose how long the old one still works."),
        ..rotate(token("3", HOSTILE, TokenState::Live))
    };
    let org_rotate = RotatePage {
        owner: of_acme(),
        ..rotate(TokenRow {
            maker: Some("Ada Lovelace".into()),
            creator: Some(Creator {
                hint: "dc_…4f2a".into(),
                has_ended: true,
            }),
            ..live()
        })
    };
    vec![
        sample("token-new", "empty", &new_token()),
        sample("token-new", "many", &many()),
        sample("token-new", "errors", &again),
        sample("org-token-new", "empty", &org_new),
        sample(
            "token-created",
            "plain",
            &created("Build server", Some(days(90)), &["projects:read"]),
        ),
        sample(
            "token-created",
            "shown",
            &TokenCreatedPage {
                secret: None,
                ..created("Build server", Some(days(90)), &["projects:read"])
            },
        ),
        sample("token-created", "hostile", &created(HOSTILE, None, &[])),
        sample("org-token-created", "plain", &org_created),
        sample("token-rotate", "plain", &rotate(live())),
        sample("token-rotate", "errors", &rotate_again),
        sample("org-token-rotate", "plain", &org_rotate),
        sample("token-rotated", "overlap", &rotated(Some(minutes(1440)))),
        sample("token-rotated", "at-once", &rotated(None)),
    ]
}
