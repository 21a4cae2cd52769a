//! The authenticator app and the recovery codes of the signed-in user.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::TypedForm;
use super::view::Moment;
use super::view::factor::{
    AuthenticatorPage, AuthenticatorState, AuthenticatorTimes, NewCodesPage, RecoveryPage, qr,
};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::factor::{self, Added, NewCodes};
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

const TOTP: &str = "/account/security/totp";
const CODES: &str = "/account/security/recovery-codes";
/// The page that shows new recovery codes once.
pub const SECRET: &str = "/account/security/recovery-codes/secret";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/account/security/totp",
            read(show_totp).post(submit_totp),
        ))
        .service(resource(
            "/account/security/totp/remove",
            form_on("/account/security/totp").post(submit_remove),
        ))
        .service(resource(
            "/account/security/recovery-codes",
            read(show_codes).post(submit_codes),
        ))
        .service(resource(
            "/account/security/recovery-codes/secret",
            read(show_new_codes),
        ));
}

/// `GET /account/security/totp`. Without an app it draws a secret, which is stored nowhere.
async fn show_totp(req: PageRequest) -> Answer {
    let signed_in = req.signed_in(TOTP)?;
    let (typed, now) = (req.typed(), req.now());
    let state = match factor::list(&req).await?.authenticator {
        Some(found) => AuthenticatorState::Present(Box::new(AuthenticatorTimes {
            added: Moment::new(found.created_at, now),
            last_used: found.last_used_at.map(|at| Moment::new(at, now)),
        })),
        None => {
            let offer = factor::offer(&req, &req.visitor, typed.form.value("sealed"))?;
            let brand = &req.app.config().branding.name;
            let url = otpauth_url(brand, &signed_in.user.email, &offer.secret);
            AuthenticatorState::Offered {
                qr: qr(&url),
                secret: grouped(&offer.secret),
                sealed: offer.sealed,
            }
        }
    };
    let page = AuthenticatorPage {
        chrome: req.chrome(),
        state,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// The address that authenticator apps read from a QR code.
fn otpauth_url(brand: &str, email: &str, secret: &Secret) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let (brand, email, secret) = (encode(brand), encode(email), secret.expose());
    format!("otpauth://totp/{brand}:{email}?secret={secret}&issuer={brand}")
}

/// A secret in groups of four, to be typed.
fn grouped(secret: &Secret) -> String {
    let letters: Vec<char> = secret.expose().chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join(" ")
}

/// `POST /account/security/totp`.
async fn submit_totp(req: PageRequest, form: Form) -> Answer {
    req.signed_in(TOTP)?;
    let field = |name| form.value(name).unwrap_or_default();
    let (sealed, code) = (field("sealed"), field("code"));
    let storing = req.storing_secret(|added: &Added| {
        let none = || Secret::new("");
        let codes = added.codes.clone().unwrap_or_else(none);
        (added.user_id.to_string(), codes)
    })?;
    match factor::add(&storing, &req.visitor, sealed, code).await {
        Ok(Added {
            user_id,
            codes: Some(_),
        }) => req.to_secret(user_id.as_str(), SECRET),
        Ok(_) => Ok(see_other(TOTP)),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `POST /account/security/totp/remove`.
async fn submit_remove(req: PageRequest, _: Form) -> Answer {
    req.signed_in(TOTP)?;
    match factor::remove(&req).await {
        // The form was sent twice.
        Ok(()) | Err(app::Error::NotFound) => Ok(see_other(TOTP)),
        Err(error) => Err(error.into()),
    }
}

/// `GET /account/security/recovery-codes`.
async fn show_codes(req: PageRequest) -> Answer {
    req.signed_in(CODES)?;
    let factors = factor::list(&req).await?;
    let page = RecoveryPage {
        chrome: req.chrome(),
        left: factors.recovery_codes,
        has_factor: factors.authenticator.is_some() || !factors.passkeys.is_empty(),
        errors: req.typed().errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /account/security/recovery-codes`: replaces the codes.
async fn submit_codes(req: PageRequest, form: Form) -> Answer {
    req.signed_in(CODES)?;
    let storing =
        req.storing_secret(|new: &NewCodes| (new.user_id.to_string(), new.codes.clone()))?;
    match factor::renew(&storing).await {
        Ok(new) => req.to_secret(new.user_id.as_str(), SECRET),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `GET /account/security/recovery-codes/secret`: shows new codes once.
async fn show_new_codes(req: PageRequest) -> Answer {
    let id = &req.signed_in(CODES)?.user.id;
    let codes = req.take_secret(id.as_str()).await?;
    let codes = codes.filter(|codes| !codes.expose().is_empty());
    let page = NewCodesPage {
        chrome: req.chrome(),
        codes: codes.map(|codes| codes.expose().lines().map(str::to_owned).collect()),
    };
    req.secret_page(&page)
}
