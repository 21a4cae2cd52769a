//! Forgotten passwords: requesting a link, and setting a new password with it. The link is a
//! one-time secret: it is in the URL that users open, in a hidden field, and nowhere else.

use super::page_request::{Answer, PageRequest, read, see_other};
use super::password;
use super::return_to::HOME;
use super::session::end_session;
use super::typed_form::TypedForm;
use super::view::password::{ForgotPage, ForgotState, ResetClosedPage, ResetPage};
use crate::web::links;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::{mail, user};
use domain::secret::Secret;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/forgot", read(show_forgot).post(submit_forgot)))
        .service(resource("/reset", read(show_reset).post(submit_reset)));
}

/// `GET /forgot`.
async fn show_forgot(req: PageRequest) -> Answer {
    let query = req.query()?;
    let state = match (mail::is_configured(&req.app), query.value("done")) {
        (false, _) => ForgotState::NoMail,
        (true, Some("sent")) => ForgotState::Sent,
        (true, _) => ForgotState::Form,
    };
    forgot_page(&req, state, TypedForm::filled(query))
}

fn forgot_page(req: &PageRequest, state: ForgotState, typed: TypedForm) -> Answer {
    let status = typed.status();
    let page = ForgotPage {
        chrome: req.chrome(),
        state,
        support: req.app.config().branding.support.clone(),
        email: typed.text("email"),
        errors: typed.errors,
    };
    req.page(status, &page)
}

/// `POST /forgot`. The response is the same for every address.
async fn submit_forgot(req: PageRequest, form: Form) -> Answer {
    if !mail::is_configured(&req.app) {
        return forgot_page(&req, ForgotState::NoMail, TypedForm::default());
    }
    let email = form.value("email").unwrap_or_default();
    match user::request_reset(&req, email, links::reset_url).await {
        Ok(()) => Ok(see_other("/forgot?done=sent")),
        Err(error) => forgot_page(&req, ForgotState::Form, TypedForm::refused(form, error)?),
    }
}

/// `GET /reset`. Read-only: only submitting the form uses the link.
async fn show_reset(req: PageRequest) -> Answer {
    let query = req.query()?;
    reset_page(&req, TypedForm::filled(query)).await
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

async fn reset_page(req: &PageRequest, typed: TypedForm) -> Answer {
    let user = match user::find_reset(req, &link(&typed.form)).await {
        Ok(user) => user,
        Err(app::Error::NotFound) => return closed(req),
        Err(error) => return Err(error.into()),
    };
    let status = typed.status();
    let page = ResetPage {
        chrome: req.chrome(),
        link: typed.text("link"),
        is_verified: user.email_verified_at.is_some(),
        email: user.email,
        errors: typed.errors,
    };
    req.page(status, &page)
}

fn closed(req: &PageRequest) -> Answer {
    let page = ResetClosedPage {
        chrome: req.chrome(),
    };
    req.page(StatusCode::NOT_FOUND, &page)
}

/// `POST /reset`: sets the password and signs the user in.
async fn submit_reset(req: PageRequest, form: Form) -> Answer {
    let new = Secret::new(form.value("new_password").unwrap_or_default());
    match user::reset(&req, &link(&form), &new).await {
        Ok(session) => {
            end_session(&req).await?;
            Ok(req.begin(&session.cookies, &password::done(HOME)))
        }
        // Wrong, expired or used, perhaps by another request in the meantime.
        Err(app::Error::NotFound) => closed(&req),
        Err(error) => reset_page(&req, TypedForm::refused(form, error)?).await,
    }
}
