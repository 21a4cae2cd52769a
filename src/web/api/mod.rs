//! The management API, and problem details (RFC 9457) as its one way to answer errors.

mod me;
mod scope;

use super::failure::Failure;
use super::route::{nothing, read, resource};
use super::{extract, oauth, surface};
use crate::app::token::{self, ActiveToken};
use crate::app::{self, App};
use crate::wire::api::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};

/// Under `/v1`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/me", [read(me::show_me)]))
        .service(resource("/scopes", [read(scope::list_scopes)]))
        .default_service(web::to(nothing));
}

/// The token of a request. Its cookies are not looked at.
async fn authenticated(app: &App, request: &HttpRequest) -> Result<ActiveToken, Failure> {
    let text = extract::bearer(request)?.ok_or(Failure::NoToken)?;
    let context = extract::context_of(app, request);
    match token::authenticate(app, &context, &text).await {
        Err(app::Error::Unauthenticated) => Err(Failure::InvalidToken),
        other => Ok(other?),
    }
}

/// Answers errors as problem details.
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer(app, request, next, write).await
}

fn write(app: &App, failure: &Failure, request_id: &str) -> HttpResponse {
    let (code, title, detail) = explain(failure);
    let status = failure.status();
    let mut response = failure.respond(status);
    if status == StatusCode::UNAUTHORIZED || code == "invalid_request" {
        // RFC 6750 section 3: without a token there is no error to name.
        let error = match failure {
            Failure::NoToken => String::new(),
            _ => format!(r#", error="{code}""#),
        };
        let metadata = app
            .config()
            .server
            .public_url
            .join(oauth::PROTECTED_RESOURCE);
        response.insert_header((
            header::WWW_AUTHENTICATE,
            format!(r#"Bearer realm="Doorcode"{error}, resource_metadata="{metadata}""#),
        ));
    }
    response
        .content_type("application/problem+json")
        .json(Problem {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.to_owned(),
            request_id: request_id.to_owned(),
        })
}

/// The stable code of a failure, its title, and what to do about it.
fn explain(failure: &Failure) -> (&'static str, &'static str, &'static str) {
    match failure {
        Failure::NoToken => (
            "unauthorized",
            "Unauthorized",
            "Send a token in the header `Authorization: Bearer …`. `doorcode login` gets one.",
        ),
        Failure::InvalidToken => (
            "invalid_token",
            "Unauthorized",
            "The token is unknown, has expired or was revoked. Sign in again or use another one.",
        ),
        Failure::Malformed(what) => ("invalid_request", "Bad Request", what),
        Failure::PlainHttp => ("https_required", "Bad Request", "Use https."),
        Failure::NotFound => (
            "not_found",
            "Not Found",
            "There is nothing at this address.",
        ),
        Failure::MethodNotAllowed(_) => (
            "method_not_allowed",
            "Method Not Allowed",
            "The header Allow lists the methods that this address takes.",
        ),
        failure if failure.status() == StatusCode::SERVICE_UNAVAILABLE => (
            "unavailable",
            "Service Unavailable",
            "The server is busy or its database is away. Nothing was done; try again.",
        ),
        failure if failure.status() == StatusCode::TOO_MANY_REQUESTS => (
            "too_many_requests",
            "Too Many Requests",
            "The header Retry-After tells when to come back.",
        ),
        failure if failure.status().is_client_error() => (
            "refused",
            "Refused",
            "The request cannot be carried out as it is.",
        ),
        _ => (
            "internal",
            "Internal Server Error",
            "Something went wrong on our side. Name the request id when you ask for help.",
        ),
    }
}
