//! The scope matrix, with and without routes.

use super::super::admin::{RouteNeeds, RouteRow};
use super::super::scopes::{HeldScope, ScopeMatrixPage};
use super::{HOSTILE, LONG, Sample, ada, sample};
use domain::role::Role;
use domain::scope::Risk;

fn scope(name: &str, risk: Risk, least_role: Option<Role>, organizations: &[&str]) -> HeldScope {
    HeldScope {
        name: name.into(),
        description: "Deploy builds and roll back".into(),
        group: "Apps".into(),
        risk,
        least_role,
        organizations: organizations.iter().map(|name| (*name).into()).collect(),
        routes: Vec::new(),
    }
}

fn matrix(routes: Vec<RouteRow>) -> ScopeMatrixPage {
    ScopeMatrixPage {
        chrome: ada(),
        scopes: vec![
            HeldScope {
                routes: routes.iter().map(|route| route.pattern.clone()).collect(),
                ..scope("app:deploy", Risk::Write, Some(Role::Admin), &["Acme"])
            },
            scope("secrets:read", Risk::High, Some(Role::Owner), &[]),
            HeldScope {
                description: format!("{HOSTILE} {LONG}"),
                ..scope("status:read", Risk::Read, None, &[])
            },
            scope(LONG, Risk::Read, Some(Role::Member), &[HOSTILE, LONG]),
        ],
        routes,
    }
}

fn ordinary(routes: Vec<RouteRow>) -> ScopeMatrixPage {
    ScopeMatrixPage {
        chrome: ada(),
        scopes: vec![
            HeldScope {
                routes: routes.iter().map(|route| route.pattern.clone()).collect(),
                ..scope("app:deploy", Risk::Write, Some(Role::Admin), &["Acme"])
            },
            HeldScope {
                description: "Read apps, builds and their settings".into(),
                ..scope("app:read", Risk::Read, None, &[])
            },
            HeldScope {
                description: "Read the values of secrets".into(),
                group: "Secrets".into(),
                ..scope("secret:read", Risk::High, Some(Role::Owner), &[])
            },
            HeldScope {
                description: "Read servers and their settings".into(),
                group: "Servers".into(),
                ..scope(
                    "server:read",
                    Risk::Read,
                    Some(Role::Member),
                    &["Acme", "Globex"],
                )
            },
        ],
        routes,
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let routes = ["POST /v1/deploys", "GET /v1/deploys/{id}"].map(|pattern| RouteRow {
        pattern: pattern.into(),
        needs: RouteNeeds::Scope("app:deploy".into()),
        organization: None,
    });
    vec![
        sample("scopes", "ordinary", &ordinary(routes.to_vec())),
        sample("scopes", "routes", &matrix(routes.to_vec())),
        sample("scopes", "no-routes", &matrix(Vec::new())),
    ]
}
