//! A new sign-in of the owner of a token, for a route that needs a recent one. A client sends its user
//! here.

use super::TokensRequest;
use super::row::row;
use crate::web::failure::Failure;
use crate::web::links::confirmation_path;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::view::duration_words;
use crate::web::pages::view::token_confirm::{ConfirmPage, ConfirmState};
use actix_web::http::StatusCode;
use app::access::recent;
use app::token;
use chrono::Duration;
use domain::id::TokenId;
use domain::token::{State, Token};
use wire::form::Form;

/// How recent the sign-in must be where the address does not say it, in seconds.
const USUAL: u64 = 300;

/// The shortest and the longest that the address can ask for, in seconds.
const BOUNDS: (u64, u64) = (60, 365 * 86_400);

/// How recent the sign-in must be for the route.
fn max_age(form: &Form) -> u64 {
    let asked = form.value("max_age").and_then(|text| text.parse().ok());
    let (least, most) = BOUNDS;
    asked.unwrap_or(USUAL).clamp(least, most)
}

/// How recent the sign-in must be for the confirmation: half of it is left for the request.
fn within(max_age: u64) -> Duration {
    Duration::seconds(i64::try_from(max_age / 2).unwrap_or(i64::MAX))
}

/// The page, to return to after a new sign-in.
fn address(req: &TokensRequest, max_age: u64) -> Result<String, Failure> {
    let id = TokenId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    Ok(confirmation_path(&id, max_age))
}

/// `GET /tokens/{id}/confirm`.
pub async fn show(req: TokensRequest) -> Answer {
    let query = req.query()?;
    let max_age = max_age(&query);
    let listed = token::find_listed(&req, &req.owner_ref, req.segment("id")).await?;
    if listed.token.state(req.now()) != State::Live {
        // The page of the token shows its state.
        return Ok(see_other(&format!("/tokens/{}", listed.token.id)));
    }
    let state = match query.value("done") {
        Some(_) => ConfirmState::Done,
        None if !is_later(&req, &listed.token, max_age) => {
            return Err(Failure::SignInAgain(address(&req, max_age)?));
        }
        None => ConfirmState::Form(max_age),
    };
    let page = ConfirmPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        token: row(&req, listed),
        state,
        period: duration_words(max_age),
    };
    req.page(StatusCode::OK, &page)
}

/// Whether the sign-in of this session suffices: it is recent, and not the one that confirmed the
/// token before.
fn is_later(req: &TokensRequest, token: &Token, max_age: u64) -> bool {
    let signed_in = req.caller.signed_in().ok();
    let session = signed_in.map(|signed_in| &signed_in.session);
    session.is_some_and(|session| {
        session.is_recent(req.now(), within(max_age))
            && recent::is_recent(&req.app, session, req.now())
            && session.authenticated_at() > token.confirmed_at
    })
}

/// `POST /tokens/{id}/confirm`.
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let max_age = max_age(&form);
    let address = address(&req, max_age)?;
    match token::confirm(&req, req.segment("id"), within(max_age)).await {
        Ok(()) => Ok(see_other(&format!("{address}&done=yes"))),
        Err(app::Error::SignInTooOld) => Err(Failure::SignInAgain(address)),
        Err(error) => Err(error.into()),
    }
}
