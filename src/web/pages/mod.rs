//! The pages that people see. All of them work without scripts.

mod account;
mod device;
mod problem;
mod return_to;
mod session;
mod token;
mod view;
mod visit;

use super::failure::Failure;
use super::route::{nothing, post, read, resource};
use super::{assets, surface};
use crate::app::{self, App};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};
use askama::Template;
use view::error::{ErrorKind, ErrorPage};
use view::{Assets, Chrome};

/// Where the first account is made; `link` is the secret of the one-time link.
pub fn setup_path(link: &str) -> String {
    format!("/setup?link={link}")
}

/// Where an invitation is accepted; `link` is the secret of the one-time link.
pub fn invitation_path(link: &str) -> String {
    format!("/invite?link={link}")
}

/// Every page.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", [read(session::home)]))
        .service(resource(
            "/setup",
            [read(session::show_setup), post(session::submit_setup)],
        ))
        .service(resource(
            "/login",
            [read(session::show_login), post(session::submit_login)],
        ))
        .service(resource("/logout", [post(session::submit_logout)]))
        .service(resource(
            "/device",
            [read(device::show_code), post(device::submit_code)],
        ))
        .service(resource("/device/decide", [post(device::submit_decision)]))
        .service(resource("/tokens", [read(token::show_tokens)]))
        .service(resource(
            "/tokens/new",
            [read(token::show_new), post(token::submit_new)],
        ))
        .service(resource(
            "/tokens/revoke-all",
            [read(token::show_revoke_all), post(token::submit_revoke_all)],
        ))
        .service(resource(
            "/tokens/{id}/revoke",
            [read(token::show_revoke), post(token::submit_revoke)],
        ))
        .service(resource("/account", [read(account::show_account)]))
        .service(resource("/account/name", [post(account::submit_name)]))
        .service(resource(
            "/account/password",
            [post(account::submit_password)],
        ))
        .service(resource(
            "/account/sessions/{id}/sign-out",
            [post(account::submit_sign_out)],
        ))
        .service(resource("/problems", [read(problem::show_problems)]))
        .service(resource("/problems/{code}", [read(problem::show_problem)]))
        .default_service(web::to(nothing));
}

/// Answers errors as pages.
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer(app, request, next, write).await
}

fn write(app: &App, failure: &Failure, request_id: &str) -> HttpResponse {
    if let Failure::SignIn(return_to) = failure {
        return session::to_login(return_to);
    }
    let kind = match failure {
        Failure::CrossSite => ErrorKind::Forbidden,
        Failure::StaleForm => ErrorKind::StaleForm,
        failure => match failure.status() {
            StatusCode::BAD_REQUEST
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::UNPROCESSABLE_ENTITY => ErrorKind::BadRequest,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Forbidden,
            StatusCode::NOT_FOUND => ErrorKind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ErrorKind::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorKind::UnsupportedMedia,
            StatusCode::TOO_MANY_REQUESTS => {
                ErrorKind::TooMany(failure.retry_after().unwrap_or(60))
            }
            StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        },
    };
    let page = ErrorPage {
        chrome: anonymous_chrome(app),
        kind,
        request_id: Some(request_id.to_owned()),
    };
    let mut response = failure.respond(failure.status());
    match page.render() {
        Ok(html) => html_response(&mut response, html),
        Err(error) => {
            tracing::error!(%error, "the error page cannot be rendered");
            response.finish()
        }
    }
}

fn html_response(response: &mut actix_web::HttpResponseBuilder, html: String) -> HttpResponse {
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(html)
}

/// What is around a page for somebody unknown.
fn anonymous_chrome(app: &App) -> Chrome {
    let [css, js, icon] = assets::urls().clone();
    Chrome {
        brand: app.config().branding.name.clone(),
        csrf: String::new(),
        account: None,
        assets: Assets { css, js, icon },
    }
}

/// The message for what a form got wrong; anything else is no fault of the form.
fn faults(error: app::Error) -> Result<view::FieldErrors, Failure> {
    match error {
        app::Error::Invalid(faults) => Ok(faults.into()),
        app::Error::Conflict(message) => Ok(view::FieldErrors::whole(message)),
        error => Err(error.into()),
    }
}
