//! Liveness and readiness probes for supervisors.

use super::headers;
use super::route::{read, resource};
use actix_web::{HttpResponse, web};
use app::App;
use utoipa::OpenApi;

/// OpenAPI description of this module's routes.
#[derive(OpenApi)]
#[openapi(paths(healthz, readyz))]
pub struct Description;

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz", [read(healthz)]))
        .service(resource("/readyz", [read(readyz)]));
}

/// Checks that the process runs.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "deployment",
    responses((status = 200, description = "The process runs.", body = String, content_type = "text/plain"))
)]
async fn healthz() -> HttpResponse {
    answer(HttpResponse::Ok(), "ok\n")
}

/// Checks that the database responds and accepts writes, and that its audit log is sound.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "deployment",
    responses(
        (status = 200, description = "The server is ready.", body = String, content_type = "text/plain"),
        (status = 503, description = "The database does not respond or does not accept writes, or its audit log contradicts a checkpoint.", body = String, content_type = "text/plain"),
    )
)]
async fn readyz(app: web::Data<App>) -> HttpResponse {
    match app.is_ready().await {
        Ok(()) => answer(HttpResponse::Ok(), "ready\n"),
        // The cause is logged once.
        Err(app::Error::Contradicted) => answer(
            HttpResponse::ServiceUnavailable(),
            "not ready: audit: the log contradicts its checkpoints, see the server's log\n",
        ),
        Err(error) => {
            tracing::warn!(
                ?error,
                "readiness check failed: the database is unavailable"
            );
            answer(
                HttpResponse::ServiceUnavailable(),
                "not ready: the database does not answer\n",
            )
        }
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, text: &'static str) -> HttpResponse {
    let mut response = response
        .content_type("text/plain; charset=utf-8")
        .body(text);
    headers::no_store(response.headers_mut());
    response
}
