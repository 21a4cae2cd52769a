//! The OAuth endpoints, and OAuth JSON as their one way to answer, errors included.

mod device;
mod metadata;
mod parameters;
mod token;
pub mod verify;

use super::failure::Failure;
use super::route::{nothing, post, read, resource};
use super::surface;
use metadata::PROTECTED_RESOURCE;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};
use app::{App, OAuthError};
use wire::oauth::ErrorResponse;

/// Under `/auth`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(device_routes)
        .service(resource("/introspect", [post(token::introspect)]))
        .service(resource("/revoke", [post(token::revoke)]));
}

/// The two endpoints of the device grant, which have two addresses.
pub fn device_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/device", [post(device::start)]))
        .service(resource("/device/token", [post(device::poll)]))
        .default_service(web::to(nothing));
}

/// Under `/.well-known`.
pub fn metadata_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/oauth-authorization-server",
            [read(metadata::server)],
        ))
        .service(resource(
            "/oauth-protected-resource",
            [read(metadata::protected_resource)],
        ))
        .default_service(web::to(nothing));
}

/// Answers errors as RFC 6749 section 5.2 does.
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = surface::answer(app, request, next, |_, failure, _| write(failure)).await?;
    device::note_preference(&mut response);
    Ok(response)
}

/// What a resource says to a request that it refuses (RFC 6750 section 3): what is wrong with
/// its token, as further parameters, and where a better one can be found (RFC 9728 section
/// 5.1).
pub fn challenge(app: &App, wrong: &str) -> String {
    let metadata = app.config().server.public_url.join(PROTECTED_RESOURCE);
    format!(r#"Bearer realm="Doorcode"{wrong}, resource_metadata="{metadata}""#)
}

/// What an answer says when the RFCs have no name for it. RFC 6749 section 4.1.2.1 has both
/// names for the authorization endpoint.
const UNAVAILABLE: &str = "temporarily_unavailable";
const SERVER_ERROR: &str = "server_error";

fn write(failure: &Failure) -> HttpResponse {
    let invalid = OAuthError::InvalidRequest.as_str();
    let invalid_client = OAuthError::InvalidClient.as_str();
    let (error, description) = match failure {
        Failure::App(app::Error::OAuth(error, description)) => (error.as_str(), *description),
        Failure::App(app::Error::Throttled(_)) => (
            UNAVAILABLE,
            "Too many requests. Retry-After tells when to come back.",
        ),
        Failure::App(app::Error::Unauthenticated) | Failure::InvalidToken | Failure::NoToken => (
            invalid_client,
            "The caller is unknown or its credentials are wrong.",
        ),
        Failure::Malformed(what) => (invalid, *what),
        Failure::UnsupportedMedia => (
            invalid,
            "Send the parameters as application/x-www-form-urlencoded.",
        ),
        Failure::PlainHttp => (invalid, "Use https."),
        Failure::TooLarge => (invalid, "The request is too large."),
        Failure::TooSlow => (invalid, "The body came too slowly."),
        Failure::NotFound => (invalid, "There is no such endpoint."),
        Failure::MethodNotAllowed(_) => (
            invalid,
            "The endpoint does not take this method. The Allow header lists those it takes.",
        ),
        failure if failure.status() == StatusCode::SERVICE_UNAVAILABLE => (
            UNAVAILABLE,
            "The server is busy or starting. Nothing was done.",
        ),
        _ => (
            SERVER_ERROR,
            "Something went wrong on our side. Nothing was done.",
        ),
    };
    // RFC 6749 section 5.2 knows no 415.
    let status = match failure.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
        status => status,
    };
    let mut response = failure.respond(status);
    match failure {
        Failure::InvalidToken => {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                r#"Bearer realm="Doorcode", error="invalid_token""#,
            ));
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                r#"Basic realm="Doorcode", charset="UTF-8""#,
            ));
        }
        _ => {}
    }
    response.json(ErrorResponse {
        error: error.to_owned(),
        error_description: Some(description.to_owned()),
    })
}
