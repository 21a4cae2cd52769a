//! `/v1/users` and `/v1/status`, for the operator only.

use super::call::Call;
use super::routes::routes;
use super::{document, token, values};
use crate::web::failure::Failure;
use crate::web::links;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::mail;
use app::token::Ended;
use app::user::{self, CreateUser, CreatedUser, Named, NewReset, UpdateUser};
use domain::id::UserId;
use domain::secret::Secret;
use domain::user::User as DomainUser;
use wire::api::{
    CreateUserBody, List, ListParameters, NewPasswordReset, Nothing, RevokeAll, Revoked, Status,
    UpdateUserBody, User,
};

routes! {
    GET "/v1/status" => show_status: None,
    GET "/v1/users" => list_users: None,
    POST "/v1/users" => create_user: None,
    GET "/v1/users/{user}" => show_user: None,
    PATCH "/v1/users/{user}" => update_user: None,
    POST "/v1/users/{user}/deactivate" => deactivate_user: None,
    POST "/v1/users/{user}/reactivate" => reactivate_user: None,
    POST "/v1/users/{user}/password-reset" => create_password_reset: None,
    POST "/v1/users/{user}/reset-factors" => reset_factors: None,
    POST "/v1/users/{user}/revoke-all" => revoke_user_tokens: None,
}

/// Returns the status of the server.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "operator",
    responses((status = 200, description = "The status.", body = Status))
)]
async fn show_status(call: Call) -> Result<HttpResponse, Failure> {
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
async fn list_users(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
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
async fn create_user(call: Call) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let body: CreateUserBody = call.read()?;
    let role = body.role.map(values::role);
    let new = CreateUser {
        name: body.name,
        email: body.email,
        password: Secret::new(body.password),
        organization: body.organization.map(|name| (name, role)),
    };
    let made = |made: &CreatedUser| document::user_in_full(&made.user);
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
async fn show_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let named = Named::Id(named(&id)?);
    let user = user::find(&call, named).await?;
    Ok(HttpResponse::Ok().json(document::user_in_full(&user)))
}

/// Changes the name or the email address of a user.
///
/// The ID does not change. If mail is configured, the old and the new address get a message.
#[utoipa::path(
    patch,
    path = "/v1/users/{user}",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    request_body = UpdateUserBody,
    responses((status = 200, description = "The updated user.", body = User))
)]
async fn update_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let body: UpdateUserBody = call.read()?;
    let input = UpdateUser {
        name: body.name,
        email: body.email,
        email_verified: body.email_verified,
        is_operator: None,
    };
    let user = user::update(&call, Named::Id(named(&id)?), input).await?;
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
async fn deactivate_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let Nothing {} = call.read()?;
    let named = Named::Id(named(&id)?);
    let changed = document::user_in_full;
    call.once(StatusCode::OK, changed, async |req| {
        user::deactivate(req, named).await
    })
    .await
}

/// Reactivates a user. Ended sessions and revoked tokens stay ended.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/reactivate",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    responses((status = 200, description = "The updated user.", body = User))
)]
async fn reactivate_user(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let Nothing {} = call.read()?;
    let named = Named::Id(named(&id)?);
    let changed = document::user_in_full;
    call.once(StatusCode::OK, changed, async |req| {
        user::reactivate(req, named).await
    })
    .await
}

/// Creates a link with which a user sets a new password.
///
/// The link works once, for 30 minutes, and replaces earlier ones. The server does not mail it.
/// With the new password, all sessions of the user end; tokens stay active.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/password-reset",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    responses((status = 201, description = "The new link.", body = NewPasswordReset))
)]
async fn create_password_reset(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let Nothing {} = call.read()?;
    let named = Named::Id(named(&id)?);
    let app = call.app.clone();
    let written = move |new: &NewReset| NewPasswordReset {
        url: links::reset_url(&app, new),
        expires_at: document::rfc3339(new.expires_at),
    };
    call.once(StatusCode::CREATED, written, async |req| {
        user::create_reset(req, named).await
    })
    .await
}

/// Removes all second factors and recovery codes of a user who has lost them.
///
/// The user then signs in with the password alone, and can add new ones. Sessions and tokens stay.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/reset-factors",
    tag = "operator",
    params(("user" = String, Path, description = "ID of the user.")),
    responses((status = 200, description = "The user.", body = User))
)]
async fn reset_factors(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let Nothing {} = call.read()?;
    let named = Named::Id(named(&id)?);
    let changed = document::user_in_full;
    call.once(StatusCode::OK, changed, async |req| {
        user::reset_factors(req, named).await
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
async fn revoke_user_tokens(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    call.caller.require_operator()?;
    let RevokeAll { issued_before } = call.read()?;
    token::end(&call, Ended::User(named(&id)?), issued_before).await
}
