//! Creating and rotating a token, in every state.

use super::super::token::*;
use super::super::token_form::*;
use super::super::{Choice, FieldErrors, Moment, ProjectGroup, ScopeChoice};
use super::token::token;
use super::{HOSTILE, LONG, Sample, acme, ada, choice, days, minutes, sample};
use domain::route::Unscoped;
use domain::scope::Risk;

fn expiry(selected: &str, over: &[&str]) -> Vec<ExpiryChoice> {
    let choices = [
        ("30d", "30 days", "22 Dec 2026"),
        ("90d", "90 days", "20 Feb 2027"),
        ("1y", "1 year", "22 Nov 2027"),
        ("never", "Never", "Until revoked"),
        ("custom", "Custom", "Choose a day"),
    ];
    let choice = |(value, label, note): (&str, &str, &str)| {
        let is_over = over.contains(&value);
        ExpiryChoice {
            choice: Choice {
                value: value.into(),
                label: label.into(),
                selected: value == selected,
            },
            note: if is_over { "Over the limit" } else { note }.into(),
            is_over,
        }
    };
    choices.map(choice).to_vec()
}

fn presets(current: &str) -> Vec<PresetLink> {
    [
        (
            "Read only",
            "read-only",
            "orgs:read projects:read tokens:read",
        ),
        (
            "Read and write",
            "read-write",
            "app:deploy orgs:read projects:read projects:write tokens:read tokens:write",
        ),
        ("Clear", "none", ""),
    ]
    .map(|(name, word, scopes)| PresetLink {
        name: name.into(),
        href: format!("/tokens/new?preset={word}"),
        scopes: scopes.into(),
        is_current: word == current,
    })
    .to_vec()
}

fn scopes(ticked: &[&str]) -> Vec<ScopeChoice> {
    let mut scopes = [
        ("app:deploy", "Deploy builds and roll back"),
        ("app:read", "See apps, builds and their settings"),
        ("orgs:read", "See your organizations and their members"),
        (
            "orgs:write",
            "Change organizations and their members, and invite new ones, owners included",
        ),
        ("projects:read", "See the projects you can reach"),
        ("projects:write", "Create and change projects"),
        ("tokens:read", "See your tokens: names, scopes and last use"),
        ("tokens:write", "Create, rotate and revoke tokens"),
    ]
    .map(|(name, description)| choice(name, description, ticked.contains(&name)));
    scopes[3].risk = Risk::High;
    scopes.to_vec()
}

fn new_token() -> NewTokenPage {
    NewTokenPage {
        chrome: ada(),
        owner: TokensOwner::User,
        name: String::new(),
        expiry: expiry("90d", &[]),
        expires_on: String::new(),
        earliest: "2026-11-22".into(),
        latest: None,
        reach: Reach::default(),
        presets: presets(""),
        resources: Resource::of(scopes(&[])),
        unscoped: Unscoped::Identity,
        left_out: Vec::new(),
        form_nonce: "form_nonce".into(),
        errors: FieldErrors::none(),
    }
}

fn reached(id: &str, name: &str, projects: &[(&str, &str)]) -> ReachOrganization {
    ReachOrganization {
        group: ProjectGroup {
            organization_id: id.into(),
            organization: name.into(),
            projects: Choice::of(projects, "prj_2"),
        },
        selected: false,
        required: None,
    }
}

/// Many scopes, two organizations with projects, and policies that restrict the token.
fn many() -> NewTokenPage {
    let mut scopes = scopes(&[
        "app:deploy",
        "projects:read",
        "projects:write",
        "tokens:read",
    ]);
    scopes.push(choice("audit:read", "Read the audit log", false));
    for name in ["log", "dns", "database", "secret"] {
        scopes.push(choice(&format!("{name}:read"), HOSTILE, false));
    }
    scopes.push(choice(LONG, HOSTILE, false));
    let organizations = vec![
        ReachOrganization {
            selected: true,
            required: Some(Requirement::ExpiresWithin("90 days".into())),
            ..reached("org_1", "Acme", &[("prj_1", "Website"), ("prj_2", "App")])
        },
        ReachOrganization {
            required: Some(Requirement::AdminsOnly),
            ..reached("org_2", HOSTILE, &[("prj_3", LONG)])
        },
        ReachOrganization {
            required: Some(Requirement::Expires),
            ..reached("org_3", LONG, &[("prj_4", HOSTILE)])
        },
    ];
    NewTokenPage {
        resources: Resource::of(scopes),
        unscoped: Unscoped::Open,
        reach: Reach {
            has_choice: true,
            all: Some(false),
            organizations,
        },
        ..new_token()
    }
}

/// An ordinary token, as it is selected.
fn ordinary() -> NewTokenPage {
    let mut page = many();
    page.name = "Production deploys".into();
    page.resources = Resource::of(scopes(&[
        "app:deploy",
        "projects:read",
        "projects:write",
        "tokens:read",
    ]));
    page.reach.organizations.truncate(1);
    page.reach.organizations.push(ReachOrganization {
        required: Some(Requirement::AdminsOnly),
        ..reached("org_2", "Analytical Engines", &[])
    });
    page
}

/// A copy of a token, of which the user can give only a part, under a limit on lifetimes.
fn copied() -> NewTokenPage {
    let ticked = ["orgs:read", "projects:read", "tokens:read"];
    NewTokenPage {
        name: "Build server".into(),
        expiry: expiry("90d", &["1y", "never"]),
        latest: Some("2027-02-20".into()),
        presets: presets("read-only"),
        resources: Resource::of(scopes(&ticked)),
        unscoped: Unscoped::Identity,
        left_out: vec![
            "app:admin".into(),
            "a project that you cannot choose".into(),
        ],
        reach: Reach {
            organizations: vec![ReachOrganization {
                required: Some(Requirement::AdminsOnly),
                ..reached("org_1", "Acme", &[])
            }],
            ..Reach::default()
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
        limits: Vec::new(),
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
        expiry: expiry("custom", &["never"]),
        expires_on: "2020-01-01".into(),
        latest: Some("2027-11-22".into()),
        errors,
        ..many()
    };
    let live = || token("2", "Build server", TokenState::Live);
    let of_acme = || TokensOwner::Organization(acme());
    let org_new = NewTokenPage {
        owner: of_acme(),
        reach: Reach {
            organizations: vec![reached(
                "org_1",
                "Acme",
                &[("prj_1", "Website"), ("prj_2", LONG)],
            )],
            ..Reach::default()
        },
        ..new_token()
    };
    let without_scopes = NewTokenPage {
        resources: Vec::new(),
        unscoped: Unscoped::ByRole,
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
        sample("token-new", "ordinary", &ordinary()),
        sample("token-new", "many", &many()),
        sample("token-new", "copied", &copied()),
        sample("token-new", "errors", &again),
        sample("token-new", "without-scopes", &without_scopes),
        sample("org-token-new", "empty", &org_new),
        sample(
            "token-created",
            "plain",
            &TokenCreatedPage {
                limits: vec!["Website".into(), "App".into()],
                ..created("Build server", Some(days(90)), &["projects:read"])
            },
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
