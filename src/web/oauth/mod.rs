//! OAuth endpoints. They send OAuth JSON, errors included.

mod device;
mod identity;
pub mod introspect;
mod metadata;
mod parameters;
mod revoke;
mod token;
pub mod verify;

use super::challenge::realm;
use super::failure::Failure;
use super::route::{nothing, post, read, resource};
use super::{extract, surface};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};
use app::access::Caller;
use app::{App, OAuthError, Request};
use wire::oauth::ErrorResponse;

/// Routes under `/auth`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(device_routes)
        .service(resource("/introspect", [post(introspect::introspect)]))
        .service(resource("/revoke", [post(revoke::revoke)]))
        .service(resource("/logout/{provider}", [post(identity::log_out)]))
        .service(resource("/keys", [read(identity::keys)]));
}

/// Endpoints of the device grant, which are served under `/auth` and under `/v1/auth`.
pub fn device_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/device", [post(device::start)]))
        .service(resource("/device/token", [post(token::poll)]))
        .default_service(web::to(nothing));
}

/// Routes under `/.well-known`.
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
        .service(resource(
            "/change-password",
            [read(metadata::change_password)],
        ))
        .default_service(web::to(nothing));
}

/// The request of a caller who is not known yet: the use cases authenticate clients and tokens
/// themselves.
fn anonymous(app: &App, request: &HttpRequest) -> Request {
    Request::new(app, extract::context_of(app, request), Caller::Anonymous)
}

/// Writes errors in the form of RFC 6749 section 5.2.
pub async fn surface(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response =
        surface::answer(request, next, |app, _, failure, _| write(app, failure)).await?;
    token::note_preference(&mut response);
    Ok(response)
}

/// Codes for errors that RFC 6749 section 5.2 does not define. Section 4.1.2.1 defines both for the
/// authorization endpoint.
const UNAVAILABLE: &str = "temporarily_unavailable";
const SERVER_ERROR: &str = "server_error";

fn write(app: &App, failure: &Failure) -> HttpResponse {
    let invalid = OAuthError::InvalidRequest.as_str();
    let invalid_client = OAuthError::InvalidClient.as_str();
    let (error, description) = match failure {
        Failure::App(app::Error::OAuth(error, description)) => (error.as_str(), *description),
        Failure::App(app::Error::Throttled(_)) => (
            UNAVAILABLE,
            "Too many requests. Try again after the seconds in Retry-After.",
        ),
        Failure::App(app::Error::Unauthenticated) | Failure::InvalidToken | Failure::NoToken => (
            invalid_client,
            "The caller is unknown or its credentials are wrong. Check them.",
        ),
        Failure::Malformed(what) => (invalid, *what),
        Failure::Parameter(what) => (invalid, what.as_str()),
        Failure::UnsupportedMedia => (
            invalid,
            "Send the parameters as application/x-www-form-urlencoded.",
        ),
        Failure::PlainHttp => (invalid, "The request came over plain http. Use https."),
        Failure::TooLarge => (invalid, "The body is larger than 16 KiB. Send less."),
        Failure::TooSlow => (invalid, "The body arrived too slowly. Try again."),
        Failure::NotFound => (invalid, "There is no such endpoint."),
        Failure::MethodNotAllowed(_) => (
            invalid,
            "The endpoint does not accept this method. Use one that the Allow header lists.",
        ),
        Failure::App(app::Error::Contradicted) => (
            UNAVAILABLE,
            "The server refuses requests until its operator has checked the database. Nothing \
             changed. Try again later.",
        ),
        failure if failure.status() == StatusCode::SERVICE_UNAVAILABLE => (
            UNAVAILABLE,
            "The server is busy or starting. Nothing changed. Try again later.",
        ),
        _ => (
            SERVER_ERROR,
            "The server has an internal error. Nothing changed. Try again later.",
        ),
    };
    // RFC 6749 section 5.2 does not define 415.
    let status = match failure.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
        status => status,
    };
    let mut response = failure.respond(status);
    match failure {
        Failure::InvalidToken => {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                format!(r#"Bearer {}, error="invalid_token""#, realm(app)),
            ));
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                format!(r#"Basic {}, charset="UTF-8""#, realm(app)),
            ));
        }
        _ => {}
    }
    response.json(ErrorResponse {
        error: error.to_owned(),
        error_description: Some(description.to_owned()),
    })
}
