//! Scopes and routes in force, in the operator console.

use super::AdminRequest;
use crate::web::pages::page_request::Answer;
use crate::web::pages::page_route::read;
use crate::web::pages::scopes::route_rows;
use crate::web::pages::view::admin::{RouteNeeds, ScopeRow, ScopesPage};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/admin/scopes", read(show_scopes)));
}

/// `GET /admin/scopes`.
async fn show_scopes(req: AdminRequest) -> Answer {
    let config = req.app.config();
    let routes = route_rows(config);
    let scopes = config.scopes.iter().map(|scope| ScopeRow {
        name: scope.name.to_string(),
        description: scope.description.clone(),
        risk: scope.risk,
        least_role: scope.min_role,
        routes: {
            let needed = RouteNeeds::Scope(scope.name.to_string());
            routes.iter().filter(|route| route.needs == needed).count()
        },
    });
    let page = ScopesPage {
        chrome: req.chrome(),
        scopes: scopes.collect(),
        routes,
    };
    req.page(StatusCode::OK, &page)
}
