//! `/v1/users` and `/v1/status`, for the operator only.

use super::call::Call;
use super::member::role;
use super::{document, token};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::mail;
use app::token::Ended;
use app::user::{self, CreateUser, Named};
use domain::id::UserId;
use domain::role::Role;
use domain::secret::Secret;
use domain::user::User as DomainUser;
use utoipa::OpenApi;
use wire::api::{CreateUserBody, List, ListParameters, RevokeAll, Revoked, Status, User};

/// OpenAPI description of this module's routes.
#[derive(OpenApi)]
#[openapi(paths(
    show_status,
    list_users,
    create_user,
    show_user,
    deactivate_user,
    revoke_user_tokens
))]
pub struct Description;

/// Returns the status of the server.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "operator",
    responses((status = 200, description = "The status.", body = Status))
)]
pub async fn show_status(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let app = &call.app;
    Ok(HttpResponse::Ok().json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: app.config().database.url.kind().to_owned(),
        now: document::rfc3339(app.now()),
        sends_mail: mail::is_configured(app),
    }))
}

/// Lists all users, oldest first.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "operator",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<User>))
)]
pub async fn list_users(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = user::list(&call, &list.page).await?;
    let position = |user: &DomainUser| (user.created_at, user.id.to_string());
    Ok(list.answer(found, position, document::user_in_full))
}

/// Creates a user.
#[utoipa::path(
    post,
    path = "/v1/users",
    tag = "operator",
    request_body = CreateUserBody,
    responses((status = 201, description = "The new user.", body = User))
)]
pub async fn create_user(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let new = call.read(|body| {
        let organization = body.optional_text("organization");
        let role = body.ruled("role", role);
        CreateUser {
            name: body.text("name"),
            email: body.text("email"),
            password: Secret::new(body.text("password")),
            organization: organization.map(|name| (name, role.unwrap_or(Role::Member))),
        }
    })?;
    let made = document::user_in_full;
    call.once(StatusCode::CREATED, made, async |req| {
        user::make(req, new).await
    })
    .await
}

fn named(id: &str) -> Result<UserId, Failure> {
    UserId::parse(id).ok_or(Failure::NotFound)
}

/// Returns a user.
#[utoipa::path(
    get,
    path = "/v1/users/{user}",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    responses((status = 200, description = "The user.", body = User))
)]
pub async fn show_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let named = Named::Id(named(&id)?);
    let user = user::find(&call, named).await?;
    Ok(HttpResponse::Ok().json(document::user_in_full(&user)))
}

/// Deactivates a user. Ends all sessions and revokes all tokens immediately.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/deactivate",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    responses((status = 200, description = "The updated user.", body = User))
)]
pub async fn deactivate_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    call.read(|_| ())?;
    let named = Named::Id(named(&id)?);
    let changed = document::user_in_full;
    call.once(StatusCode::OK, changed, async |req| {
        user::deactivate(req, named).await
    })
    .await
}

/// Revokes all tokens of a user.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/revoke-all",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    request_body = RevokeAll,
    responses((status = 200, description = "Number of revoked tokens.", body = Revoked))
)]
pub async fn revoke_user_tokens(
    call: Call,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let before = call.read(|body| token::read_moment(body, "issued_before"))?;
    token::end(&call, Ended::User(named(&id)?), before).await
}
