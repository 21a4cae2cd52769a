//! The operator console: health, users, organizations and scopes, in every state.

use super::super::admin::*;
use super::super::policy::graces;
use super::super::{Chrome, FieldErrors, User};
use super::{HOSTILE, LONG, Sample, ada, days, sample};
use domain::role::Role;
use domain::scope::Risk;

/// The frame of an operator.
pub(super) fn operator() -> Chrome {
    let chrome = ada();
    Chrome {
        user: chrome.user.map(|user| User {
            is_operator: true,
            ..user
        }),
        ..chrome
    }
}

fn health(checks: Vec<Check>, waiting_messages: Option<usize>) -> HealthPage {
    HealthPage {
        chrome: operator(),
        version: "1.4.0",
        address: "https://auth.example.com".into(),
        checks,
        waiting_codes: 7,
        waiting_messages,
        unsealed: 3,
    }
}

fn user(id: &str, name: &str) -> UserRow {
    UserRow {
        id: format!("usr_01935a7c1d2e7f008a113c4d5e6{id}"),
        name: name.into(),
        email: format!("{id}@example.com"),
        is_email_verified: true,
        is_active: true,
        is_operator: false,
        created: days(-300),
    }
}

fn users(users: Vec<UserRow>, text: &str) -> UsersPage {
    UsersPage {
        chrome: operator(),
        next: (users.len() > 1).then(|| "/admin/users?after=0.usr_x".into()),
        users,
        text: text.into(),
    }
}

fn organizations() -> Vec<UserOrganization> {
    [("Acme", Role::Owner), (HOSTILE, Role::Member)]
        .map(|(name, role)| UserOrganization {
            slug: "acme".into(),
            name: name.into(),
            role,
        })
        .to_vec()
}

fn user_page(user: UserRow, reset: ResetWay, notice: Option<UserNotice>) -> UserPage {
    UserPage {
        chrome: operator(),
        user,
        is_you: false,
        must_change_password: false,
        organizations: organizations(),
        tokens: 4,
        reset,
        notice,
        errors: FieldErrors::none(),
    }
}

fn organization(name: &str, plan: &'static str, made_by: MadeBy) -> OrganizationRow {
    OrganizationRow {
        id: "org_01935a7c1d2e7f008a113c4d5e6f7a8b".into(),
        slug: "acme".into(),
        name: name.into(),
        plan,
        made_by,
        created: days(-200),
    }
}

fn organization_page(organization: OrganizationRow, blocked: usize) -> OrganizationPage {
    OrganizationPage {
        chrome: operator(),
        members: 12,
        projects: 1,
        blocked,
        plans: plans(organization.plan),
        graces: graces("7d"),
        is_saved: false,
        organization,
        errors: FieldErrors::none(),
    }
}

fn scopes(routes: Vec<RouteRow>) -> ScopesPage {
    let scope = |name: &str, risk, least_role, routes| ScopeRow {
        name: name.into(),
        description: "Deploy builds and roll back".into(),
        risk,
        least_role,
        routes,
    };
    ScopesPage {
        chrome: operator(),
        scopes: vec![
            scope("app:deploy", Risk::Write, None, 2),
            scope("secrets:read", Risk::High, Some(Role::Admin), 0),
            scope("status:read", Risk::Read, None, 1),
        ],
        routes,
    }
}

fn route(pattern: &str, needs: RouteNeeds, organization: Option<&str>) -> RouteRow {
    RouteRow {
        pattern: pattern.into(),
        needs,
        organization: organization.map(str::to_owned),
    }
}

fn health_samples() -> Vec<Sample> {
    let good = vec![
        Check::new("Database", "SQLite", "Working", Level::Ok),
        Check::new(
            "Audit log: sealing",
            "No record waits",
            "On time",
            Level::Ok,
        ),
        Check::new("Email", "smtp.example.com", "Working", Level::Ok),
    ];
    let bad = vec![
        Check::new("Database", "PostgreSQL", "Not ready", Level::Danger),
        Check::new(
            "Audit log: shipping",
            "120 records, the oldest for 4 minutes",
            "Late",
            Level::Warn,
        ),
        Check::new(
            "Email",
            "Pass on links yourself",
            "Not configured",
            Level::Off,
        ),
    ];
    vec![
        sample("admin-health", "good", &health(good, Some(0))),
        sample("admin-health", "bad", &health(bad, None)),
    ]
}

