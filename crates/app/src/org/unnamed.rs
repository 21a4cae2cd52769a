//! What is missing for requests that name no organization.

use crate::Error;
use crate::access::{find_organization, is_configured};
use config::Config;
use domain::route::{Access, Route};
use store::Conn;

/// Warnings for the operator: that `[organizations] home` names no organization, and the routes
/// that need a role but, with several organizations and no home, cannot tell in which one. With a
/// home, the role in it counts.
pub fn unnamed_roles(config: &Config, conn: &mut Conn) -> Result<Vec<String>, Error> {
    if let Some(home) = &config.organizations.home {
        let found = find_organization(conn, home)?;
        return Ok(match found.filter(|found| is_configured(found, home)) {
            Some(_) => Vec::new(),
            None => vec![format!(
                "organizations.home: the organization {home:?} does not exist. Tokens are refused \
                 for requests that name no organization. Create it, or change home."
            )],
        });
    }
    let routes: Vec<_> = config
        .routes
        .iter()
        .filter_map(|route| Some((&route.pattern, needs_role_somewhere(config, route)?)))
        .map(|(pattern, need)| format!("\"{pattern}\" ({need})"))
        .collect();
    if routes.is_empty() || !store::org::has_several_made_by_operator(conn)? {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "routes: these routes need a role, but name no organization: \
         {}. You have created several organizations, so only tokens that are limited to one or \
         belong to one can use these routes. Set organizations.home, or add an organization to \
         each route.",
        routes.join(", ")
    )])
}

/// The scope with a least role, or the role, that a route needs, if the route names no resource.
fn needs_role_somewhere(config: &Config, route: &Route) -> Option<String> {
    if route.organization.is_some() || route.pattern.names_resource() {
        return None;
    }
    match &route.access {
        Access::Role(role) => Some(role.as_str().to_owned()),
        Access::Token(Some(name)) => {
            let scope = config.scopes.find(name)?;
            scope.min_role.map(|_| scope.name.to_string())
        }
        Access::Token(None) | Access::Public | Access::Operator => None,
    }
}
