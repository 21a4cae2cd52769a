//! The passkeys of the signed-in user, and the forms of their ceremonies.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::TypedForm;
use super::view::Moment;
use super::view::factor::{Ceremony, PasskeyPage, PasskeyRow, PasskeysPage};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::factor::{self, Added, Beginning, Response};
use domain::id::PasskeyId;
use domain::secret::Secret;
use wire::form::Form;

const PAGE: &str = "/account/security/passkeys";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/account/security/passkeys",
            read(show_passkeys).post(submit_passkey),
        ))
        .service(resource(
            "/account/security/passkeys/{passkey}",
            read(show_passkey),
        ))
        .service(resource(
            "/account/security/passkeys/{passkey}/name",
            form_on("/account/security/passkeys/{passkey}").post(submit_name),
        ))
        .service(resource(
            "/account/security/passkeys/{passkey}/remove",
            form_on("/account/security/passkeys/{passkey}").post(submit_remove),
        ));
}

/// A ceremony for a page.
pub fn ceremony(begun: Beginning) -> Ceremony {
    Ceremony {
        state: begun.state,
        challenge: begun.challenge.expose().to_owned(),
        host: begun.host,
    }
}

/// The response that a form sends; `None` if it is a form without one.
pub fn response(form: &Form) -> Option<Response> {
    let field = |name| form.value(name).unwrap_or_default().to_owned();
    let response = Response {
        state: field("state"),
        credential: field("credential"),
        client_data: field("client_data"),
        data: field("data"),
        signature: field("signature"),
        user_handle: field("user_handle"),
    };
    (!response.credential.is_empty()).then_some(response)
}

/// `GET /account/security/passkeys`.
async fn show_passkeys(req: PageRequest) -> Answer {
    let user = &req.signed_in(PAGE)?.user;
    let (typed, now) = (req.typed(), req.now());
    let passkeys = factor::list(&req).await?.passkeys;
    let known: Vec<_> = passkeys.iter().map(|one| &*one.credential).collect();
    let page = PasskeysPage {
        chrome: req.chrome(),
        known: known.join(" "),
        user_id: user.id.to_string(),
        email: user.email.clone(),
        name: typed.text("name"),
        begun: factor::offer_new(&req, &req.visitor)?.map(ceremony),
        errors: typed.errors,
        passkeys: passkeys
            .into_iter()
            .map(|one| PasskeyRow {
                id: one.id.to_string(),
                name: one.name,
                added: Moment::new(one.created_at, now),
                last_used: one.last_used_at.map(|at| Moment::new(at, now)),
            })
            .collect(),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /account/security/passkeys`: adds a passkey.
async fn submit_passkey(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let name = form.value("name").unwrap_or_default();
    let response = response(&form).unwrap_or_default();
    let storing = req.storing_secret(|added: &Added| {
        let none = || Secret::new("");
        let codes = added.codes.clone().unwrap_or_else(none);
        (added.user_id.to_string(), codes)
    })?;
    match factor::add_passkey(&storing, &req.visitor, name, response).await {
        Ok(Added {
            user_id,
            codes: Some(_),
        }) => req.to_secret(user_id.as_str(), super::factor::SECRET),
        Ok(_) => Ok(see_other(PAGE)),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

fn id(req: &PageRequest) -> Result<PasskeyId, Failure> {
    PasskeyId::parse(req.segment("passkey")).ok_or(Failure::NotFound)
}

/// `GET /account/security/passkeys/{passkey}`.
async fn show_passkey(req: PageRequest) -> Answer {
    req.signed_in(PAGE)?;
    let id = id(&req)?;
    let mut passkeys = factor::list(&req).await?.passkeys.into_iter();
    let found = passkeys.find(|one| one.id == id).ok_or(Failure::NotFound)?;
    let typed = req.typed();
    let page = PasskeyPage {
        chrome: req.chrome(),
        id: id.to_string(),
        typed: typed.form.value("name").unwrap_or(&found.name).to_owned(),
        name: found.name,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /account/security/passkeys/{passkey}/name`.
async fn submit_name(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let name = form.value("name").unwrap_or_default();
    match factor::rename_passkey(&req, &id(&req)?, name).await {
        Ok(()) => Ok(see_other(PAGE)),
        Err(app::Error::NotFound) => Err(Failure::NotFound),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `POST /account/security/passkeys/{passkey}/remove`.
async fn submit_remove(req: PageRequest, _: Form) -> Answer {
    req.signed_in(PAGE)?;
    match factor::remove_passkey(&req, &id(&req)?).await {
        // The form was sent twice.
        Ok(()) | Err(app::Error::NotFound) => Ok(see_other(PAGE)),
        Err(error) => Err(error.into()),
    }
}
