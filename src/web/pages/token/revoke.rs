//! Revoking one token, or all of them.

use super::TokensRequest;
use super::row::row;
use crate::web::pages::org::ending;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::view::token::{RevokeAllPage, RevokePage};
use actix_web::http::StatusCode;
use app::token;
use wire::form::Form;

/// `GET /tokens/{id}/revoke`, or the organization's: the confirmation page.
pub async fn show(req: TokensRequest) -> Answer {
    let id = req.segment("id");
    let found = token::find_listed(&req, &req.owner_ref, id).await?;
    let page = RevokePage {
        chrome: req.chrome(),
        token: row(&req, found),
        owner: req.owner.clone(),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/{id}/revoke`, or the organization's.
pub async fn submit(req: TokensRequest, _: Form) -> Answer {
    let id = req.segment("id");
    token::revoke(&req, &req.owner_ref, id).await?;
    Ok(see_other(&format!("{}?revoked={id}", req.path)))
}

/// `GET /tokens/revoke-all`, or the organization's: the confirmation page.
pub async fn show_all(req: TokensRequest) -> Answer {
    let living = token::list_living(&req, &req.owner_ref).await?;
    let page = RevokeAllPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        tokens: ending(&living),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/revoke-all`, or the organization's.
pub async fn submit_all(req: TokensRequest, _: Form) -> Answer {
    let count = token::revoke_all(&req, &req.owner_ref, None).await?;
    Ok(see_other(&format!("{}?revoked-all={count}", req.path)))
}
