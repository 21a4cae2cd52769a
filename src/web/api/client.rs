//! `/v1/clients`, for the operator only.

use super::call::Call;
use super::routes::routes;
use super::{document, token, values};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::client::{
    self, Kind, NewClient as RegisteredClient, Registered, ScopeChoice, UpdateClient,
};
use app::token::DEFAULT_OVERLAP;
use app::token::Ended;
use chrono::Duration;
use domain::Instant;
use domain::client::Client as DomainClient;
use wire::api::{
    Client, CreateClientBody, List, ListParameters, NewClient, Nothing, RevokeAll, Revoked,
    Rotation, UpdateClientBody,
};

routes! {
    GET "/v1/clients" => list_clients: None,
    POST "/v1/clients" => create_client: None,
    GET "/v1/clients/{client}" => show_client: None,
    PATCH "/v1/clients/{client}" => change_client: None,
    DELETE "/v1/clients/{client}" => remove_client: None,
    POST "/v1/clients/{client}/rotate-secret" => rotate_client_secret: None,
    POST "/v1/clients/{client}/revoke-all" => revoke_client_tokens: None,
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
    let kind = body.kind.map_or(Kind::Public, values::client_kind);
    let input = RegisteredClient {
        id: body.id,
        name: body.name,
        kind,
        scopes: match body.scopes {
            scopes if scopes.is_empty() && kind == Kind::Public => ScopeChoice::All,
            scopes => ScopeChoice::These(scopes),
        },
        default_scopes: body.default_scopes,
    };
    call.once(StatusCode::CREATED, written, async |req| {
        client::register(req, input).await.map_err(token::as_sent)
    })
    .await
}

/// A client with its new secret.
fn written(registered: &Registered) -> NewClient {
    let secret = registered.secret.as_ref();
    NewClient {
        client_secret: secret.map(|secret| secret.expose().to_owned()),
        about: document::client(&registered.client),
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
async fn show_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let client = client::show(&call, &id).await?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Changes a client, or enables or disables it.
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
    let input = UpdateClient {
        name: body.name,
        scopes: body.scopes.map(ScopeChoice::These),
        default_scopes: body.default_scopes,
        standing: body.state.map(values::client_state),
    };
    let client = client::update(&call, &id, input)
        .await
        .map_err(token::as_sent)?;
    Ok(HttpResponse::Ok().json(document::client(&client)))
}

/// Removes a client.
///
/// Its device codes end. The tokens that were issued to it are revoked, and what was created with
/// them. The built-in client cannot be removed; disable it instead.
#[utoipa::path(
    delete,
    path = "/v1/clients/{client}",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    responses((status = 200, description = "Number of revoked tokens.", body = Revoked))
)]
async fn remove_client(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let ended = client::remove(&call, &id).await?;
    Ok(HttpResponse::Ok().json(token::revoked(&ended)))
}

/// Replaces the secret of a confidential client.
///
/// Both secrets are valid during the overlap. Only a repetition with the same Idempotency-Key
/// returns the new secret again.
#[utoipa::path(
    post,
    path = "/v1/clients/{client}/rotate-secret",
    tag = "operator",
    params(("client" = String, Path, description = "`client_id` of the client.")),
    request_body = Rotation,
    responses((status = 200, description = "The client with its new secret.", body = NewClient))
)]
async fn rotate_client_secret(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let Rotation { overlap_seconds } = call.read()?;
    let overlap =
        overlap_seconds.map_or(DEFAULT_OVERLAP, |seconds| Duration::seconds(seconds.into()));
    call.once(StatusCode::OK, written, async |req| {
        client::rotate_secret(req, &id, overlap).await
    })
    .await
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
