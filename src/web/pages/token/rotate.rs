//! Rotating a token.

use super::row::row;
use super::{TokensRequest, tokens_req};
use crate::web::failure::Failure;
use crate::web::pages::org_request::segment;
use crate::web::pages::page_request::{PageRequest, see_other};
use crate::web::pages::view::token::{ReplacedToken, RotatePage, TokenCreatedPage, overlaps};
use crate::web::pages::view::{FieldErrors, Moment};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::idempotency::IdempotencyRecord;
use app::token::{self, Listed, NewToken};
use chrono::Duration;
use domain::token::State;

/// `GET /tokens/{id}/rotate`, or the organization's: offers the overlaps.
pub async fn show(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let tokens_req = tokens_req(&req, &request).await?;
    let found = token::find_listed(&req.app, &tokens_req.caller, &tokens_req.owner_ref, id).await?;
    if found.is_replaced || found.token.state(req.now()) != State::Live {
        // The list shows its state.
        return Ok(see_other(&tokens_req.path));
    }
    page(
        &req,
        tokens_req,
        StatusCode::OK,
        found,
        "24h",
        FieldErrors::none(),
    )
}

fn page(
    req: &PageRequest,
    tokens_req: TokensRequest,
    status: StatusCode,
    found: Listed,
    overlap: &str,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = RotatePage {
        chrome: req.chrome(),
        owner: tokens_req.owner,
        token: row(req, found),
        overlap: overlaps(overlap),
        errors,
    };
    req.page(status, &page)
}

/// `POST /tokens/{id}/rotate`, or the organization's: shows the new token once.
pub async fn submit(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let id = segment(&request, "id");
    let tokens_req = tokens_req(&req, &request).await?;
    let chosen = form.value("overlap").unwrap_or_default();
    let Some(overlap) = read_overlap(chosen) else {
        let found =
            token::find_listed(&req.app, &tokens_req.caller, &tokens_req.owner_ref, id).await?;
        let errors = FieldErrors::on("overlap", "Choose how long the old one still works.");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&req, tokens_req, status, found, "", errors);
    };
    let (app, context) = (&req.app, &req.context);
    match token::rotate(
        app,
        context,
        &tokens_req.caller,
        &tokens_req.owner_ref,
        id,
        overlap,
        IdempotencyRecord::none(),
    )
    .await
    {
        Ok(new) => created(&req, tokens_req, id, new).await,
        // The browser repeated the POST that showed the new token, or the token ended meanwhile.
        Err(app::Error::Conflict(message)) => {
            let found =
                token::find_listed(app, &tokens_req.caller, &tokens_req.owner_ref, id).await?;
            let errors = FieldErrors::whole(message);
            page(
                &req,
                tokens_req,
                StatusCode::CONFLICT,
                found,
                chosen,
                errors,
            )
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

async fn created(
    req: &PageRequest,
    tokens_req: TokensRequest,
    old: &str,
    new: NewToken,
) -> Result<HttpResponse, Failure> {
    let now = req.now();
    let old = token::find(&req.app, &tokens_req.caller, &tokens_req.owner_ref, old).await?;
    let is_admitted = old.policy_decision.is_ok();
    let end = old.ends_at().filter(|end| is_admitted && *end > now);
    let page = TokenCreatedPage {
        chrome: req.chrome(),
        owner: tokens_req.owner,
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
