//! The signed-in user's account page: name, password and sessions.

use super::faults;
use super::page_request::{PageRequest, see_other};
use super::session::place;
use super::view::account::{AccountNotice, AccountPage, SessionRow};
use super::view::{FieldErrors, Moment, agent_name};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::session::{self, SignedIn};
use app::user::{self, OtherSessions};
use domain::id::SessionId;
use domain::secret::Secret;
use wire::form::Form;

const PAGE: &str = "/account";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/account", [read(show_account)]))
        .service(resource("/account/name", [post(submit_name)]))
        .service(resource("/account/password", [post(submit_password)]))
        .service(resource(
            "/account/sessions/{id}/sign-out",
            [post(submit_sign_out)],
        ));
}

/// `GET /account`.
pub async fn show_account(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let signed_in = req.signed_in(PAGE)?;
    let notice = match extract::query(&request)?.value("done") {
        Some("name") => Some(AccountNotice::NameSaved),
        Some("password") => Some(AccountNotice::PasswordChanged),
        Some("password-and-sessions") => Some(AccountNotice::PasswordChangedOthersEnded),
        Some("session") => Some(AccountNotice::SessionEnded),
        _ => None,
    };
    let page = page(&req, signed_in, None, notice, FieldErrors::none()).await?;
    req.page(StatusCode::OK, &page)
}

async fn page(
    req: &PageRequest,
    signed_in: &SignedIn,
    form: Option<&Form>,
    notice: Option<AccountNotice>,
    errors: FieldErrors,
) -> Result<AccountPage, Failure> {
    let now = req.now();
    let sessions = session::list(&req.app, signed_in).await?;
    let typed_name = form.and_then(|form| form.value("name"));
    Ok(AccountPage {
        chrome: req.chrome(),
        name: typed_name.unwrap_or(&signed_in.user.name).to_owned(),
        end_others: form.is_none_or(|form| form.value("end_others").is_some()),
        notice,
        errors,
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
    })
}

/// `POST /account/name`.
pub async fn submit_name(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let signed_in = req.signed_in(PAGE)?;
    let name = form.value("name").unwrap_or_default();
    match user::rename(&req.app, &req.context, signed_in, name).await {
        Ok(()) => Ok(see_other("/account?done=name")),
        Err(error) => again(&req, signed_in, &form, faults(error)?).await,
    }
}

async fn again(
    req: &PageRequest,
    signed_in: &SignedIn,
    form: &Form,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = page(req, signed_in, Some(form), None, errors).await?;
    req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /account/password`.
pub async fn submit_password(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let signed_in = req.signed_in(PAGE)?;
    let secret = |name| Secret::new(form.value(name).unwrap_or_default());
    let (others, done) = match form.value("end_others") {
        Some(_) => (OtherSessions::End, "password-and-sessions"),
        None => (OtherSessions::Keep, "password"),
    };
    let changed = user::change_password(
        &req.app,
        &req.context,
        signed_in,
        &secret("current_password"),
        &secret("new_password"),
        others,
    )
    .await;
    match changed {
        Ok(cookie) => Ok(req.renew(&cookie, &format!("/account?done={done}"))),
        Err(error) => again(&req, signed_in, &form, faults(error)?).await,
    }
}

/// `POST /account/sessions/{id}/sign-out`.
pub async fn submit_sign_out(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let signed_in = req.signed_in(PAGE)?;
    let id = SessionId::parse(&id).ok_or(Failure::NotFound)?;
    session::end(&req.app, &req.context, signed_in, &id).await?;
    if id == signed_in.session.id {
        return Ok(req.end("/login?notice=signed-out"));
    }
    Ok(see_other("/account?done=session"))
}
