//! Setup, sign-in and sign-out.

use super::page_request::{PageRequest, see_other};
use super::return_to::{HOME, local};
use super::view::FieldErrors;
use super::view::account::{LoginNotice, LoginPage, SetupClosed, SetupClosedPage, SetupPage};
use super::{faults, view};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::session;
use app::user::{self, CreateUser};
use domain::role::Role;
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", [read(home)]))
        .service(resource("/setup", [read(show_setup), post(submit_setup)]))
        .service(resource("/login", [read(show_login), post(submit_login)]))
        .service(resource("/logout", [post(submit_logout)]));
}

/// `GET /`.
pub async fn home(req: PageRequest) -> Result<HttpResponse, Failure> {
    req.signed_in(HOME)?;
    Ok(see_other(HOME))
}

/// Redirects to the sign-in, which then returns to `return_to`.
pub fn to_login(return_to: &str) -> HttpResponse {
    let encoded = utf8_percent_encode(return_to, NON_ALPHANUMERIC);
    see_other(&format!("/login?return_to={encoded}"))
}

/// `GET /setup`.
pub async fn show_setup(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let link = query.value("link").unwrap_or_default();
    if !user::is_setup_link(&req.app, &Secret::new(link)).await? {
        return closed(&req).await;
    }
    let page = setup_page(&req, &query, FieldErrors::none());
    req.page(StatusCode::OK, &page)
}

async fn closed(req: &PageRequest) -> Result<HttpResponse, Failure> {
    let reason = match user::is_set_up(&req.app).await? {
        true => SetupClosed::Done,
        false => SetupClosed::BadLink,
    };
    let page = SetupClosedPage {
        chrome: req.chrome(),
        reason,
    };
    req.page(StatusCode::NOT_FOUND, &page)
}

fn setup_page(req: &PageRequest, form: &Form, errors: FieldErrors) -> SetupPage {
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    SetupPage {
        chrome: req.chrome(),
        link: typed("link"),
        name: typed("name"),
        email: typed("email"),
        organization: typed("organization"),
        errors,
    }
}

/// `POST /setup`.
pub async fn submit_setup(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: Some((typed("organization"), Role::Owner)),
    };
    let link = Secret::new(typed("link"));
    match user::set_up(&req.app, &req.context, &link, new).await {
        Ok(session) => Ok(req.begin(&session, HOME)),
        Err(app::Error::NotFound) => closed(&req).await,
        Err(error) => {
            let page = setup_page(&req, &form, faults(error)?);
            req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `GET /login`.
pub async fn show_login(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let return_to = local(query.value("return_to"));
    if req.signed_in.is_some() {
        return Ok(see_other(return_to));
    }
    let notice = match query.value("notice") {
        Some("signed-out") => Some(LoginNotice::SignedOut),
        _ if return_to.starts_with("/device?") => Some(LoginNotice::DeviceCode),
        _ if req.had_session() => Some(LoginNotice::SessionEnded),
        _ => None,
    };
    let page = login_page(&req, &query, notice, FieldErrors::none());
    req.page(StatusCode::OK, &page)
}

fn login_page(
    req: &PageRequest,
    form: &Form,
    notice: Option<LoginNotice>,
    errors: FieldErrors,
) -> LoginPage {
    let mut chrome = req.chrome();
    // The user is unknown until the sign-in succeeds, even if this browser has a session.
    chrome.user = None;
    LoginPage {
        chrome,
        email: form.value("email").unwrap_or_default().to_owned(),
        return_to: local(form.value("return_to")).to_owned(),
        notice,
        errors,
    }
}

/// `POST /login`.
pub async fn submit_login(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let email = form.value("email").unwrap_or_default();
    let password = Secret::new(form.value("password").unwrap_or_default());
    let browser = req.browser();
    match session::sign_in(&req.app, &req.context, browser, email, &password).await {
        Ok(session) => {
            // A cookie holds one session, so the previous session of this browser ends.
            if let Some(signed_in) = &req.signed_in {
                end_session(&req, signed_in).await?;
            }
            Ok(req.begin(&session, local(form.value("return_to"))))
        }
        Err(app::Error::Unauthenticated) => {
            let errors = FieldErrors::on("password", "The email address or the password is wrong.");
            let page = login_page(&req, &form, None, errors);
            req.page(StatusCode::UNAUTHORIZED, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends a session of this browser.
pub async fn end_session(req: &PageRequest, signed_in: &session::SignedIn) -> Result<(), Failure> {
    match session::end(&req.app, &req.context, signed_in, &signed_in.session.id).await {
        // It ended in the meantime.
        Ok(()) | Err(app::Error::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /logout`.
pub async fn submit_logout(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    if let Some(signed_in) = &req.signed_in {
        end_session(&req, signed_in).await?;
    }
    let login = match form.value("return_to") {
        Some(return_to) => {
            let encoded = utf8_percent_encode(local(Some(return_to)), NON_ALPHANUMERIC);
            format!("/login?return_to={encoded}")
        }
        None => "/login?notice=signed-out".to_owned(),
    };
    Ok(req.end(&login))
}

/// The label of a session in the list.
pub fn place(session_id: &str, own: &str) -> view::account::SessionPlace {
    match session_id == own {
        true => view::account::SessionPlace::ThisBrowser,
        false => view::account::SessionPlace::Elsewhere,
    }
}
