//! The signed-in user's account page: name and email address.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::TypedForm;
use super::view::account::{AccountNotice, AccountPage};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::mail;
use app::user;
use wire::form::Form;

/// The path of the page.
pub const PAGE: &str = "/account";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/account", read(show_account)))
        .service(resource(
            "/account/name",
            form_on("/account").post(submit_name),
        ));
}

/// `GET /account`.
pub async fn show_account(req: PageRequest) -> Answer {
    let signed_in = req.signed_in(&req.return_to())?;
    let notice = match req.query()?.value("done") {
        Some("name") => Some(AccountNotice::NameSaved),
        Some("verification") => Some(AccountNotice::VerificationSent),
        Some("email-verified") => Some(AccountNotice::EmailVerified),
        Some("email-link") => Some(AccountNotice::EmailChangeSent),
        Some("email") => Some(AccountNotice::EmailChanged),
        _ => None,
    };
    let typed = req.typed();
    let name = typed.form.value("name");
    let page = AccountPage {
        chrome: req.chrome(),
        name: name.unwrap_or(&signed_in.user.name).to_owned(),
        is_email_verified: signed_in.user.email_verified_at.is_some(),
        sends_mail: mail::is_configured(&req.app),
        new_email: typed.text("new_email"),
        notice,
        has_password: user::signs_in_with_password(&req.app, &signed_in.user),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /account/name`.
pub async fn submit_name(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let name = form.value("name").unwrap_or_default();
    match user::rename(&req, name).await {
        Ok(()) => Ok(see_other("/account?done=name")),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}
