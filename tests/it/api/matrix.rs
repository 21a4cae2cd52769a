//! Access matrix (AUZ-01, OPR-02, API-06): every route with every kind of caller, on objects of
//! the caller's organization, of another one, and on absent objects.
//!
//! The table lists the allowed callers. All others must be rejected, with the same response for
//! existing and absent objects, and without any change.

use super::description::described;
use super::grounds::{Caller, Kind};
use crate::support::TestApp;
use Caller::{Admin, Elsewhere, Member, Narrow, Operator, OperatorFor, Organization, Owner};
use Kind::{Absent, Away, Home};
use reqwest::Method;
use std::collections::BTreeSet;

/// A route and the callers that may use it.
pub struct Entry {
    /// Method and path.
    pub route: &'static str,
    /// Required scope; empty if any token suffices.
    pub scope: &'static str,
    /// Request body; `{n}` is a new number for each request.
    pub body: &'static str,
    /// Status code for an allowed caller.
    pub status: u16,
    allowed: &'static [Caller],
}

/// Every caller with the scope.
const EVERYBODY: &[Caller] = &[
    Member,
    Admin,
    Owner,
    Organization,
    Elsewhere,
    Narrow,
    Operator,
    OperatorFor,
];
/// The same except for a token limited to a project.
const UNNARROWED: &[Caller] = &[
    Member,
    Admin,
    Owner,
    Organization,
    Elsewhere,
    Operator,
    OperatorFor,
];
/// Users, with unlimited tokens.
const PERSONS: &[Caller] = &[Member, Admin, Owner, Operator, OperatorFor];
/// Members of the organization.
const MEMBERS: &[Caller] = &[Member, Admin, Owner, Organization, Operator, OperatorFor];
/// The same, and the token limited to the project.
const REACHING: &[Caller] = &[
    Member,
    Admin,
    Owner,
    Organization,
    Narrow,
    Operator,
    OperatorFor,
];
const ADMINS: &[Caller] = &[Admin, Owner, Organization, Operator, OperatorFor];
/// The same, and the owner's token limited to the project.
const PROJECT_ADMINS: &[Caller] = &[Admin, Owner, Organization, Narrow, Operator, OperatorFor];
/// Admins of any organization (creators become one further down), with any limit.
const ADMINS_ANYWHERE: &[Caller] = &[
    Admin,
    Owner,
    Organization,
    Elsewhere,
    Narrow,
    Operator,
    OperatorFor,
];
const OWNERS: &[Caller] = &[Owner, Operator, OperatorFor];
const OPERATORS: &[Caller] = &[Operator, OperatorFor];

const fn entry(
    route: &'static str,
    scope: &'static str,
    body: &'static str,
    status: u16,
    allowed: &'static [Caller],
) -> Entry {
    Entry {
        route,
        scope,
        body,
        status,
        allowed,
    }
}

/// A time before the creation of every token, so that none is revoked.
const BEFORE: &str = r#"{"issued_before": "2020-01-01T00:00:00Z"}"#;
const USE: &str = "GET /v1/audit/uses/{id}";
const NAME: &str = r#"{"name": "Name {n}"}"#;
const ROLE: &str = r#"{"role": "member"}"#;

