//! Sign-in with identity providers, and the identities that are connected to a user.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::return_to::{HOME, local};
use super::second_step::proceed;
use super::security::PAGE;
use super::session::login_path;
use super::typed_form::TypedForm;
use super::view::FieldErrors;
use super::view::account::LoginNotice;
use super::view::identity::{ConnectClosedPage, ConnectPage, ConnectProof};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::access::Caller;
use app::factor::Begun;
use app::identity::{self, Connection, Entered, Failed, Proof, Purpose, Returned, Start};
use app::{session, sign_in};
use domain::secret::Secret;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/login/with/{provider}", read(start)))
        .service(resource("/login/with/{provider}/callback", read(finish)))
        .service(resource(
            "/login/connect",
            read(show_connect).post(submit_connect),
        ))
        .service(resource(
            "/account/identities/disconnect",
            form_on("/account/security").post(submit_disconnect),
        ));
}

/// `GET /login/with/{provider}`: sends the browser to the provider. Nothing is stored.
async fn start(req: PageRequest) -> Answer {
    let query = req.query()?;
    let start = Start {
        visitor: &req.visitor,
        provider: req.segment("provider"),
        return_to: local(query.value("return_to")),
        purpose: match (query.value("connect"), query.value("again")) {
            (Some(_), _) => Purpose::Connect,
            (None, Some(_)) => Purpose::SignInAgain,
            (None, None) => Purpose::SignIn,
        },
    };
    // The identity can be connected only after a recent sign-in, which is cheaper to ask for now.
    if start.purpose == Purpose::Connect && !req.is_sign_in_recent() {
        return Err(Failure::SignInAgain(PAGE.to_owned()));
    }
    match identity::start(&req, &start).await {
        Ok(address) => Ok(req.leave(address.as_str())),
        Err(failed) => explain(failed, start.return_to),
    }
}

/// `GET /login/with/{provider}/callback`: the provider sends the browser back.
async fn finish(req: PageRequest) -> Answer {
    let query = req.query()?;
    let value = |name| query.value(name).map(str::to_owned);
    let returned = Returned {
        code: value("code"),
        answer: value("answer"),
        state: value("state").unwrap_or_default(),
        issuer: value("iss"),
        error: value("error"),
    };
    let provider = req.segment("provider");
    let entered = identity::finish(&req, &req.visitor, provider, &returned).await;
    enter(&req, entered).await
}

async fn enter(req: &PageRequest, entered: Result<Entered, Failed>) -> Answer {
    match entered {
        Ok(Entered::Begun(begun, return_to)) => proceed(req, begun, local(Some(&return_to))).await,
        Ok(Entered::Connect(sealed)) => Ok(see_other(&format!("/login/connect?link={sealed}"))),
        Err(failed) => explain(failed, HOME),
    }
}

/// Redirects to the sign-in, which says why this one failed.
fn explain(failed: Failed, return_to: &str) -> Answer {
    let notice = match failed {
        Failed::Stale => LoginNotice::ProviderStale,
        Failed::Denied => LoginNotice::ProviderDenied,
        Failed::NotAdmitted(_) => LoginNotice::ProviderNotAdmitted,
        Failed::NotRecent => LoginNotice::ProviderNotRecent,
        Failed::NoEmail => LoginNotice::ProviderNoEmail,
        Failed::Invalid(_) | Failed::Error(app::Error::Outside(_)) => LoginNotice::ProviderFailed,
        Failed::Error(error) => return Err(error.into()),
    };
    let login = login_path(return_to);
    Ok(see_other(&format!("{login}&notice={}", notice.as_str())))
}

/// The text that holds the identity to connect.
fn link(form: &Form) -> &str {
    form.value("link").unwrap_or_default()
}

/// `GET /login/connect`: asks for a proof of the account before an identity is connected to it.
async fn show_connect(req: PageRequest) -> Answer {
    let typed = req.typed_or(req.query()?);
    let sealed = link(&typed.form);
    let Connection { arrived, proof, .. } =
        match identity::connection(&req, &req.visitor, sealed).await {
            Ok(connection) => connection,
            Err(app::Error::NotFound) => {
                let page = ConnectClosedPage {
                    chrome: req.chrome(),
                };
                return req.page(StatusCode::NOT_FOUND, &page);
            }
            Err(error) => return Err(error.into()),
        };
    let sign_in = &req.app.config().sign_in;
    let provider = sign_in.provider(&arrived.provider);
    let page = ConnectPage {
        chrome: req.chrome(),
        link: sealed.to_owned(),
        provider: provider.map_or(arrived.provider, |provider| provider.name.clone()),
        identity: arrived.email.unwrap_or(arrived.subject),
        proof: match proof {
            Proof::Session(user) => ConnectProof::Session(user.email),
            Proof::Password { can_replace, .. } => ConnectProof::Password {
                can_replace,
                has_passwords: sign_in.has_passwords(),
            },
        },
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /login/connect`.
async fn submit_connect(req: PageRequest, form: Form) -> Answer {
    let sealed = link(&form);
    if form.value("decision") == Some("new") {
        let entered = identity::replace(&req, &req.visitor, sealed).await;
        return enter(&req, entered).await;
    }
    let connection = match identity::connection(&req, &req.visitor, sealed).await {
        Ok(connection) => connection,
        // The page explains it.
        Err(app::Error::NotFound) => return Ok(see_other(&req.form_address(&form))),
        Err(error) => return Err(error.into()),
    };
    let return_to = connection.return_to.clone();
    let Proof::Password { email, .. } = &connection.proof else {
        return match identity::connect(&req, connection).await {
            Ok(()) => Ok(see_other(local(Some(&return_to)))),
            Err(app::Error::SignInTooOld) => Err(Failure::SignInAgain(PAGE.to_owned())),
            Err(error) => req.again(TypedForm::refused(form, error)?).await,
        };
    };
    let password = Secret::new(form.value("password").unwrap_or_default());
    let session = match sign_in::sign_in(&req, req.browser(), email, &password).await {
        Ok(Begun::Session(session)) => session,
        // After the second step the user confirms.
        Ok(begun) => return proceed(&req, begun, &req.form_address(&form)).await,
        Err(app::Error::Unauthenticated) => {
            let errors = FieldErrors::on("password", "This is not the password of the account.");
            let typed = TypedForm::with_errors(form, errors);
            return req.again(typed.with_status(StatusCode::UNAUTHORIZED)).await;
        }
        Err(error) => return req.again(TypedForm::refused(form, error)?).await,
    };
    req.end_session().await?;
    let signed_in = session::resume(&req.app, &session.cookies.session).await?;
    let signed_in = signed_in.ok_or(Failure::App(app::Error::Unauthenticated))?;
    let signed_in = req.with_caller(Caller::User(Box::new(signed_in)));
    let path = match identity::connect(&signed_in, connection).await {
        Ok(()) => local(Some(&return_to)),
        // The user is signed in anyway, and the page shows which identities are connected.
        Err(app::Error::Conflict(_)) => PAGE,
        Err(error) => return Err(error.into()),
    };
    Ok(req.begin(&session.cookies, path))
}

/// `POST /account/identities/disconnect`.
async fn submit_disconnect(req: PageRequest, form: Form) -> Answer {
    req.signed_in(PAGE)?;
    match identity::disconnect(&req, form.value("issuer").unwrap_or_default()).await {
        Ok(()) => Ok(see_other("/account/security?done=disconnected")),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}
