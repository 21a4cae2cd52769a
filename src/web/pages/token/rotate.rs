//! Rotating a token.

use super::TokensRequest;
use super::row::row;
use crate::web::failure::Failure;
use crate::web::pages::org_request::segment;
use crate::web::pages::page_request::{PageRequest, see_other};
use crate::web::pages::view::token::{ReplacedToken, RotatePage, TokenCreatedPage, overlaps};
use crate::web::pages::view::{FieldErrors, Moment};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::token::{self, Listed, NewToken};
use chrono::Duration;
use domain::token::State;

/// `GET /tokens/{id}/rotate`, or the organization's: offers the overlaps.
pub async fn show(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let req = TokensRequest::of(req, &request).await?;
    let found = token::find_listed(&req, &req.owner_ref, id).await?;
    if found.is_replaced || found.token.state(req.now()) != State::Live {
        // The list shows its state.
        return Ok(see_other(&req.path));
    }
    let page = page(&req, found, "24h", FieldErrors::none());
    req.page(StatusCode::OK, &page)
}

fn page(req: &TokensRequest, found: Listed, overlap: &str, errors: FieldErrors) -> RotatePage {
    RotatePage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        token: row(req, found),
        overlap: overlaps(overlap),
        errors,
    }
}

/// `POST /tokens/{id}/rotate`, or the organization's: shows the new token once.
pub async fn submit(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let id = segment(&request, "id");
    let req = TokensRequest::of(req, &request).await?;
    let chosen = form.value("overlap").unwrap_or_default();
    let Some(overlap) = read_overlap(chosen) else {
        let found = token::find_listed(&req, &req.owner_ref, id).await?;
        let errors = FieldErrors::on("overlap", "Choose how long the old one still works.");
        let page = page(&req, found, "", errors);
        return req.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    match token::rotate(&req, &req.owner_ref, id, overlap).await {
        Ok(new) => created(&req, id, new).await,
        // The browser repeated the POST that showed the new token, or the token ended meanwhile.
        Err(app::Error::Conflict(message)) => {
            let found = token::find_listed(&req, &req.owner_ref, id).await?;
            let page = page(&req, found, chosen, FieldErrors::whole(message));
            req.page(StatusCode::CONFLICT, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// How long the old token stays active.
fn read_overlap(choice: &str) -> Option<Duration> {
    match choice {
        "none" => Some(Duration::zero()),
        "1h" => Some(Duration::hours(1)),
        "24h" => Some(Duration::hours(24)),
        "7d" => Some(Duration::days(7)),
        _ => None,
    }
}

async fn created(req: &TokensRequest, old: &str, new: NewToken) -> Result<HttpResponse, Failure> {
    let now = req.now();
    let old = token::find(req, &req.owner_ref, old).await?;
    let is_admitted = old.policy_decision.is_ok();
    let end = old.ends_at().filter(|end| is_admitted && *end > now);
    let page = TokenCreatedPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        name: new.token.name,
        token: new.secret.expose().to_owned(),
        scopes: new.token.scopes.iter().map(ToString::to_string).collect(),
        expires: new.token.expires_at.map(|end| Moment::new(end, now)),
        replaced: Some(ReplacedToken {
            hint: old.token.hint,
            works_until: end.map(|end| Moment::new(end, now)),
        }),
        me_url: req.app.config().server.public_url.join("/v1/me"),
    };
    req.page(StatusCode::OK, &page)
}
