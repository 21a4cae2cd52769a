//! `/v1/config`, for the operator only.

use super::call::Call;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use app::reload::{self, Reloaded};
use wire::api::{ConfigReloaded, Nothing};

routes! {
    POST "/v1/config/reload" => reload_config: None,
}

/// Reads the configuration of the server again.
///
/// Scopes, routes and branding apply to all requests that begin afterwards. Other settings need a
/// restart, and the response names those that differ. An invalid configuration changes nothing:
/// 422 `configuration_invalid`, with the file, the line and the key of each fault. Of several
/// servers, only the one that answers reads its configuration.
#[utoipa::path(
    post,
    path = "/v1/config/reload",
    tag = "operator",
    responses((status = 200, description = "What the reload changed.", body = ConfigReloaded))
)]
async fn reload_config(call: Call) -> Result<HttpResponse, Failure> {
    let Nothing {} = call.read()?;
    let written = |reloaded: &Reloaded| ConfigReloaded {
        changed: reloaded.changed.iter().cloned().collect(),
        needs_restart: reloaded.needs_restart.iter().cloned().collect(),
    };
    call.once(StatusCode::OK, written, async |req| {
        reload::reload(req).await
    })
    .await
}
