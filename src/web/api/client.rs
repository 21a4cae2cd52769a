//! `/v1/clients`, for the operator alone.

use super::call::Call;
use super::{document, token};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::client::{self, Kind, NewClient as ClientBody, Registered};
use app::token::Ended;
use domain::client::{Client as DomainClient, Standing};
use domain::{Fault, Instant};
use utoipa::OpenApi;
use wire::api::{
    Client, CreateClientBody, List, ListParameters, NewClient, RevokeAll, Revoked, UpdateClientBody,
};

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(
    list_clients,
    create_client,
    show_client,
    change_client,
    revoke_client_tokens
))]
pub struct Description;

/// List the registered clients, by id. For the operator alone.
#[utoipa::path(
    get,
    path = "/v1/clients",
    tag = "operator",
    params(ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Client>))
)]
pub async fn list_clients(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = client::list(&call.app, &call.caller, &list.page).await?;
    // The list is in the order of ids, which are enough to tell a place in it.
    let position = |client: &DomainClient| (Instant::UNIX_EPOCH, client.id.clone());
    Ok(list.answer(found, position, document::client))
}

/// Register a client. For the operator alone.
///
/// The secret of a confidential client is in the answer, and comes again only to a repetition
/// of the same call.
#[utoipa::path(
    post,
    path = "/v1/clients",
    tag = "operator",
    request_body = CreateClientBody,
    responses((status = 201, description = "The client was registered.", body = NewClient))
)]
pub async fn create_client(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let wish = call.read(|body| ClientBody {
        id: body.text("id"),
        name: body.text("name"),
        kind: body.ruled("kind", kind).unwrap_or(Kind::Public),
        scopes: body.list("scopes"),
        default_scopes: body.list("default_scopes"),
    })?;
    let written = |registered: &Registered| NewClient {
        client_secret: registered
            .secret
            .as_ref()
            .map(|secret| secret.expose().to_owned()),
        about: document::client(&registered.client),
    };
    call.once(StatusCode::CREATED, written, |idempotency| async {
        client::register(&call.app, &call.context, &call.caller, wish, idempotency)
            .await
            .map_err(token::as_sent)
    })
    .await
}

fn kind(text: &str) -> Result<Kind, Fault> {
    match text {
        "public" => Ok(Kind::Public),
        "confidential" => Ok(Kind::Confidential),
        _ => Err(Fault::new("kind", "Write public or confidential.")),
    }
}

fn standing(text: &str) -> Result<Standing, Fault> {
    match text {
        "active" => Ok(Standing::Active),
        "disabled" => Ok(Standing::Disabled),
        _ => Err(Fault::new("state", "Write active or disabled.")),
    }
}

/// Show a client. For the operator alone.
#[utoipa::path(
    get,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "The `client_id`.")),
    responses((status = 200, description = "The client.", body = Client))
)]
pub async fn show_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let client = client::show(&call.app, &call.caller, &id).await?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Switch a client on or off. For the operator alone.
///
/// While it is off it is unknown everywhere, and its tokens cannot be used.
#[utoipa::path(
    patch,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "The `client_id`.")),
    request_body = UpdateClientBody,
    responses((status = 200, description = "The client as it is now.", body = Client))
)]
pub async fn change_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let standing =
        call.read(|body| body.required("state", |body, key| body.ruled(key, standing)))?;
    let standing = standing.unwrap_or(Standing::Active);
    let Call {
        app,
        context,
        caller,
        ..
    } = &call;
    let client = client::set_standing(app, context, caller, &id, standing).await?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Revoke all tokens that a client asked for. For the operator alone.
#[utoipa::path(
    post,
    path = "/v1/clients/{client}/revoke-all",
    tag = "operator",
    params(("client" = String, Path, description = "The `client_id`.")),
    request_body = RevokeAll,
    responses((status = 200, description = "The tokens are revoked.", body = Revoked))
)]
pub async fn revoke_client_tokens(
    call: Call,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let before = call.read(|body| token::read_moment(body, "issued_before"))?;
    token::end(&call, Ended::Client(id.into_inner()), before).await
}
