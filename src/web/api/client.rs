//! `/v1/clients`, for the operator only.

use super::call::Call;
use super::routes::routes;
use super::{document, token, values};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::client::{self, Kind, NewClient as RegisteredClient, Registered};
use app::token::Ended;
use domain::Instant;
use domain::client::Client as DomainClient;
use wire::api::{
    Client, CreateClientBody, List, ListParameters, NewClient, Nothing, RevokeAll, Revoked,
    UpdateClientBody,
};

routes! {
    list_clients: None,
    create_client: None,
    show_client: None,
    change_client: None,
    revoke_client_tokens: None,
}

/// Lists the registered clients, sorted by ID.
#[utoipa::path(
    get,
    path = "/v1/clients",
    tag = "operator",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Client>))
)]
async fn list_clients(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
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
async fn create_client(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let body: CreateClientBody = call.read()?;
    let input = RegisteredClient {
        id: body.id,
        name: body.name,
        kind: body.kind.map_or(Kind::Public, values::client_kind),
        scopes: body.scopes,
        default_scopes: body.default_scopes,
    };
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

/// Returns a client.
#[utoipa::path(
    get,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    responses((status = 200, description = "The client.", body = Client))
)]
async fn show_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
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
async fn change_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let body: UpdateClientBody = call.read()?;
    let standing = values::client_state(body.state);
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
async fn revoke_client_tokens(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let RevokeAll { issued_before } = call.read()?;
    token::end(&call, Ended::Client(id.into_inner()), issued_before).await
}
