//! Revoking one token, or all of them.

use super::row::row;
use super::shelf;
use crate::web::failure::Failure;
use crate::web::pages::inside::segment;
use crate::web::pages::org::ending;
use crate::web::pages::view::token::{RevokeAllPage, RevokePage};
use crate::web::pages::visit::{Visit, see_other};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::receipt::Receipt;
use app::token;

/// `GET /tokens/{id}/revoke`, or the organization's: asks for confirmation.
pub async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let shelf = shelf(&visit, &request).await?;
    let found = token::find_listed(&visit.app, &shelf.caller, &shelf.whose, id).await?;
    let page = RevokePage {
        chrome: visit.chrome(),
        token: row(&visit, found),
        holder: shelf.holder,
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /tokens/{id}/revoke`, or the organization's.
pub async fn submit(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let id = segment(&request, "id");
    let shelf = shelf(&visit, &request).await?;
    let (app, context) = (&visit.app, &visit.context);
    token::revoke(app, context, &shelf.caller, &shelf.whose, id).await?;
    Ok(see_other(&format!("{}?revoked={id}", shelf.path)))
}

/// `GET /tokens/revoke-all`, or the organization's: asks for confirmation.
pub async fn show_all(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let shelf = shelf(&visit, &request).await?;
    let living = token::list_living(&visit.app, &shelf.caller, &shelf.whose).await?;
    let page = RevokeAllPage {
        chrome: visit.chrome(),
        holder: shelf.holder,
        tokens: ending(&living),
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /tokens/revoke-all`, or the organization's.
pub async fn submit_all(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let shelf = shelf(&visit, &request).await?;
    let (app, context) = (&visit.app, &visit.context);
    let count = token::revoke_all(
        app,
        context,
        &shelf.caller,
        &shelf.whose,
        None,
        Receipt::none(),
    )
    .await?;
    Ok(see_other(&format!("{}?revoked-all={count}", shelf.path)))
}
