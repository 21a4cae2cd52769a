//! Setup, signing in and out.

use super::return_to::{HOME, local};
use super::view::FieldErrors;
use super::view::account::{LoginNotice, LoginPage, SetupClosed, SetupClosedPage, SetupPage};
use super::visit::{Visit, see_other};
use super::{faults, view};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::session;
use app::user::{self, CreateUser};
use domain::org::Role;
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", [read(home)]))
        .service(resource("/setup", [read(show_setup), post(submit_setup)]))
        .service(resource("/login", [read(show_login), post(submit_login)]))
        .service(resource("/logout", [post(submit_logout)]));
}

/// `GET /`.
pub async fn home(visit: Visit) -> Result<HttpResponse, Failure> {
    visit.person(HOME)?;
    Ok(see_other(HOME))
}

/// Sends somebody to sign in first, and then on to where they were going.
pub fn to_login(return_to: &str) -> HttpResponse {
    let encoded = utf8_percent_encode(return_to, NON_ALPHANUMERIC);
    see_other(&format!("/login?return_to={encoded}"))
}

/// `GET /setup`.
pub async fn show_setup(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let link = query.value("link").unwrap_or_default();
    if !user::is_setup_link(&visit.app, &Secret::new(link)).await? {
        return closed(&visit).await;
    }
    let page = setup_page(&visit, &query, FieldErrors::none());
    visit.page(StatusCode::OK, &page)
}

async fn closed(visit: &Visit) -> Result<HttpResponse, Failure> {
    let reason = match user::is_set_up(&visit.app).await? {
        true => SetupClosed::Done,
        false => SetupClosed::BadLink,
    };
    let page = SetupClosedPage {
        chrome: visit.chrome(),
        reason,
    };
    visit.page(StatusCode::NOT_FOUND, &page)
}

fn setup_page(visit: &Visit, form: &Form, errors: FieldErrors) -> SetupPage {
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    SetupPage {
        chrome: visit.chrome(),
        link: typed("link"),
        name: typed("name"),
        email: typed("email"),
        organization: typed("organization"),
        errors,
    }
}

/// `POST /setup`.
pub async fn submit_setup(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: Some((typed("organization"), Role::Owner)),
    };
    let link = Secret::new(typed("link"));
    match user::set_up(&visit.app, &visit.context, &link, new).await {
        Ok(session) => Ok(visit.begin(&session, HOME)),
        Err(app::Error::NotFound) => closed(&visit).await,
        Err(error) => {
            let page = setup_page(&visit, &form, faults(error)?);
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `GET /login`.
pub async fn show_login(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let return_to = local(query.value("return_to"));
    if visit.person.is_some() {
        return Ok(see_other(return_to));
    }
    let notice = match query.value("notice") {
        Some("signed-out") => Some(LoginNotice::SignedOut),
        _ if return_to.starts_with("/device?") => Some(LoginNotice::DeviceCode),
        _ if visit.had_session() => Some(LoginNotice::SessionEnded),
        _ => None,
    };
    let page = login_page(&visit, &query, notice, FieldErrors::none());
    visit.page(StatusCode::OK, &page)
}

fn login_page(
    visit: &Visit,
    form: &Form,
    notice: Option<LoginNotice>,
    errors: FieldErrors,
) -> LoginPage {
    let mut chrome = visit.chrome();
    // Whoever signs in, even over another session, is not yet the one that is signed in.
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
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let email = form.value("email").unwrap_or_default();
    let password = Secret::new(form.value("password").unwrap_or_default());
    let browser = visit.browser();
    match session::sign_in(&visit.app, &visit.context, browser, email, &password).await {
        Ok(session) => {
            // The session that this browser had is over: one cookie holds one session.
            if let Some(person) = &visit.person {
                end_session(&visit, person).await?;
            }
            Ok(visit.begin(&session, local(form.value("return_to"))))
        }
        Err(app::Error::Unauthenticated) => {
            let errors = FieldErrors::on("password", "The email address or the password is wrong.");
            let page = login_page(&visit, &form, None, errors);
            visit.page(StatusCode::UNAUTHORIZED, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends a session of this browser.
pub async fn end_session(visit: &Visit, person: &session::SignedIn) -> Result<(), Failure> {
    match session::end(&visit.app, &visit.context, person, &person.session.id).await {
        // It ended elsewhere in the meantime.
        Ok(()) | Err(app::Error::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /logout`.
pub async fn submit_logout(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    if let Some(person) = &visit.person {
        end_session(&visit, person).await?;
    }
    let login = match form.value("return_to") {
        Some(return_to) => {
            let encoded = utf8_percent_encode(local(Some(return_to)), NON_ALPHANUMERIC);
            format!("/login?return_to={encoded}")
        }
        None => "/login?notice=signed-out".to_owned(),
    };
    Ok(visit.end(&login))
}

/// What a session is called in the list.
pub fn place(session_id: &str, own: &str) -> view::account::SessionPlace {
    match session_id == own {
        true => view::account::SessionPlace::ThisBrowser,
        false => view::account::SessionPlace::Elsewhere,
    }
}
