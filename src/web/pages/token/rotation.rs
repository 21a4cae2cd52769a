//! Rotating a token.

use super::row::row;
use super::{Shelf, shelf};
use crate::web::failure::Failure;
use crate::web::pages::inside::segment;
use crate::web::pages::view::token::{ReplacedToken, RotatePage, TokenCreatedPage, overlaps};
use crate::web::pages::view::{FieldErrors, Moment};
use crate::web::pages::visit::{Visit, see_other};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::receipt::Receipt;
use app::token::{self, Listed, NewToken};
use chrono::Duration;
use domain::token::State;

/// `GET /tokens/{id}/rotate`, or the organization's: asks how.
pub async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let shelf = shelf(&visit, &request).await?;
    let found = token::find_listed(&visit.app, &shelf.caller, &shelf.whose, id).await?;
    if found.is_replaced || found.token.state(visit.now()) != State::Live {
        // The list says what became of it.
        return Ok(see_other(&shelf.path));
    }
    page(
        &visit,
        shelf,
        StatusCode::OK,
        found,
        "24h",
        FieldErrors::none(),
    )
}

fn page(
    visit: &Visit,
    shelf: Shelf,
    status: StatusCode,
    found: Listed,
    overlap: &str,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = RotatePage {
        chrome: visit.chrome(),
        holder: shelf.holder,
        token: row(visit, found),
        overlap: overlaps(overlap),
        errors,
    };
    visit.page(status, &page)
}

/// `POST /tokens/{id}/rotate`, or the organization's: shows the new token, this once.
pub async fn submit(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let id = segment(&request, "id");
    let shelf = shelf(&visit, &request).await?;
    let chosen = form.value("overlap").unwrap_or_default();
    let Some(overlap) = read_overlap(chosen) else {
        let found = token::find_listed(&visit.app, &shelf.caller, &shelf.whose, id).await?;
        let errors = FieldErrors::on("overlap", "Choose how long the old one still works.");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&visit, shelf, status, found, "", errors);
    };
    let (app, context) = (&visit.app, &visit.context);
    match token::rotate(
        app,
        context,
        &shelf.caller,
        &shelf.whose,
        id,
        overlap,
        Receipt::none(),
    )
    .await
    {
        Ok(new) => created(&visit, shelf, id, new).await,
        // The page that showed the new token was loaded again, or the token ended meanwhile.
        Err(app::Error::Conflict(message)) => {
            let found = token::find_listed(app, &shelf.caller, &shelf.whose, id).await?;
            let errors = FieldErrors::whole(message);
            page(&visit, shelf, StatusCode::CONFLICT, found, chosen, errors)
        }
        Err(error) => Err(error.into()),
    }
}

/// How long the old token goes on.
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
    visit: &Visit,
    shelf: Shelf,
    old: &str,
    new: NewToken,
) -> Result<HttpResponse, Failure> {
    let now = visit.now();
    let old = token::find(&visit.app, &shelf.caller, &shelf.whose, old).await?;
    let is_admitted = old.admission.is_ok();
    let end = old.ends_at().filter(|end| is_admitted && *end > now);
    let page = TokenCreatedPage {
        chrome: visit.chrome(),
        holder: shelf.holder,
        name: new.token.name,
        token: new.secret.expose().to_owned(),
        scopes: new.token.scopes.iter().map(ToString::to_string).collect(),
        expires: new.token.expires_at.map(|end| Moment::new(end, now)),
        replaced: Some(ReplacedToken {
            hint: old.token.hint,
            works_until: end.map(|end| Moment::new(end, now)),
        }),
        me_url: visit.app.config().server.public_url.join("/v1/me"),
    };
    visit.page(StatusCode::OK, &page)
}
