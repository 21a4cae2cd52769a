//! Setup, sign-in and sign-out.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::read;
use super::passkey::{ceremony, response};
use super::provider::{buttons, confirming, returning_to};
use super::return_to::{HOME, local};
use super::second_step::proceed;
use super::typed_form::TypedForm;
use super::view::FieldErrors;
use super::view::account::{LoginNotice, LoginPage, SetupClosed, SetupClosedPage, SetupPage};
use crate::web::csrf::FormProof;
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::factor::{Begun, offer_sign_in, sign_in_with_passkey};
use app::sign_in;
use app::user::{self, CreateUser};
use domain::role::Role;
use domain::secret::Secret;
use domain::user::User;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/", read(home)))
        .service(resource("/setup", read(show_setup).post(submit_setup)))
        .service(resource(
            "/login",
            read(show_login).any_session_post(submit_login),
        ))
        .service(resource(
            "/logout",
            read(home).any_session_post(submit_logout),
        ));
}

/// `GET /`.
pub async fn home(req: PageRequest) -> Answer {
    req.signed_in(HOME)?;
    Ok(see_other(HOME))
}

/// Redirects to the sign-in, which then returns to `return_to`.
pub fn to_login(return_to: &str) -> HttpResponse {
    see_other(&login_path(return_to))
}

/// Redirects to a new sign-in form, in place of an invalid one.
pub fn to_new_login(return_to: &str) -> HttpResponse {
    see_other(&format!("{}&notice=stale-form", login_path(return_to)))
}

/// Redirects to the sign-in of a user who is signed in, for a page that needs a recent one.
pub fn to_login_again(return_to: &str) -> HttpResponse {
    see_other(&again_path(return_to))
}

/// The path of the sign-in of a user who is signed in, which then returns to `return_to`.
pub fn again_path(return_to: &str) -> String {
    format!("{}&notice=again", login_path(return_to))
}

/// The path of the sign-in with which a user accepts an invitation, whose page is `return_to`.
pub fn invited_path(return_to: &str) -> String {
    format!("{}&notice=invited", login_path(return_to))
}

/// The path of the sign-in, which then returns to `return_to`.
pub fn login_path(return_to: &str) -> String {
    let encoded = utf8_percent_encode(return_to, NON_ALPHANUMERIC);
    format!("/login?return_to={encoded}")
}

