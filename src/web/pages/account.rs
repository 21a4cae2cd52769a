//! The signed-in user's account page: name, password and sessions.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::password::count_tokens;
use super::provider::{connecting, provider_name};
use super::session::place;
use super::typed_form::TypedForm;
use super::view::account::{AccountNotice, AccountPage, SessionRow};
use super::view::identity::IdentityRow;
use super::view::{Moment, agent_name};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::user::{self, OtherSessions};
use app::{identity, mail, session};
use domain::id::SessionId;
use domain::secret::Secret;
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
        ))
        .service(resource(
            "/account/password",
            form_on("/account").post(submit_password),
        ))
        .service(resource(
            "/account/sessions/{id}/sign-out",
            form_on("/account").post(submit_sign_out),
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
        Some("password") => Some(AccountNotice::PasswordChanged),
        Some("password-and-sessions") => Some(AccountNotice::PasswordChangedOthersEnded),
        Some("session") => Some(AccountNotice::SessionEnded),
        Some("connected") => Some(AccountNotice::IdentityConnected),
        Some("disconnected") => Some(AccountNotice::IdentityDisconnected),
        _ => None,
    };
    let (now, typed) = (req.now(), req.typed());
    let sessions = session::list(&req).await?;
    let tokens = count_tokens(&req).await?;
    let name = typed.form.value("name");
    let sign_in = &req.app.config().sign_in;
    let identities = identity::list(&req).await?;
    let is_linked = |issuer: &str| identities.iter().any(|one| one.identity.issuer == issuer);
    let providers = sign_in.enabled_providers();
    let providers = providers.filter(|provider| !is_linked(&provider.issuer));
    let page = AccountPage {
        chrome: req.chrome(),
        name: name.unwrap_or(&signed_in.user.name).to_owned(),
        is_email_verified: signed_in.user.email_verified_at.is_some(),
        sends_mail: mail::is_configured(&req.app),
        new_email: typed.text("new_email"),
        end_others: !typed.was_sent() || typed.form.value("end_others").is_some(),
        notice,
        tokens,
        has_password: sign_in.has_passwords() && signed_in.user.password().is_some(),
        providers: providers.map(connecting).collect(),
        identities: identities
            .into_iter()
            .map(|linked| IdentityRow {
                provider: provider_name(sign_in, &linked.identity.issuer),
                issuer: linked.identity.issuer,
                email: linked.email.unwrap_or_default(),
                last_used: Moment::new(linked.last_used_at, now),
            })
            .collect(),
        errors: typed.errors,
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                place: place(session.id.as_str(), signed_in.session.id.as_str()),
                id: session.id.to_string(),
                agent: agent_name(&session.user_agent),
                address: session.address.to_string(),
                last_seen: Moment::new(session.last_seen_at, now),
                signed_in: Moment::new(session.created_at, now),
            })
            .collect(),
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

/// `POST /account/password`.
pub async fn submit_password(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let secret = |name| Secret::new(form.value(name).unwrap_or_default());
    let (others, done) = match form.value("end_others") {
        Some(_) => (OtherSessions::End, "password-and-sessions"),
        None => (OtherSessions::Keep, "password"),
    };
    let (current, new) = (secret("current_password"), secret("new_password"));
    match user::change_password(&req, &current, &new, others).await {
        Ok(cookies) => Ok(req.begin(&cookies, &format!("/account?done={done}"))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `POST /account/sessions/{id}/sign-out`.
pub async fn submit_sign_out(req: PageRequest, _: Form) -> Answer {
    let signed_in = req.signed_in(PAGE)?;
    let id = SessionId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    session::end(&req, &id).await?;
    if id == signed_in.session.id {
        return Ok(req.end("/login?notice=signed-out"));
    }
    Ok(see_other("/account?done=session"))
}
