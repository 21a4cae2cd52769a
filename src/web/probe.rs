//! Whether the server lives and can serve, for whoever supervises it.

use super::headers;
use super::route::{read, resource};
use crate::app::App;
use actix_web::{HttpResponse, web};

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz", [read(healthz)]))
        .service(resource("/readyz", [read(readyz)]));
}

/// The process runs and answers.
async fn healthz() -> HttpResponse {
    answer(HttpResponse::Ok(), "ok\n")
}

/// The database answers too.
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