/// `GET /setup`.
pub async fn show_setup(req: PageRequest) -> Answer {
    let query = req.query()?;
    let link = query.value("link").unwrap_or_default();
    if !user::is_setup_link(&req.app, &Secret::new(link)).await? {
        return closed(&req).await;
    }
    let typed = req.typed_or(query);
    let page = SetupPage {
        chrome: req.chrome(),
        link: typed.text("link"),
        name: typed.text("name"),
        email: typed.text("email"),
        organization: typed.text("organization"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

async fn closed(req: &PageRequest) -> Answer {
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

/// `POST /setup`.
pub async fn submit_setup(req: PageRequest, form: Form) -> Answer {
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: Some((typed("organization"), Some(Role::Owner))),
    };
    let link = Secret::new(typed("link"));
    match user::set_up(&req, &link, new).await {
        Ok(session) => Ok(req.begin(&session.cookies, HOME)),
        // The page explains it.
        Err(app::Error::NotFound) => Ok(see_other(&req.form_address(&form))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `GET /login`.
pub async fn show_login(req: PageRequest) -> Answer {
    let query = req.query()?;
    let return_to = local(query.value("return_to"));
    let signed_in = req.caller.signed_in().ok();
    let again = signed_in.filter(|_| query.value("notice") == Some("again"));
    if signed_in.is_some() && again.is_none() && req.saved.is_none() {
        return Ok(see_other(return_to));
    }
    let notice = match query.value("notice") {
        Some("again") if again.is_some() => Some(LoginNotice::Again),
        Some("signed-out") => Some(LoginNotice::SignedOut),
        Some("stale-form") => Some(LoginNotice::StaleForm),
        Some("invited") => Some(LoginNotice::Invited),
        Some(text) if LoginNotice::of_provider(text).is_some() => LoginNotice::of_provider(text),
        _ if return_to.starts_with("/device?") => Some(LoginNotice::DeviceCode),
        _ if req.had_session() => Some(LoginNotice::SessionEnded),
        _ => None,
    };
    let return_to = return_to.to_owned();
    let (mut has_passwords, mut providers) = (
        req.app.config().sign_in.has_passwords(),
        buttons(&req.app, &returning_to(&return_to)),
    );
    if let Some(signed_in) = again {
        has_passwords &= signed_in.user.password().is_some();
        providers = confirming(&req, &return_to).await?;
    }
    let email = again.map(|signed_in| signed_in.user.email.clone());
    let typed = req.typed_or(query);
    let page = LoginPage {
        chrome: req.signed_out_chrome(),
        email: email.unwrap_or_else(|| typed.text("email")),
        passkey: offer_sign_in(&req.app, &req.visitor)
            .filter(|_| has_passwords)
            .map(ceremony),
        has_passwords,
        providers,
        return_to,
        notice,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /login`. The form may be older than the session of the browser: another tab signed in, or
/// a session ended.
pub async fn submit_login(req: PageRequest, form: Form, proof: FormProof) -> Answer {
    let email = form.value("email").unwrap_or_default();
    let return_to = local(form.value("return_to"));
    match (proof, req.caller.signed_in()) {
        (FormProof::Browser, Ok(signed_in)) if is_email_of(&signed_in.user, email) => {
            return Ok(see_other(return_to));
        }
        (FormProof::Session | FormProof::Browser, _) => {}
        // Another tab of this browser has signed in. Nothing changes.
        (FormProof::None, Ok(_)) => return Ok(see_other(return_to)),
        (FormProof::None, Err(_)) => return Err(Failure::StaleSignIn(return_to.to_owned())),
    }
    if let Some(response) = response(&form) {
        return match sign_in_with_passkey(&req, &req.visitor, response).await {
            Ok(session) => proceed(&req, Begun::Session(Box::new(session)), return_to).await,
            Err(app::Error::Unauthenticated) => {
                let notice = LoginNotice::PasskeyFailed.as_str();
                Ok(see_other(&format!(
                    "{}&notice={notice}",
                    login_path(return_to)
                )))
            }
            Err(error) => Err(error.into()),
        };
    }
    let password = Secret::new(form.value("password").unwrap_or_default());
    match sign_in::sign_in(&req, req.browser(), email, &password).await {
        Ok(begun) => proceed(&req, begun, return_to).await,
        Err(app::Error::Unauthenticated) => {
            let errors = FieldErrors::on("password", "The email address or the password is wrong.");
            let typed = TypedForm::with_errors(form, errors);
            req.again(typed.with_status(StatusCode::UNAUTHORIZED)).await
        }
        Err(error) => Err(error.into()),
    }
}

fn is_email_of(user: &User, typed: &str) -> bool {
    domain::user::email(typed).is_ok_and(|email| email == user.email)
}

/// `POST /logout`. The form may be older than the session of the browser. Without a session, there
/// is nothing to end and nothing to protect.
pub async fn submit_logout(req: PageRequest, form: Form, proof: FormProof) -> Answer {
    let login = match form.value("return_to") {
        Some(return_to) => login_path(local(Some(return_to))),
        None => "/login?notice=signed-out".to_owned(),
    };
    match (proof, req.caller.signed_in()) {
        (FormProof::Session | FormProof::Browser, _) => {
            req.end_session().await?;
            Ok(req.end(&login))
        }
        (FormProof::None, Ok(_)) => Err(Failure::StaleForm),
        (FormProof::None, Err(_)) => Ok(see_other(&login)),
    }
}
