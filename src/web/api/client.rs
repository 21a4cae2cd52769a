//! `/v1/clients`, for the operator only.

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

/// OpenAPI description of this module's routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_clients,
    create_client,
    show_client,
    change_client,
    revoke_client_tokens
))]
pub struct Description;

/// Lists the registered clients, sorted by ID.
#[utoipa::path(
    get,
    path = "/v1/clients",
    tag = "operator",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Client>))
)]
pub async fn list_clients(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = client::list(&call, &list.page).await?;
    // The list is sorted by id, so the id alone is the position.
    let position = |client: &DomainClient| (Instant::UNIX_EPOCH, client.id.clone());
    Ok(list.answer(found, position, document::client))
}

/// Registers a client.
///
/// The response contains the secret of a confidential client. Only a repetition with the same
/// Idempotency-Key returns it again.
#[utoipa::path(
    post,
    path = "/v1/clients",
    tag = "operator",
    request_body = CreateClientBody,
    responses((status = 201, description = "The new client.", body = NewClient))
)]
pub async fn create_client(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let input = call.read(|body| ClientBody {
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
    call.once(StatusCode::CREATED, written, async |req| {
        client::register(req, input).await.map_err(token::as_sent)
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

/// Returns a client.
#[utoipa::path(
    get,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    responses((status = 200, description = "The client.", body = Client))
)]
pub async fn show_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let client = client::show(&call, &id).await?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Enables or disables a client.
///
/// All endpoints treat a disabled client as unknown. Its tokens are inactive.
#[utoipa::path(
    patch,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    request_body = UpdateClientBody,
    responses((status = 200, description = "The updated client.", body = Client))
)]
pub async fn change_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let standing =
        call.read(|body| body.required("state", |body, key| body.ruled(key, standing)))?;
    let standing = standing.unwrap_or(Standing::Active);
    let client = client::set_standing(&call, &id, standing).await?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Revokes all tokens that were issued to a client.
#[utoipa::path(
    post,
    path = "/v1/clients/{client}/revoke-all",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    request_body = RevokeAll,
    responses((status = 200, description = "Number of revoked tokens.", body = Revoked))
)]
pub async fn revoke_client_tokens(
    call: Call,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let before = call.read(|body| token::read_moment(body, "issued_before"))?;
    token::end(&call, Ended::Client(id.into_inner()), before).await
}
