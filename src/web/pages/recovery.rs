//! Forgotten passwords: requesting a link, and setting a new password with it. The link is a
//! one-time secret: it is in the URL that users open, in a hidden field, and nowhere else.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::read;
use super::password;
use super::return_to::HOME;
use super::second_step::proceed;
use super::security;
use super::typed_form::TypedForm;
use super::view::password::{ForgotPage, ForgotState, ResetClosedPage, ResetPage};
use crate::web::links;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::{mail, user};
use domain::secret::Secret;
use wire::form::Form;

const FORGOT: &str = "/forgot";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/forgot", read(show_forgot).post(submit_forgot)))
        .service(resource("/reset", read(show_reset).post(submit_reset)));
}

/// `GET /forgot`.
async fn show_forgot(req: PageRequest) -> Answer {
    if !req.app.config().sign_in.has_passwords() {
        return Ok(see_other("/login"));
    }
    let query = req.query()?;
    let state = match (mail::is_configured(&req.app), query.value("done")) {
        (false, _) => ForgotState::NoMail,
        (true, Some("sent")) => ForgotState::Sent,
        (true, _) => ForgotState::Form,
    };
    let typed = req.typed_or(query);
    let page = ForgotPage {
        chrome: req.chrome(),
        state,
        support: req.app.config().branding.support.clone(),
        email: typed.text("email"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /forgot`. The response is the same for every address.
async fn submit_forgot(req: PageRequest, form: Form) -> Answer {
    if !mail::is_configured(&req.app) {
        // The page explains it.
        return Ok(see_other(FORGOT));
    }
    let email = form.value("email").unwrap_or_default();
    match user::request_reset(&req, email, links::reset_url).await {
        Ok(()) => Ok(see_other("/forgot?done=sent")),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `GET /reset`. Read-only: only submitting the form uses the link.
async fn show_reset(req: PageRequest) -> Answer {
    let typed = req.typed_or(req.query()?);
    let user = match user::find_reset(&req, &link(&typed.form)).await {
        Ok(user) => user,
        Err(app::Error::NotFound) => {
            let page = ResetClosedPage {
                chrome: req.chrome(),
            };
            return req.page(StatusCode::NOT_FOUND, &page);
        }
        Err(error) => return Err(error.into()),
    };
    let page = ResetPage {
        chrome: req.chrome(),
        link: typed.text("link"),
        is_verified: user.email_verified_at.is_some(),
        has_passwords: req.app.config().sign_in.has_passwords(),
        email: user.email,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

/// `POST /reset`: sets the password and signs the user in, or asks for the second factor. Without
/// passwords, it leads to the page on which the user connects a provider.
async fn submit_reset(req: PageRequest, form: Form) -> Answer {
    let new = Secret::new(form.value("new_password").unwrap_or_default());
    let next = match req.app.config().sign_in.has_passwords() {
        true => password::done(HOME),
        false => security::PAGE.to_owned(),
    };
    match user::reset(&req, &link(&form), &new).await {
        Ok(begun) => proceed(&req, begun, &next).await,
        // Wrong, expired or used, perhaps by another request in the meantime: the page explains it.
        Err(app::Error::NotFound) => Ok(see_other(&req.form_address(&form))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}
