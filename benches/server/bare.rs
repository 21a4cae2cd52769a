//! B: bare routes of the same framework with the same number of workers. They decode the same form
//! and send the same JSON, without middleware, database or log.

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use doorcode::wire::form::Form;
use std::net::SocketAddr;

/// Serves until it is killed. Each file of the directory is the body of the route with its name.
pub async fn serve(address: SocketAddr, directory: &std::path::Path) {
    let body = |name: &str| -> serde_json::Value {
        let text = std::fs::read(directory.join(name)).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let bodies = ["poll", "introspection", "device", "me"].map(|name| (name, body(name)));
    HttpServer::new(move || {
        let app = App::new()
            .route(
                "/healthz",
                web::get().to(async || HttpResponse::Ok().body("ok\n")),
            )
            .route("/verify", web::get().to(verify));
        bodies.iter().cloned().fold(app, |app, (name, body)| {
            let status = match name {
                "poll" => StatusCode::BAD_REQUEST,
                _ => StatusCode::OK,
            };
            let handler = move |form: web::Bytes| {
                let answer = answer(&form, status, &body);
                async move { answer }
            };
            app.route(&format!("/{name}"), web::route().to(handler))
        })
    })
    .workers(1)
    .bind(address)
    .unwrap()
    .run()
    .await
    .unwrap();
}

fn answer(form: &[u8], status: StatusCode, body: &serde_json::Value) -> HttpResponse {
    match Form::parse(form) {
        Ok(form) if form.names().count() < 9 => HttpResponse::build(status).json(body),
        _ => HttpResponse::InternalServerError().finish(),
    }
}

/// The headers of an allowed request.
async fn verify(request: actix_web::HttpRequest) -> HttpResponse {
    let Ok(query) = Form::parse(request.query_string().as_bytes()) else {
        return HttpResponse::InternalServerError().finish();
    };
    let id = "00000000000000000000000000000000";
    let mut response = HttpResponse::NoContent();
    for (name, value) in [
        ("x-auth-user-id", id),
        ("x-auth-token-id", id),
        ("x-auth-token-kind", "personal"),
        ("x-auth-scopes", query.value("scope").unwrap_or_default()),
        ("x-auth-organization-id", id),
    ] {
        response.insert_header((name, value));
    }
    response.finish()
}
