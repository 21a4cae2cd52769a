//! The scope matrix for users: the scopes in force, and the requirements of each.

use super::page_request::{Answer, PageRequest};
use super::page_route::read;
use super::view::admin::{RouteNeeds, RouteRow};
use super::view::scopes::{HeldScope, ScopeMatrixPage};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use config::Config;
use domain::route::{Access, Route};

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/scopes", read(show_scopes)));
}

/// `GET /scopes`.
async fn show_scopes(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    let chrome = req.chrome();
    let config = req.app.config();
    let routes = route_rows(config);
    let scopes = config.scopes.iter().map(|scope| HeldScope {
        name: scope.name.to_string(),
        description: scope.description.clone(),
        group: scope.group.clone(),
        risk: scope.risk,
        least_role: scope.min_role,
        organizations: match scope.min_role {
            None => Vec::new(),
            Some(least) => {
                let held = chrome.organizations.iter();
                let held = held.filter(|org| org.role >= least);
                held.map(|org| org.name.clone()).collect()
            }
        },
        routes: routes
            .iter()
            .filter(|route| route.needs == RouteNeeds::Scope(scope.name.to_string()))
            .map(|route| route.pattern.clone())
            .collect(),
    });
    let page = ScopeMatrixPage {
        scopes: scopes.collect(),
        routes,
        chrome,
    };
    req.page(StatusCode::OK, &page)
}

/// The route table, in the order in which the routes are tried.
pub fn route_rows(config: &Config) -> Vec<RouteRow> {
    let row = |route: &Route| RouteRow {
        pattern: route.pattern.to_string(),
        needs: match &route.access {
            Access::Public => RouteNeeds::Nothing,
            Access::Operator => RouteNeeds::Operator,
            Access::Token(None) => RouteNeeds::Token,
            Access::Token(Some(name)) => RouteNeeds::Scope(name.to_string()),
            Access::Role(least) => RouteNeeds::Role(*least),
        },
        organization: route.organization.clone(),
    };
    config.routes.iter().map(row).collect()
}
