//! Replacing a password that the operator set, and the page after a password was set.

use super::page_request::{Answer, NEW_PASSWORD, PageRequest, see_other};
use super::page_route::read;
use super::return_to::{HOME, local};
use super::typed_form::TypedForm;
use super::view::password::{NewPasswordPage, PasswordSetPage};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::token::{self, OwnerRef};
use app::user;
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The page after a password was set.
const DONE: &str = "/account/password/done";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/account/password/new",
            read(show_new).post(submit_new),
        ))
        .service(resource("/account/password/done", read(show_done)));
}

/// The URL of the page after a password was set, which leads on to `return_to`.
pub fn done(return_to: &str) -> String {
    match return_to {
        HOME => DONE.to_owned(),
        other => {
            let other = utf8_percent_encode(other, NON_ALPHANUMERIC);
            format!("{DONE}?return_to={other}")
        }
    }
}

/// `GET /account/password/new`.
async fn show_new(req: PageRequest) -> Answer {
    let signed_in = req.signed_in(HOME)?;
    let query = req.query()?;
    if !signed_in.user.must_change_password {
        return Ok(see_other(local(query.value("return_to"))));
    }
    let typed = req.typed_or(query);
    let page = NewPasswordPage {
        chrome: req.chrome(),
        return_to: local(typed.form.value("return_to")).to_owned(),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /account/password/new`.
async fn submit_new(req: PageRequest, form: Form) -> Answer {
    req.signed_in(NEW_PASSWORD)?;
    let new = Secret::new(form.value("new_password").unwrap_or_default());
    match user::replace_password(&req, &new).await {
        Ok(cookies) => {
            let path = done(local(form.value("return_to")));
            Ok(req.begin(&cookies, &path))
        }
        // The form was sent twice.
        Err(app::Error::Conflict(_)) => Ok(see_other(HOME)),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `GET /account/password/done`.
async fn show_done(req: PageRequest) -> Answer {
    req.signed_in(DONE)?;
    let page = PasswordSetPage {
        chrome: req.chrome(),
        return_to: local(req.query()?.value("return_to")).to_owned(),
        tokens: count_tokens(&req).await?,
    };
    req.page(StatusCode::OK, &page)
}

/// The number of active tokens of the signed-in user.
pub async fn count_tokens(req: &PageRequest) -> Result<usize, Failure> {
    Ok(token::count_living(req, &OwnerRef::Own).await?)
}
