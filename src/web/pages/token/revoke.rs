//! Revoking one token, or all of them.

use super::TokensRequest;
use super::row::row;
use crate::web::failure::Failure;
use crate::web::pages::org::ending;
use crate::web::pages::org_request::segment;
use crate::web::pages::page_request::{PageRequest, see_other};
use crate::web::pages::view::token::{RevokeAllPage, RevokePage};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::token;

/// `GET /tokens/{id}/revoke`, or the organization's: the confirmation page.
pub async fn show(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let req = TokensRequest::of(req, &request).await?;
    let found = token::find_listed(&req, &req.owner_ref, id).await?;
    let page = RevokePage {
        chrome: req.chrome(),
        token: row(&req, found),
        owner: req.owner.clone(),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/{id}/revoke`, or the organization's.
pub async fn submit(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let id = segment(&request, "id");
    let req = TokensRequest::of(req, &request).await?;
    token::revoke(&req, &req.owner_ref, id).await?;
    Ok(see_other(&format!("{}?revoked={id}", req.path)))
}

/// `GET /tokens/revoke-all`, or the organization's: the confirmation page.
pub async fn show_all(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = TokensRequest::of(req, &request).await?;
    let living = token::list_living(&req, &req.owner_ref).await?;
    let page = RevokeAllPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        tokens: ending(&living),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/revoke-all`, or the organization's.
pub async fn submit_all(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let req = TokensRequest::of(req, &request).await?;
    let count = token::revoke_all(&req, &req.owner_ref, None).await?;
    Ok(see_other(&format!("{}?revoked-all={count}", req.path)))
}
