//! Scopes and routes in force, in the operator console.

use super::AdminRequest;
use crate::web::pages::page_request::Answer;
use crate::web::pages::page_route::read;
use crate::web::pages::view::admin::{RouteNeeds, RouteRow, ScopeRow, ScopesPage};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use domain::route::{Access, Route};
use domain::scope::Scope;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/admin/scopes", read(show_scopes)));
}

/// `GET /admin/scopes`.
async fn show_scopes(req: AdminRequest) -> Answer {
    let config = req.app.config();
    let needs = |route: &Route, scope: &Scope| match &route.access {
        Access::Token(Some(name)) => *name == scope.name,
        Access::Token(None) | Access::Public | Access::Operator | Access::Role(_) => false,
    };
    let scopes = config.scopes.iter().map(|scope| ScopeRow {
        name: scope.name.to_string(),
        description: scope.description.clone(),
        risk: scope.risk,
        least_role: scope.min_role,
        routes: config.routes.iter().filter(|one| needs(one, scope)).count(),
    });
    let routes = config.routes.iter().map(|route| RouteRow {
        pattern: route.pattern.to_string(),
        needs: match &route.access {
            Access::Public => RouteNeeds::Nothing,
            Access::Operator => RouteNeeds::Operator,
            Access::Token(None) => RouteNeeds::Token,
            Access::Token(Some(name)) => RouteNeeds::Scope(name.to_string()),
            Access::Role(least) => RouteNeeds::Role(*least),
        },
        organization: route.organization.clone(),
    });
    let page = ScopesPage {
        chrome: req.chrome(),
        scopes: scopes.collect(),
        routes: routes.collect(),
    };
    req.page(StatusCode::OK, &page)
}
