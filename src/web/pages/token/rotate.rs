//! Rotating a token.

use super::TokensRequest;
use super::row::row;
use super::secret::{storing_secret, to_secret};
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::typed_form::TypedForm;
use crate::web::pages::view::token::{RotatePage, overlaps, read_overlap};
use actix_web::http::StatusCode;
use app::token;
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
    let typed = req.typed();
    let overlap = match typed.was_sent() {
        true => typed.form.value("overlap").unwrap_or_default(),
        false => "24h",
    };
    let page = RotatePage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        token: row(&req, found),
        overlap: overlaps(overlap),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/{id}/rotate`, or the organization's: leads to the page that shows the new token
/// once.
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let id = req.segment("id");
    let chosen = form.value("overlap").unwrap_or_default();
    let Some(overlap) = read_overlap(chosen) else {
        let message = "Choose how long the old one still works.";
        return req.again(TypedForm::wrong(form, "overlap", message)).await;
    };
    match token::rotate(&storing_secret(&req)?, &req.owner_ref, id, overlap).await {
        Ok(new) => to_secret(&req, &new.token.id),
        Err(error @ app::Error::Conflict(_)) => {
            match token::find_successor(&req, &req.owner_ref, id).await? {
                // The browser sent the form twice.
                Some(successor) => to_secret(&req, &successor),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
