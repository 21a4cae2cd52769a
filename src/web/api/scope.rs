//! `/v1/scopes`.

use super::authenticated;
use crate::app::App;
use crate::web::failure::Failure;
use crate::wire::api::{Scope, Scopes};
use actix_web::{HttpRequest, HttpResponse, web};

/// `GET /v1/scopes`: the catalogue, for any token.
pub async fn list_scopes(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    authenticated(&app, &request).await?;
    let catalogue = app.config().scopes.iter();
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
