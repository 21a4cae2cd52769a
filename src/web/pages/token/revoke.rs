//! Revoking one token, or all of them.

use super::row::row;
use super::tokens_req;
use crate::web::failure::Failure;
use crate::web::pages::org::ending;
use crate::web::pages::org_request::segment;
use crate::web::pages::page_request::{PageRequest, see_other};
use crate::web::pages::view::token::{RevokeAllPage, RevokePage};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::idempotency::IdempotencyRecord;
use app::token;

/// `GET /tokens/{id}/revoke`, or the organization's: the confirmation page.
pub async fn show(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let tokens_req = tokens_req(&req, &request).await?;
    let found = token::find_listed(&req.app, &tokens_req.caller, &tokens_req.owner_ref, id).await?;
    let page = RevokePage {
        chrome: req.chrome(),
        token: row(&req, found),
        owner: tokens_req.owner,
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
    let tokens_req = tokens_req(&req, &request).await?;
    let (app, context) = (&req.app, &req.context);
    token::revoke(app, context, &tokens_req.caller, &tokens_req.owner_ref, id).await?;
    Ok(see_other(&format!("{}?revoked={id}", tokens_req.path)))
}

/// `GET /tokens/revoke-all`, or the organization's: the confirmation page.
pub async fn show_all(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let tokens_req = tokens_req(&req, &request).await?;
    let living = token::list_living(&req.app, &tokens_req.caller, &tokens_req.owner_ref).await?;
    let page = RevokeAllPage {
        chrome: req.chrome(),
        owner: tokens_req.owner,
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
    let tokens_req = tokens_req(&req, &request).await?;
    let (app, context) = (&req.app, &req.context);
    let count = token::revoke_all(
        app,
        context,
        &tokens_req.caller,
        &tokens_req.owner_ref,
        None,
        IdempotencyRecord::none(),
    )
    .await?;
    Ok(see_other(&format!(
        "{}?revoked-all={count}",
        tokens_req.path
    )))
}
