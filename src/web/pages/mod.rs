//! The HTML pages. All of them work without scripts.

mod account;
mod admin;
mod audit;
mod device;
mod devices;
mod email;
mod factor;
mod identity;
mod invitation;
mod invitations;
mod list;
mod member;
mod one_time_secret;
mod org;
mod org_overview;
mod org_request;
mod page_request;
mod page_route;
mod passkey;
mod password;
mod policy;
mod problem;
mod project;
mod provider;
mod recovery;
mod return_to;
mod saved_form;
mod scopes;
mod second_step;
mod security;
mod session;
mod token;
mod token_access;
mod typed_form;
pub(super) mod view;

use super::failure::Failure;
use super::{assets, surface};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use app::App;
use app::access::Denial;
use config::Makers;
use page_request::{Answer, PageRequest, see_other};
use view::Chrome;
use view::error::{ErrorKind, ErrorPage, Reason, WayBack};
use view::org::OrganizationHead;

/// All pages. Each module registers its own routes.
pub fn routes(config: &mut web::ServiceConfig) {
    for routes in [
        session::routes,
        second_step::routes,
        identity::routes,
        device::routes,
        devices::routes,
        token::routes,
        token_access::routes,
        account::routes,
        security::routes,
        factor::routes,
        passkey::routes,
        email::routes,
        password::routes,
        recovery::routes,
        org::routes,
        member::routes,
        invitation::routes,
        invitations::routes,
        project::routes,
        policy::routes,
        audit::routes,
        problem::routes,
        scopes::routes,
        admin::routes,
    ] {
        config.configure(routes);
    }
    config.default_service(web::to(missing));
}

/// Handler for unknown paths; its error page knows the user.
async fn missing(_: PageRequest) -> Answer {
    Err(Failure::NotFound)
}

/// Renders errors as pages.
pub async fn surface(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer(request, next, write).await
}

fn write(app: &App, request: &HttpRequest, failure: &Failure, request_id: &str) -> HttpResponse {
    match failure {
        Failure::SignIn(return_to) => return session::to_login(return_to),
        Failure::SignInAgain(return_to) => return session::to_login_again(return_to),
        Failure::StaleSignIn(return_to) => return session::to_new_login(return_to),
        Failure::FormAgain(cause, page) => {
            return match **cause {
                Failure::SignIn(_) => session::to_login(page),
                Failure::SignInAgain(_) => session::to_login_again(page),
                _ => see_other(page),
            };
        }
        _ => {}
    }
    let chrome = request.extensions().get::<Chrome>().cloned();
    let kind = error_kind(failure);
    let org = chrome.as_ref().and_then(|chrome| place(chrome, request));
    let page = ErrorPage {
        way_back: WayBack::from(request.path(), kind, org.as_ref()),
        org,
        chrome: chrome.unwrap_or_else(|| anonymous_chrome(app)),
        kind,
        request_id: Some(request_id.to_owned()),
    };
    let mut response = failure.respond(failure.status());
    match view::render(&page, &app.config().branding.words) {
        Ok(html) => html_response(&mut response, html),
        Err(error) => {
            tracing::error!(%error, "the error page cannot be rendered");
            response.finish()
        }
    }
}

/// The kind of a failure, as pages explain it.
fn error_kind(failure: &Failure) -> ErrorKind {
    match failure {
        Failure::CrossSite => ErrorKind::Forbidden(Reason::Other),
        Failure::App(app::Error::Forbidden(denial)) => ErrorKind::Forbidden(reason(denial)),
        Failure::StaleForm => ErrorKind::StaleForm,
        Failure::App(app::Error::Contradicted) => ErrorKind::Paused,
        failure => match failure.status() {
            StatusCode::BAD_REQUEST
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::UNPROCESSABLE_ENTITY => ErrorKind::BadRequest,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Forbidden(Reason::Other),
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
    }
}

/// The organization of the user that the path names.
fn place(chrome: &Chrome, request: &HttpRequest) -> Option<OrganizationHead> {
    let slug = request.path().strip_prefix("/o/")?.split('/').next()?;
    let mut places = chrome.organizations.iter();
    places.find(|org| org.slug == slug).cloned()
}

/// Why access is denied, as far as a page can explain it.
fn reason(denial: &Denial) -> Reason {
    match denial {
        Denial::NoAccess => Reason::NoAccess,
        Denial::NoOrganization => Reason::NoOrganization,
        Denial::Role(least) => Reason::Role(*least),
        Denial::Policy(violation) => Reason::Policy(*violation),
        Denial::OperatorRequired => Reason::Operator,
        Denial::NotConfirmed(..)
        | Denial::UserRequired
        | Denial::SessionRequired
        | Denial::Scope(_)
        | Denial::UnknownScope
        | Denial::Limited
        | Denial::BeyondToken => Reason::Other,
    }
}

fn html_response(response: &mut actix_web::HttpResponseBuilder, html: String) -> HttpResponse {
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(html)
}

/// The page frame without a signed-in user.
fn anonymous_chrome(app: &App) -> Chrome {
    let branding = &app.config().branding;
    Chrome {
        brand: branding.name.clone(),
        support: branding.support.clone(),
        csrf: String::new(),
        user: None,
        notice: None,
        organizations: Vec::new(),
        can_create_organization: app.config().organizations.made_by == Makers::Users,
        links: branding.links.clone(),
        notes: branding.notes.clone(),
        assets: assets::urls(branding),
    }
}