fn user_samples() -> Vec<Sample> {
    let ada = UserRow {
        is_operator: true,
        ..user("ada", "Ada Lovelace")
    };
    let unverified = UserRow {
        is_email_verified: false,
        ..user("charles", HOSTILE)
    };
    let gone = UserRow {
        is_active: false,
        ..user("mary", "Mary Somerville")
    };
    let bob = user("bob", "Bob Byron");
    let all = vec![
        ada.clone(),
        bob.clone(),
        unverified.clone(),
        gone.clone(),
        user(LONG, LONG),
    ];
    let ordinary = vec![
        ada.clone(),
        bob.clone(),
        user("grace", "Grace Hopper"),
        UserRow {
            is_email_verified: false,
            ..user("charles", "Charles Babbage")
        },
        gone.clone(),
    ];
    let you = UserPage {
        is_you: true,
        organizations: Vec::new(),
        ..user_page(ada.clone(), ResetWay::Nothing, None)
    };
    let refused = UserPage {
        must_change_password: true,
        errors: FieldErrors::whole("The user is deactivated."),
        ..user_page(unverified, ResetWay::ByHand, None)
    };
    let deactivate = |user, tokens| DeactivatePage {
        chrome: operator(),
        organizations: organizations(),
        user,
        tokens,
    };
    let reset = |url: Option<&str>| ResetLinkPage {
        chrome: operator(),
        user: bob.clone(),
        url: url.map(str::to_owned),
    };
    let one = |state, user: &UserRow, notice| {
        sample(
            "admin-user",
            state,
            &user_page(user.clone(), ResetWay::Mail, notice),
        )
    };
    vec![
        sample("admin-users", "ordinary", &users(ordinary, "")),
        sample("admin-users", "all", &users(all, "")),
        sample(
            "admin-users",
            "found",
            &users(vec![bob.clone()], "bob@example.com"),
        ),
        sample("admin-users", "not-found", &users(Vec::new(), HOSTILE)),
        one("active", &bob, None),
        one("deactivated", &gone, Some(UserNotice::Deactivated)),
        one("reactivated", &bob, Some(UserNotice::Reactivated)),
        one("verified", &bob, Some(UserNotice::Verified)),
        one("reset-sent", &bob, Some(UserNotice::ResetSent)),
        sample("admin-user", "you", &you),
        sample("admin-user", "errors", &refused),
        sample("admin-deactivate", "operator", &deactivate(ada, 1)),
        sample("admin-deactivate", "no-tokens", &deactivate(bob.clone(), 0)),
        sample(
            "admin-reset",
            "shown",
            &reset(Some("https://auth.example.com/reset?link=0123456789abcdef")),
        ),
        sample("admin-reset", "shown-before", &reset(None)),
    ]
}

fn organization_samples() -> Vec<Sample> {
    let by_user = || MadeBy::User {
        name: HOSTILE.into(),
        id: "usr_bob".into(),
    };
    let list = |organizations: Vec<OrganizationRow>| OrganizationsPage {
        chrome: operator(),
        next: (organizations.len() > 1).then(|| "/admin/organizations?after=0.org_x".into()),
        organizations,
    };
    let all = vec![
        organization("Acme", "team", MadeBy::Operator),
        organization(HOSTILE, "free", by_user()),
        organization(LONG, "team", by_user()),
    ];
    let acme = || organization("Acme", "team", MadeBy::Operator);
    let saved = OrganizationPage {
        is_saved: true,
        ..organization_page(organization("Acme", "free", by_user()), 0)
    };
    let errors = OrganizationPage {
        errors: FieldErrors::whole("Choose a plan and a grace period from the lists."),
        ..organization_page(acme(), 0)
    };
    vec![
        sample("admin-organizations", "all", &list(all)),
        sample("admin-organizations", "none", &list(Vec::new())),
        sample("admin-organization", "team", &organization_page(acme(), 16)),
        sample("admin-organization", "saved", &saved),
        sample("admin-organization", "errors", &errors),
    ]
}

/// The operator console without the clients.
pub fn samples() -> Vec<Sample> {
    let routes = vec![
        route("GET /healthz", RouteNeeds::Nothing, None),
        route("* /v1/status", RouteNeeds::Operator, None),
        route("GET /v1/me", RouteNeeds::Token, None),
        route("POST /v1/members", RouteNeeds::Role(Role::Admin), None),
        route(
            "POST /v1/projects/{project}/deploys",
            RouteNeeds::Scope("app:deploy".into()),
            None,
        ),
        route(
            "POST /v1/billing",
            RouteNeeds::Scope("app:deploy".into()),
            Some("acme"),
        ),
    ];
    let mut all = health_samples();
    all.extend(user_samples());
    all.extend(organization_samples());
    all.push(sample("admin-scopes", "routes", &scopes(routes)));
    all.push(sample("admin-scopes", "no-routes", &scopes(Vec::new())));
    all
}
