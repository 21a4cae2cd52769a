//! `/v1/scopes` and `/v1/routes`: what tokens can have, and what the protected API asks for.

use super::call::Call;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use domain::route::{Access, Route as TableRoute};
use wire::api::{Preset, Route, Routes, Scope, Scopes};

routes! {
    GET "/v1/scopes" => list_scopes: None,
    GET "/v1/routes" => list_routes: None,
}

/// Lists the scopes that tokens can have.
#[utoipa::path(
    get,
    path = "/v1/scopes",
    tag = "scopes",
    responses((status = 200, description = "The catalogue on one page, in the order of the configuration.", body = Scopes))
)]
async fn list_scopes(call: Call) -> Result<HttpResponse, Failure> {
    let config = call.app.config();
    Ok(HttpResponse::Ok().json(Scopes {
        items: config
            .scopes
            .iter()
            .map(|scope| Scope {
                name: scope.name.to_string(),
                description: scope.description.clone(),
                min_role: scope.min_role.map(|role| role.as_str().to_owned()),
                risk: scope.risk.as_str().to_owned(),
                group: scope.group.clone(),
                is_default: scope.is_default,
            })
            .collect(),
        presets: config
            .presets
            .iter()
            .map(|preset| Preset {
                name: preset.name.clone(),
                scopes: preset.scopes.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        next_cursor: None,
    }))
}

/// Lists the routes of the protected API with the access that each needs, in the order in which
/// they are tried. A request without a matching route is denied.
#[utoipa::path(
    get,
    path = "/v1/routes",
    tag = "scopes",
    responses((status = 200, description = "The route table on one page.", body = Routes))
)]
async fn list_routes(call: Call) -> Result<HttpResponse, Failure> {
    let table = call.app.config().routes.iter();
    Ok(HttpResponse::Ok().json(Routes {
        items: table.map(route).collect(),
        next_cursor: None,
    }))
}

fn route(route: &TableRoute) -> Route {
    let (access, scope, role) = match &route.access {
        Access::Public => ("public", None, None),
        Access::Operator => ("operator", None, None),
        Access::Role(role) => ("role", None, Some(role.as_str().to_owned())),
        Access::Token(None) => ("authenticated", None, None),
        Access::Token(Some(scope)) => ("scope", Some(scope.to_string()), None),
    };
    Route {
        pattern: route.pattern.to_string(),
        access: access.to_owned(),
        scope,
        role,
        organization: route.organization.clone(),
        idempotency_key: route.idempotency_key,
        max_age: route.max_age.map(|age| age.as_secs()),
    }
}
