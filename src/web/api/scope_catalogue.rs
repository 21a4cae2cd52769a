//! `/v1/scopes`.

use super::call::Call;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use wire::api::{Preset, Scope, Scopes};

routes! {
    list_scopes: None,
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