#[rustfmt::skip]
pub const TABLE: [Entry; 66] = [
    entry("GET /v1/me", "", "", 200, EVERYBODY),
    entry("GET /v1/me/descendants", "", "", 200, EVERYBODY),
    entry("GET /v1/scopes", "", "", 200, EVERYBODY),
    entry("GET /v1/routes", "", "", 200, EVERYBODY),
    entry("GET /v1/tokens", "tokens:read", "", 200, EVERYBODY),
    entry("POST /v1/tokens", "tokens:write", NAME, 201, EVERYBODY),
    entry("POST /v1/tokens/revoke-all", "tokens:write", BEFORE, 200, EVERYBODY),
    entry("GET /v1/tokens/{id}", "tokens:read", "", 200, EVERYBODY),
    entry("GET /v1/tokens/{id}/descendants", "tokens:read", "", 200, EVERYBODY),
    entry("PATCH /v1/tokens/{id}", "tokens:write", NAME, 200, EVERYBODY),
    entry("DELETE /v1/tokens/{id}", "tokens:write", "", 204, EVERYBODY),
    entry("POST /v1/tokens/{id}/rotate", "tokens:write", "{}", 201, EVERYBODY),
    entry("GET /v1/audit", "audit:read", "", 200, UNNARROWED),
    entry("GET /v1/audit/export", "audit:read", "", 200, UNNARROWED),
    entry("GET /v1/audit/verify", "audit:read", "", 200, ADMINS_ANYWHERE),
    entry("GET /v1/audit/uses", "audit:read", "", 200, UNNARROWED),
    entry(USE, "audit:read", "", 200, UNNARROWED),
    entry("GET /v1/orgs", "orgs:read", "", 200, EVERYBODY),
    entry("POST /v1/orgs", "orgs:write", NAME, 201, PERSONS),
    entry("GET /v1/orgs/{org}", "orgs:read", "", 200, MEMBERS),
    entry("PATCH /v1/orgs/{org}", "orgs:write", NAME, 200, ADMINS),
    entry("DELETE /v1/orgs/{org}", "orgs:write", "", 204, OWNERS),
    entry("GET /v1/orgs/{org}/policy/effects", "orgs:write", "", 200, OWNERS),
    entry("GET /v1/orgs/{org}/tokens", "tokens:read", "", 200, ADMINS),
    entry("POST /v1/orgs/{org}/tokens", "tokens:write", NAME, 201, ADMINS),
    entry("POST /v1/orgs/{org}/tokens/revoke-all", "tokens:write", BEFORE, 200, ADMINS),
    entry("GET /v1/orgs/{org}/tokens/{id}", "tokens:read", "", 200, ADMINS),
    entry("GET /v1/orgs/{org}/tokens/{id}/descendants", "tokens:read", "", 200, ADMINS),
    entry("PATCH /v1/orgs/{org}/tokens/{id}", "tokens:write", NAME, 200, ADMINS),
    entry("DELETE /v1/orgs/{org}/tokens/{id}", "tokens:write", "", 204, ADMINS),
    entry("POST /v1/orgs/{org}/tokens/{id}/rotate", "tokens:write", "{}", 201, ADMINS),
    entry("GET /v1/orgs/{org}/members", "orgs:read", "", 200, MEMBERS),
    entry("PUT /v1/orgs/{org}/members/{user}", "orgs:write", ROLE, 200, ADMINS),
    entry("DELETE /v1/orgs/{org}/members/{user}", "orgs:write", "", 204, ADMINS),
    entry("POST /v1/orgs/{org}/members/{user}/password-reset", "orgs:write", "{}", 202, ADMINS),
    entry("GET /v1/orgs/{org}/invitations", "orgs:read", "", 200, ADMINS),
    entry("POST /v1/orgs/{org}/invitations", "orgs:write", ROLE, 201, ADMINS),
    entry("POST /v1/orgs/{org}/invitations/{id}/send", "orgs:write", "{}", 202, ADMINS),
    entry("DELETE /v1/orgs/{org}/invitations/{id}", "orgs:write", "", 204, ADMINS),
    entry("GET /v1/projects", "projects:read", "", 200, EVERYBODY),
    entry("GET /v1/orgs/{org}/projects", "projects:read", "", 200, REACHING),
    entry("POST /v1/orgs/{org}/projects", "projects:write", NAME, 201, ADMINS),
    entry("GET /v1/projects/{project}", "projects:read", "", 200, REACHING),
    entry("PATCH /v1/projects/{project}", "projects:write", NAME, 200, PROJECT_ADMINS),
    entry("DELETE /v1/projects/{project}", "projects:write", "", 204, PROJECT_ADMINS),
    entry("GET /v1/projects/{project}/members", "projects:read", "", 200, REACHING),
    entry("PUT /v1/projects/{project}/members/{user}", "projects:write", "{}", 204, PROJECT_ADMINS),
    entry("DELETE /v1/projects/{project}/members/{user}", "projects:write", "", 204, PROJECT_ADMINS),
    entry("GET /v1/status", "", "", 200, OPERATORS),
    entry("GET /v1/users", "", "", 200, OPERATORS),
    entry("POST /v1/users", "", r#"{"name": "New", "email": "new{n}@example.com", "password": "violet kettle marches north"}"#, 201, OPERATORS),
    entry("GET /v1/users/{user}", "", "", 200, OPERATORS),
    entry("PATCH /v1/users/{user}", "", NAME, 200, OPERATORS),
    entry("POST /v1/users/{user}/reactivate", "", "{}", 200, OPERATORS),
    entry("POST /v1/users/{user}/password-reset", "", "{}", 201, OPERATORS),
    entry("POST /v1/users/{user}/reset-factors", "", "{}", 200, OPERATORS),
    entry("POST /v1/users/{user}/deactivate", "", "{}", 200, OPERATORS),
    entry("POST /v1/users/{user}/revoke-all", "", BEFORE, 200, OPERATORS),
    entry("GET /v1/clients", "", "", 200, OPERATORS),
    entry("POST /v1/clients", "", r#"{"id": "client{n}", "name": "New"}"#, 201, OPERATORS),
    entry("GET /v1/clients/{client}", "", "", 200, OPERATORS),
    entry("PATCH /v1/clients/{client}", "", r#"{"state": "active"}"#, 200, OPERATORS),
    entry("DELETE /v1/clients/{client}", "", "", 200, OPERATORS),
    entry("POST /v1/clients/{client}/rotate-secret", "", "{}", 200, OPERATORS),
    entry("POST /v1/clients/{client}/revoke-all", "", BEFORE, 200, OPERATORS),
    entry("POST /v1/config/reload", "", "{}", 200, OPERATORS),
];

/// Routes about the caller's own resources, for which the operator needs an actor.
const OF_ONESELF: [&str; 8] = [
    "GET /v1/tokens",
    "POST /v1/tokens",
    "GET /v1/tokens/{id}",
    "GET /v1/tokens/{id}/descendants",
    "PATCH /v1/tokens/{id}",
    "DELETE /v1/tokens/{id}",
    "POST /v1/tokens/{id}/rotate",
    "POST /v1/orgs",
];

impl Entry {
    pub fn method(&self) -> Method {
        self.route.split(' ').next().unwrap().parse().unwrap()
    }

    pub fn path(&self) -> &'static str {
        self.route.split(' ').nth(1).unwrap()
    }

    /// Path parameters.
    pub fn parameters(&self) -> Vec<&'static str> {
        let parts = self.path().split('/');
        parts.filter(|part| part.starts_with('{')).collect()
    }

    pub fn is_for_operators(&self) -> bool {
        self.allowed == OPERATORS
    }

    /// Whether it is about a resource in an organization.
    pub fn is_in_place(&self) -> bool {
        let first = self.parameters().first().copied();
        first.is_some_and(|first| ["{org}", "{project}"].contains(&first))
    }

    /// Whether a successful request removes its object, or can be repeated for it only a few times.
    pub fn spends(&self, kinds: &[Kind]) -> bool {
        self.method() == Method::DELETE
            || self.route.ends_with("/rotate")
            || self.route.ends_with("/deactivate")
            || self.route.ends_with("/send")
            || (self.method() == Method::PUT && kinds[0] != kinds[1])
    }

    /// Status code for a caller; `None` for a rejection.
    pub fn expected(&self, caller: Caller, kinds: &[Kind]) -> Option<u16> {
        let is_allowed = match caller.lacks_scope() {
            true => self.scope.is_empty() && !self.is_for_operators(),
            false => self.allowed.contains(&caller.role()),
        };
        if !is_allowed {
            return None;
        }
        if caller == Operator && OF_ONESELF.contains(&self.route) {
            return Some(400);
        }
        if !self.is_in_place() {
            let is_there = match kinds {
                [Away] => self.is_for_operators() || (self.route == USE && caller == Operator),
                [kind] => *kind == Home,
                _ => true,
            };
            return Some(if is_there { self.status } else { 404 });
        }
        match (kinds[0], caller.is_operator()) {
            (Home, _) if caller.is_away() => return None,
            (Away, false) if !caller.is_away() => return None,
            (Home | Away, _) => {}
            (_, true) => return Some(404),
            (_, false) => return None,
        }
        match (self.route, kinds) {
            (_, [_]) => Some(self.status),
            (_, [place, object]) if place == object => Some(self.status),
            // The operator can add any user; other callers must not learn whether a user exists.
            ("PUT /v1/orgs/{org}/members/{user}", [_, Home | Away]) if caller.is_operator() => {
                Some(200)
            }
            // Removing a user who is not in the project succeeds.
            ("DELETE /v1/projects/{project}/members/{user}", [_, Home | Away | Absent]) => {
                Some(204)
            }
            _ => Some(404),
        }
    }
}

/// Every method and path below `/v1` in the API description.
async fn described_routes(test: &TestApp) -> BTreeSet<String> {
    let document = described(test).await;
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if path.starts_with("/v1/") {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    described
}

/// A new route without an entry fails the suite.
#[actix_web::test]
async fn every_route_is_in_the_table() {
    let test = TestApp::start().await;
    let known: BTreeSet<String> = TABLE.iter().map(|entry| entry.route.to_owned()).collect();
    assert_eq!(known, described_routes(&test).await);
}
