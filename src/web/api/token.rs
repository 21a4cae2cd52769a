//! `/v1/tokens`.

use super::call::Call;
use super::me;
use crate::app::token::{self, Wish};
use crate::web::failure::Failure;
use crate::wire::api::{List, ListParameters, NewToken, Token, TokenWish};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use utoipa::OpenApi;

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(list_tokens, create_token))]
pub struct Description;

/// List the caller's own tokens, the newest first.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:read"])),
    params(ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Token>))
)]
pub async fn list_tokens(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    call.require("tokens:read")?;
    let found = token::list_by_token(&call.app, &call.token, &list.page).await?;
    Ok(list.answer(found, token::position, me::document))
}

/// Make a personal token.
///
/// The token's text is in the answer, and comes again only to a repetition of the same call.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    request_body = TokenWish,
    responses((status = 201, description = "The token was made.", body = NewToken))
)]
pub async fn create_token(call: Call) -> Result<HttpResponse, Failure> {
    let wish = call.read(|body| Wish {
        name: body.text("name"),
        scopes: body.list("scopes"),
        expires: body.text("expires"),
        expires_on: None,
        reservation: None,
    })?;
    call.require("tokens:write")?;
    call.once(StatusCode::CREATED, document, |receipt| async {
        token::create_by_token(&call.app, &call.context, &call.token, wish, receipt).await
    })
    .await
}

fn document(new: &token::NewToken) -> NewToken {
    NewToken {
        token: new.secret.expose().to_owned(),
        about: me::document(&new.token),
    }
}
