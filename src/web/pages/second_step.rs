//! The second step of a sign-in, which asks for a second factor.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::read;
use super::passkey::{ceremony, response};
use super::typed_form::TypedForm;
use super::view::factor::{LoginFactorClosedPage, LoginFactorPage};
use crate::web::csrf::FormProof;
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::factor::{self, Begun};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource(
        "/login/factor",
        read(show_factor).any_session_post(submit_factor),
    ));
}

/// Continues a sign-in: with a session on the local path, or with the second step.
pub async fn proceed(req: &PageRequest, begun: Begun, path: &str) -> Answer {
    match begun {
        Begun::Session(session) => {
            // A cookie holds one session, so the previous session of this browser ends.
            req.end_session().await?;
            Ok(req.begin(&session.cookies, path))
        }
        Begun::Factor(step) => {
            let sealed = factor::seal(&req.app, &req.visitor, &step, path);
            Ok(req.leave(&format!("/login/factor?link={sealed}")))
        }
    }
}

/// The text that holds the first step.
fn link(form: &Form) -> &str {
    form.value("link").unwrap_or_default()
}

/// `GET /login/factor`.
async fn show_factor(req: PageRequest) -> Answer {
    let typed = req.typed_or(req.query()?);
    let sealed = link(&typed.form);
    let waiting = match factor::find(&req, &req.visitor, sealed).await {
        Ok(waiting) => waiting,
        Err(app::Error::NotFound) => {
            let page = LoginFactorClosedPage {
                chrome: req.signed_out_chrome(),
            };
            return req.page(StatusCode::NOT_FOUND, &page);
        }
        Err(error) => return Err(error.into()),
    };
    let offer = || factor::offer_sign_in(&req.app, &req.visitor);
    let has_passkeys = !waiting.credentials.is_empty();
    let page = LoginFactorPage {
        passkey: has_passkeys.then(offer).flatten().map(ceremony),
        known: waiting.credentials.join(" "),
        // The sign-in is not complete, even if this browser has a session.
        chrome: req.signed_out_chrome(),
        link: sealed.to_owned(),
        email: waiting.user.email,
        has_authenticator: waiting.has_authenticator,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /login/factor`. The form may be older than the session of the browser. What it completes is
/// sealed for the browser, so a form of another one completes nothing.
async fn submit_factor(req: PageRequest, form: Form, proof: FormProof) -> Answer {
    if proof == FormProof::None {
        return Err(Failure::StaleForm);
    }
    let code = form.value("code").unwrap_or_default();
    let completed = match response(&form) {
        Some(response) => {
            factor::complete_with_passkey(&req, req.browser(), link(&form), response).await
        }
        None => factor::complete(&req, req.browser(), link(&form), code).await,
    };
    match completed {
        Ok(completed) => {
            req.end_session().await?;
            Ok(req.begin(&completed.session.cookies, &completed.return_to))
        }
        // Without the link, the page says that the sign-in is over.
        Err(app::Error::NotFound) => Ok(see_other("/login/factor")),
        Err(error) => {
            let typed = TypedForm::refused(form, error)?;
            req.again(typed.with_status(StatusCode::UNAUTHORIZED)).await
        }
    }
}
