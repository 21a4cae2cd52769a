//! `/v1/tokens`.

use super::call::Call;
use super::me;
use crate::app;
use crate::app::token::{self, Whose, Wish};
use crate::domain::token as domain;
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
    let found = token::list(&call.app, &call.caller, &Whose::Own, &list.page).await?;
    let position = |token: &domain::Token| (token.created_at, token.id.to_string());
    Ok(list.answer(found, position, me::document))
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
        expires: body.optional_text("expires"),
        organization: body.optional_text("organization"),
        projects: body.list("projects"),
        ..Wish::default()
    })?;
    call.once(StatusCode::CREATED, document, |receipt| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = &call;
        let made = token::create(app, context, caller, &Whose::Own, wish, receipt).await;
        made.map_err(as_sent)
    })
    .await
}

/// The use case names the scopes as forms do.
fn as_sent(error: app::Error) -> app::Error {
    match error {
        app::Error::Invalid(mut faults) => {
            for fault in &mut faults {
                if fault.field == "scope" {
                    fault.field = "scopes";
                }
            }
            app::Error::Invalid(faults)
        }
        error => error,
    }
}

fn document(new: &token::NewToken) -> NewToken {
    NewToken {
        token: new.secret.expose().to_owned(),
        about: me::document(&new.token),
    }
}
