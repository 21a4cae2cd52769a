//! `[[routes]]`: the access rules of the routes of the protected API.

use super::duration::{self, DAY, MINUTE};
use super::organizations::organization;
use super::scopes::{known, role};
use super::table::Table;
use domain::route::{Access, Pattern, Route, RouteTable};
use domain::scope::{Catalogue, ScopeName};
use std::time::Duration;

/// One entry, as written in a variable.
const EXAMPLE: &str = r#"[{ match = "GET /v1/projects/{project}", scope = "projects:read" }]"#;

/// The keys of access rules.
const RULE_KEYS: [&str; 5] = ["scope", "role", "authenticated", "operator", "public"];

/// Reads the route table.
pub(super) fn read(root: &mut Table, scopes: &Catalogue) -> RouteTable {
    let mut routes = Vec::new();
    // Includes routes with a faulty access rule, so that no fault hides another.
    let mut patterns: Vec<Pattern> = Vec::new();
    root.tables("routes", EXAMPLE, |table| {
        let pattern = table.required("match", |text| {
            Pattern::parse(text).map_err(|fault| fault.message)
        });
        let access = access(table, scopes);
        let organization = table.optional("organization", organization, String::clone);
        let idempotency_key = table.optional_flag("idempotency_key");
        let max_age = table.optional("max_age", max_age, |age| duration::write(*age));
        let Some(pattern) = pattern else {
            return;
        };
        if let (Some(_), Some(why)) = (&organization, no_organization(&pattern, access.as_ref())) {
            table.fault("organization", why.to_owned());
        }
        if max_age.is_some() && matches!(access, Some(Access::Public | Access::Operator)) {
            let message = "is for routes with scope, role or authenticated; leave it out";
            table.fault("max_age", message.to_owned());
        }
        if let Some(covering) = patterns.iter().find(|earlier| earlier.covers(&pattern)) {
            table.fault(
                "match",
                format!(
                    "\"{pattern}\" never decides, for \"{covering}\" stands before it and \
                     matches all that it does; put it first or leave it out"
                ),
            );
        }
        patterns.push(pattern.clone());
        routes.extend(access.map(|access| Route {
            pattern,
            access,
            organization,
            idempotency_key,
            max_age,
        }));
    });
    RouteTable::new(routes)
}

/// How long ago the owner of a token may have signed in for it. Shorter than a minute, the time to
/// repeat the request would be over too soon.
fn max_age(text: &str) -> Result<Duration, String> {
    duration::parse_within(text, &(MINUTE..=DAY * 365))
}

/// Error for a route that must not name an organization.
fn no_organization(pattern: &Pattern, access: Option<&Access>) -> Option<&'static str> {
    match access {
        _ if pattern.names_resource() => {
            Some("stands beside a path that names a project or organization; write only one")
        }
        Some(Access::Public | Access::Operator) => {
            Some("is for routes with scope, role or authenticated; leave it out")
        }
        _ => None,
    }
}

/// Reads the access rule of a route: exactly one of the keys, so that no route is open by
/// omission.
fn access(table: &mut Table, scopes: &Catalogue) -> Option<Access> {
    let written: Vec<_> = RULE_KEYS.into_iter().filter(|key| table.has(key)).collect();
    let scope = table.optional("scope", |text| known(text, scopes), ScopeName::to_string);
    let role = table.optional("role", role, |role| role.as_str().to_owned());
    let [authenticated, operator, public] =
        ["authenticated", "operator", "public"].map(|key| is_set(table, key));
    match written[..] {
        [] => {
            let keys = RULE_KEYS.join(", ");
            table.fault(
                "match",
                format!("has no access rule; write one of {keys} beside it"),
            );
            None
        }
        [_] if authenticated => Some(Access::Token(None)),
        [_] if operator => Some(Access::Operator),
        [_] if public => Some(Access::Public),
        ["role"] => role.map(Access::Role),
        [_] => scope.map(|name| Access::Token(Some(name))),
        [first, second, ..] => {
            table.fault(second, format!("stands beside {first}; write only one"));
            None
        }
    }
}

fn is_set(table: &mut Table, key: &'static str) -> bool {
    table.announce(key);
    if !table.has(key) {
        return false;
    }
    // An invalid value is already a fault.
    let is_set = table.flag(key, true);
    if !is_set {
        table.fault(key, "is false; write true or leave it out".to_owned());
    }
    is_set
}
