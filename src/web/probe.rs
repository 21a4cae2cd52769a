//! Liveness and readiness probes for supervisors.

use super::headers;
use super::route::{read, resource};
use actix_web::{HttpResponse, web};
use app::{App, NotReady, Outage};
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

/// Checks that the server is not stopping and has the time of its database, that the database responds and accepts writes, and that its
/// audit log is sound.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "deployment",
    responses(
        (status = 200, description = "The server is ready.", body = String, content_type = "text/plain"),
        (status = 503, description = "The server is stopping, its clock differs from that of the database by more than 30 seconds, the database does not respond or does not accept writes, or its audit log contradicts a checkpoint; the body names the reason: `stopping`, `clock`, `database`, `read-only`, `full` or `audit`.", body = String, content_type = "text/plain"),
    )
)]
async fn readyz(app: web::Data<App>) -> HttpResponse {
    let text = match app.is_ready().await {
        Ok(()) => return answer(HttpResponse::Ok(), "ready\n"),
        Err(NotReady::Stopping) => "not ready: stopping: send requests to another server\n",
        Err(NotReady::Clock) => "not ready: clock: it differs from that of the database\n",
        // The cause is logged once.
        Err(NotReady::Contradicted) => {
            "not ready: audit: the log contradicts its checkpoints, see the server's log\n"
        }
        Err(NotReady::Outage(outage)) => {
            tracing::warn!(reason = outage.as_str(), "readiness check failed");
            match outage {
                Outage::Database => "not ready: database: it does not answer, or rejects writes\n",
                Outage::ReadOnly => "not ready: read-only: the database accepts no writes\n",
                Outage::Full => "not ready: full: the disk of the database is full\n",
            }
        }
    };
    answer(HttpResponse::ServiceUnavailable(), text)
}

fn answer(mut response: actix_web::HttpResponseBuilder, text: &'static str) -> HttpResponse {
    let mut response = response
        .content_type("text/plain; charset=utf-8")
        .body(text);
    headers::no_store(response.headers_mut());
    response
}
