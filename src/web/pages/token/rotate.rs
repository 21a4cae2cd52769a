//! Rotating a token.

use super::TokensRequest;
use super::create::created;
use super::row::row;
use crate::web::failure::Failure;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::view::token::{ReplacedToken, RotatePage, overlaps};
use crate::web::pages::view::{FieldErrors, Moment};
use actix_web::http::StatusCode;
use app::token::{self, Listed};
use chrono::Duration;
use domain::token::State;
use wire::form::Form;

/// `GET /tokens/{id}/rotate`, or the organization's: offers the overlaps.
pub async fn show(req: TokensRequest) -> Answer {
    let id = req.segment("id");
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
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let id = req.segment("id");
    let chosen = form.value("overlap").unwrap_or_default();
    let Some(overlap) = read_overlap(chosen) else {
        let found = token::find_listed(&req, &req.owner_ref, id).await?;
        let errors = FieldErrors::on("overlap", "Choose how long the old one still works.");
        let page = page(&req, found, "", errors);
        return req.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    match token::rotate(&req, &req.owner_ref, id, overlap).await {
        Ok(new) => created(&req, new, Some(replaced(&req, id).await?)),
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

/// When the replaced token becomes inactive.
async fn replaced(req: &TokensRequest, old: &str) -> Result<ReplacedToken, Failure> {
    let now = req.now();
    let old = token::find(req, &req.owner_ref, old).await?;
    let is_admitted = old.policy_decision.is_ok();
    let end = old.ends_at().filter(|end| is_admitted && *end > now);
    Ok(ReplacedToken {
        hint: old.token.hint,
        works_until: end.map(|end| Moment::new(end, now)),
    })
}
