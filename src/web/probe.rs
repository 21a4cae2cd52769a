//! Whether the server lives and can serve, for whoever supervises it.

use super::headers;
use super::route::{read, resource};
use actix_web::{HttpResponse, web};
use app::App;
use utoipa::OpenApi;

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(healthz, readyz))]
pub struct Description;

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz", [read(healthz)]))
        .service(resource("/readyz", [read(readyz)]));
}

/// Whether the process runs and answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "deployment",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
async fn healthz() -> HttpResponse {
    answer(HttpResponse::Ok(), "ok\n")
}

/// Whether the database answers too, and takes writes.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "deployment",
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not.", body = String, content_type = "text/plain"),
    )
)]
async fn readyz(app: web::Data<App>) -> HttpResponse {
    match app.is_ready().await {
        Ok(()) => answer(HttpResponse::Ok(), "ready\n"),
        Err(error) => {
            tracing::warn!(?error, "not ready");
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
