//! `/v1/scopes`.

use super::call::Call;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use wire::api::{Scope, Scopes};

routes! {
    list_scopes: None,
}

/// Lists the scopes that tokens can have.
#[utoipa::path(
    get,
    path = "/v1/scopes",
    tag = "scopes",
    responses((status = 200, description = "The catalogue on one page.", body = Scopes))
)]
async fn list_scopes(call: Call) -> Result<HttpResponse, Failure> {
    let catalogue = call.app.config().scopes.iter();
    Ok(HttpResponse::Ok().json(Scopes {
        items: catalogue
            .map(|scope| Scope {
                name: scope.name.to_string(),
                description: scope.description.clone(),
                min_role: scope.min_role.map(|role| role.as_str().to_owned()),
            })
            .collect(),
        next_cursor: None,
    }))
}
