//! Email addresses of users: verification and change by links. The link is a one-time secret: it
//! is in the URL that users open, in a hidden field, and nowhere else.

use super::account::PAGE;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::{TypedForm, renamed};
use super::view::account::{EmailClosedPage, EmailConfirmPage, EmailPurpose};
use crate::web::links::{email_change_path, send_letter, verification_path};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::user;
use domain::secret::Secret;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/account/email",
            form_on("/account").post(submit_email),
        ))
        .service(resource(
            "/account/email/verification",
            form_on("/account").post(submit_verification),
        ))
        .service(resource(
            "/account/email/verify",
            read(show_verify).post(submit_verify),
        ))
        .service(resource(
            "/account/email/confirm",
            read(show_confirm).post(submit_confirm),
        ));
}

/// `POST /account/email`: mails a link to the new address. The answer is the same if another user
/// has it.
async fn submit_email(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let new = form.value("new_email").unwrap_or_default();
    let password = Secret::new(form.value("email_password").unwrap_or_default());
    match user::request_email_change(&req, new, &password).await {
        Ok(letter) => {
            send_letter(&req, &letter);
            Ok(see_other("/account?done=email-link"))
        }
        Err(error) => {
            let error = renamed(error, "current_password", "email_password");
            req.again(TypedForm::refused(form, error)?).await
        }
    }
}

/// `POST /account/email/verification`: mails a link that verifies the current address.
async fn submit_verification(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    match user::request_verification(&req).await {
        Ok(letter) => {
            send_letter(&req, &letter);
            Ok(see_other("/account?done=verification"))
        }
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

/// `GET /account/email/verify`. Read-only: mail programs open links by themselves.
async fn show_verify(req: PageRequest) -> Answer {
    let link = link(&req.query()?);
    req.signed_in(&verification_path(link.expose()))?;
    match user::find_verification(&req, &link).await {
        Ok(email) => confirm_page(&req, EmailPurpose::Verify, email, &link),
        Err(error) => closed(&req, error),
    }
}

/// `POST /account/email/verify`.
async fn submit_verify(req: PageRequest, form: Form) -> Answer {
    let link = link(&form);
    req.signed_in(&verification_path(link.expose()))?;
    match user::verify_email(&req, &link).await {
        Ok(()) => Ok(see_other("/account?done=email-verified")),
        // The page explains it.
        Err(app::Error::NotFound) => Ok(see_other(&verification_path(link.expose()))),
        Err(error) => Err(error.into()),
    }
}

/// `GET /account/email/confirm`. Read-only: mail programs open links by themselves.
async fn show_confirm(req: PageRequest) -> Answer {
    let link = link(&req.query()?);
    req.signed_in(&email_change_path(link.expose()))?;
    match user::find_email_change(&req, &link).await {
        Ok(email) => confirm_page(&req, EmailPurpose::Change, email, &link),
        Err(error) => closed(&req, error),
    }
}

/// `POST /account/email/confirm`.
async fn submit_confirm(req: PageRequest, form: Form) -> Answer {
    let link = link(&form);
    req.signed_in(&email_change_path(link.expose()))?;
    match user::change_email(&req, &link).await {
        Ok(letter) => {
            if let Some(letter) = &letter {
                send_letter(&req, letter);
            }
            Ok(see_other("/account?done=email"))
        }
        Err(error @ app::Error::Conflict(_)) => {
            req.again_on(PAGE, TypedForm::refused(form, error)?).await
        }
        // The page explains it.
        Err(app::Error::NotFound) => Ok(see_other(&email_change_path(link.expose()))),
        Err(error) => Err(error.into()),
    }
}

fn confirm_page(req: &PageRequest, purpose: EmailPurpose, email: String, link: &Secret) -> Answer {
    let page = EmailConfirmPage {
        chrome: req.chrome(),
        purpose,
        email,
        link: link.expose().to_owned(),
    };
    req.page(StatusCode::OK, &page)
}

fn closed(req: &PageRequest, error: app::Error) -> Answer {
    match error {
        app::Error::NotFound => {
            let user = &req.signed_in(PAGE)?.user;
            let page = EmailClosedPage {
                chrome: req.chrome(),
                email: user.email.clone(),
                is_email_verified: user.email_verified_at.is_some(),
            };
            req.page(StatusCode::NOT_FOUND, &page)
        }
        error => Err(error.into()),
    }
}
