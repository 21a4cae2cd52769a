//! The management API, and problem details (RFC 9457) as its one way to answer errors.
//!
//! A module per resource holds its handlers and their part of the description ([`openapi`]).
//! A handler takes a [`call::Call`]: it reads the body with `read`, a part of a list with
//! `listing`, and carries out a POST with `once`.

mod call;
mod me;
pub mod openapi;
mod page;
pub mod problem;
mod scope;
mod token;

use super::route::{nothing, post, read, resource};
use super::surface;
use crate::app::App;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web;

/// Under `/v1`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/me", [read(me::show_me)]))
        .service(resource("/scopes", [read(scope::list_scopes)]))
        .service(resource(
            "/tokens",
            [read(token::list_tokens), post(token::create_token)],
        ))
        .default_service(web::to(nothing));
}

/// What describes the addresses, without any token.
pub fn description_routes(config: &mut web::ServiceConfig) {
    config.service(resource("/openapi.json", [read(openapi::show_document)]));
}

/// Answers errors as problem details.
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer(app, request, next, problem::write).await
}
