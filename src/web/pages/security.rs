//! How the signed-in user signs in: password, identity providers and browser sessions.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::password::count_tokens;
use super::provider::{connecting, provider_name};
use super::session::again_path;
use super::typed_form::TypedForm;
use super::view::identity::IdentityRow;
use super::view::security::{
    PasswordState, SecurityNotice, SecurityPage, SessionPlace, SessionRow,
};
use super::view::{Moment, agent_name, is_phone};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::user::{self, OtherSessions};
use app::{identity, session};
use domain::id::SessionId;
use domain::network;
use domain::secret::Secret;
use domain::user::Session;
use std::net::IpAddr;
use wire::form::Form;

/// The path of the page.
pub const PAGE: &str = "/account/security";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/account/security", read(show)))
        .service(resource(
            "/account/password",
            form_on("/account/security").post(submit_password),
        ))
        .service(resource(
            "/account/sessions/sign-out-others",
            form_on("/account/security").post(submit_sign_out_others),
        ))
        .service(resource(
            "/account/sessions/{id}/sign-out",
            form_on("/account/security").post(submit_sign_out),
        ));
}

/// `GET /account/security`.
async fn show(req: PageRequest) -> Answer {
    let signed_in = req.signed_in(&req.return_to())?;
    let notice = match req.query()?.value("done") {
        Some("password") => Some(SecurityNotice::PasswordChanged),
        Some("password-and-sessions") => Some(SecurityNotice::PasswordChangedOthersEnded),
        Some("session") => Some(SecurityNotice::SessionEnded),
        Some("sessions") => Some(SecurityNotice::OthersEnded),
        Some("connected") => Some(SecurityNotice::IdentityConnected),
        Some("disconnected") => Some(SecurityNotice::IdentityDisconnected),
        _ => None,
    };
    let (now, typed) = (req.now(), req.typed());
    let sign_in = &req.app.config().sign_in;
    let identities = identity::list(&req).await?;
    let is_linked = |issuer: &str| identities.iter().any(|one| one.identity.issuer == issuer);
    let providers = sign_in.enabled_providers();
    let providers = providers.filter(|provider| !is_linked(&provider.issuer));
    let sessions = session::list(&req).await?;
    let page = SecurityPage {
        chrome: req.chrome(),
        notice,
        tokens: count_tokens(&req).await?,
        password: match user::signs_in_with_password(&req.app, &signed_in.user) {
            false => PasswordState::None,
            // What was typed is not lost, and its errors are shown.
            true if req.is_sign_in_recent() || typed.was_sent() => PasswordState::Form {
                end_others: !typed.was_sent() || typed.form.value("end_others").is_some(),
            },
            true => PasswordState::SignInAgain(again_path(PAGE)),
        },
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
            .map(|session| row(&req, session, &signed_in.session.id))
            .collect(),
    };
    req.page(StatusCode::OK, &page)
}

fn row(req: &PageRequest, session: Session, own: &SessionId) -> SessionRow {
    let now = req.now();
    SessionRow {
        place: place(req, session.address),
        is_this_browser: session.id == *own,
        id: session.id.to_string(),
        agent: agent_name(&session.user_agent),
        is_phone: is_phone(&session.user_agent),
        address: session.address.to_string(),
        last_seen: Moment::new(session.last_seen_at, now),
        signed_in: Moment::new(session.created_at, now),
    }
}

/// Where a session began, seen from this browser. Through a proxy that is not configured, all
/// browsers have its address, which says nothing.
fn place(req: &PageRequest, address: IpAddr) -> SessionPlace {
    let here = req.context.source();
    if !req.is_address_certain() || network::is_unknown(address) {
        return SessionPlace::Unknown;
    }
    match network::is_same_network(address, here) {
        true if network::canonical(address).is_loopback() => SessionPlace::ThisMachine,
        true => SessionPlace::ThisNetwork,
        false => SessionPlace::AnotherNetwork,
    }
}

/// `POST /account/password`.
async fn submit_password(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    let secret = |name| Secret::new(form.value(name).unwrap_or_default());
    let (others, done) = match form.value("end_others") {
        Some(_) => (OtherSessions::End, "password-and-sessions"),
        None => (OtherSessions::Keep, "password"),
    };
    let (current, new) = (secret("current_password"), secret("new_password"));
    match user::change_password(&req, &current, &new, others).await {
        Ok(cookies) => Ok(req.begin(&cookies, &format!("{PAGE}?done={done}"))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `POST /account/sessions/{id}/sign-out`.
async fn submit_sign_out(req: PageRequest, _: Form) -> Answer {
    let signed_in = req.signed_in(PAGE)?;
    let id = SessionId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    session::end(&req, &id).await?;
    if id == signed_in.session.id {
        return Ok(req.end("/login?notice=signed-out"));
    }
    Ok(see_other("/account/security?done=session"))
}

/// `POST /account/sessions/sign-out-others`.
async fn submit_sign_out_others(req: PageRequest, _: Form) -> Answer {
    req.signed_in(PAGE)?;
    match session::end_others(&req).await {
        Ok(()) => Ok(see_other("/account/security?done=sessions")),
        // Another browser has just signed this one out.
        Err(app::Error::Unauthenticated) => Err(Failure::SignIn(PAGE.to_owned())),
        Err(error) => Err(error.into()),
    }
}
