//! `/v1/tokens`: the caller's own tokens. `/v1/orgs/{org}/tokens`: those of an organization.

use super::call::Call;
use super::document;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::App;
use app::caller::Caller;
use app::token::{self, CheckedToken, CreateToken, DEFAULT_OVERLAP, Ended, OwnerRef};
use chrono::Duration;
use domain::{Fault, Instant};
use utoipa::OpenApi;
use wire::api::{
    CreateTokenBody, List, ListParameters, NewToken, RevokeAll, Revoked, Rotation, Token,
};
use wire::json::Object;

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(
    list_tokens,
    create_token,
    show_token,
    delete_token,
    rotate_token,
    revoke_tokens,
    list_organization_tokens,
    create_organization_token,
    show_organization_token,
    delete_organization_token,
    rotate_organization_token,
    revoke_organization_tokens
))]
pub struct Description;

/// List the caller's own tokens, the newest first, with those that have ended.
///
/// A token that is limited itself sees and ends only those that are within its limits.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:read"])),
    params(ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Token>))
)]
pub async fn list_tokens(call: Call) -> Result<HttpResponse, Failure> {
    list(&call, &OwnerRef::Own).await
}

/// Make a token of the caller's own.
///
/// A token gives what it has itself and nothing more; what a client's token makes is the
/// client's too, and ends with it. The token's text is in the answer, and
/// comes again only to a repetition of the same call.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    request_body = CreateTokenBody,
    responses((status = 201, description = "The token was made.", body = NewToken))
)]
pub async fn create_token(call: Call) -> Result<HttpResponse, Failure> {
    create(&call, &OwnerRef::Own).await
}

/// Show one of the caller's own tokens.
#[utoipa::path(
    get,
    path = "/v1/tokens/{id}",
    tag = "tokens",
    security(("bearer" = ["tokens:read"])),
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 200, description = "The token.", body = Token))
)]
pub async fn show_token(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    show(&call, &OwnerRef::Own, &id).await
}

/// Revoke one of the caller's own tokens. Doing it twice is no fault.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "The token is revoked."))
)]
pub async fn delete_token(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    revoke(&call, &OwnerRef::Own, &id).await
}

/// Rotate one of the caller's own tokens.
///
/// The successor has the same attributes and lives as long as the old token was to. The old
/// one ends after the overlap.
#[utoipa::path(
    post,
    path = "/v1/tokens/{id}/rotate",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(("id" = String, Path, description = "The token's id.")),
    request_body = Rotation,
    responses((status = 201, description = "The successor was made.", body = NewToken))
)]
pub async fn rotate_token(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    rotate(&call, &OwnerRef::Own, &id).await
}

/// Revoke all of the caller's own tokens, this one too.
///
/// A token that is limited itself revokes only those that are within its limits.
#[utoipa::path(
    post,
    path = "/v1/tokens/revoke-all",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    request_body = RevokeAll,
    responses((status = 200, description = "The tokens are revoked.", body = Revoked))
)]
pub async fn revoke_tokens(call: Call) -> Result<HttpResponse, Failure> {
    if let Caller::Operator(None) = call.caller {
        let before = call.read(|body| {
            let before = body.required("issued_before", read_moment);
            before.unwrap_or_default()
        })?;
        return end(&call, Ended::Everything, Some(before)).await;
    }
    revoke_all(&call, &OwnerRef::Own).await
}

/// List an organization's tokens, the newest first, with those that have ended.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:read"])),
    params(("org" = String, Path, description = "The organization's id or address."), ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Token>))
)]
pub async fn list_organization_tokens(
    call: Call,
    org: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    list(&call, &OwnerRef::Organization(org.into_inner())).await
}

/// Make a token of an organization, for its admins and owners.
///
/// It survives whoever made it. The token's text is in the answer, and comes again only to a
/// repetition of the same call.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(("org" = String, Path, description = "The organization's id or address.")),
    request_body = CreateTokenBody,
    responses((status = 201, description = "The token was made.", body = NewToken))
)]
pub async fn create_organization_token(
    call: Call,
    org: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    create(&call, &OwnerRef::Organization(org.into_inner())).await
}

/// Show one of an organization's tokens.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/tokens/{id}",
    tag = "tokens",
    security(("bearer" = ["tokens:read"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("id" = String, Path, description = "The token's id.")
    ),
    responses((status = 200, description = "The token.", body = Token))
)]
pub async fn show_organization_token(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (org, id) = path.into_inner();
    show(&call, &OwnerRef::Organization(org), &id).await
}

/// Revoke one of an organization's tokens. Doing it twice is no fault.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/tokens/{id}",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("id" = String, Path, description = "The token's id.")
    ),
    responses((status = 204, description = "The token is revoked."))
)]
pub async fn delete_organization_token(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (org, id) = path.into_inner();
    revoke(&call, &OwnerRef::Organization(org), &id).await
}

/// Rotate one of an organization's tokens.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens/{id}/rotate",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("id" = String, Path, description = "The token's id.")
    ),
    request_body = Rotation,
    responses((status = 201, description = "The successor was made.", body = NewToken))
)]
pub async fn rotate_organization_token(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (org, id) = path.into_inner();
    rotate(&call, &OwnerRef::Organization(org), &id).await
}

/// Revoke all tokens of an organization.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens/revoke-all",
    tag = "tokens",
    security(("bearer" = ["tokens:write"])),
    params(("org" = String, Path, description = "The organization's id or address.")),
    request_body = RevokeAll,
    responses((status = 200, description = "The tokens are revoked.", body = Revoked))
)]
pub async fn revoke_organization_tokens(
    call: Call,
    org: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    revoke_all(&call, &OwnerRef::Organization(org.into_inner())).await
}

async fn list(call: &Call, owner_ref: &OwnerRef) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = token::list(&call.app, &call.caller, owner_ref, &list.page).await?;
    let now = call.app.now();
    let position = |found: &CheckedToken| (found.token.created_at, found.token.id.to_string());
    Ok(list.answer(found, position, |found| document::token(found, now)))
}

async fn create(call: &Call, owner_ref: &OwnerRef) -> Result<HttpResponse, Failure> {
    let input = call.read(|body| CreateToken {
        name: body.text("name"),
        scopes: body.list("scopes"),
        expires: body.optional_text("expires"),
        organization: body.optional_text("organization"),
        projects: body.list("projects"),
        ..CreateToken::default()
    })?;
    call.once(StatusCode::CREATED, made(&call.app), |idempotency| async {
        token::create(
            &call.app,
            &call.context,
            &call.caller,
            owner_ref,
            input,
            idempotency,
        )
        .await
        .map_err(as_sent)
    })
    .await
}

async fn show(call: &Call, owner_ref: &OwnerRef, id: &str) -> Result<HttpResponse, Failure> {
    let found = token::find(&call.app, &call.caller, owner_ref, id).await?;
    Ok(HttpResponse::Ok().json(document::token(&found, call.app.now())))
}

async fn revoke(call: &Call, owner_ref: &OwnerRef, id: &str) -> Result<HttpResponse, Failure> {
    token::revoke(&call.app, &call.context, &call.caller, owner_ref, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn rotate(call: &Call, owner_ref: &OwnerRef, id: &str) -> Result<HttpResponse, Failure> {
    let longest = token::LONGEST_OVERLAP.num_seconds();
    let overlap = call.read(|body| {
        let seconds = body.number("overlap_seconds", 0..=longest);
        seconds.map_or(DEFAULT_OVERLAP, Duration::seconds)
    })?;
    call.once(StatusCode::CREATED, made(&call.app), |idempotency| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = call;
        token::rotate(app, context, caller, owner_ref, id, overlap, idempotency).await
    })
    .await
}

async fn revoke_all(call: &Call, owner_ref: &OwnerRef) -> Result<HttpResponse, Failure> {
    let before = call.read(|body| read_moment(body, "issued_before"))?;
    call.once(StatusCode::OK, revoked, |idempotency| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = call;
        token::revoke_all(app, context, caller, owner_ref, before, idempotency).await
    })
    .await
}

/// Revokes many tokens, for the operator.
pub async fn end(
    call: &Call,
    ended: Ended,
    before: Option<Instant>,
) -> Result<HttpResponse, Failure> {
    call.once(StatusCode::OK, revoked, |idempotency| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = call;
        token::revoke_matching(app, context, caller, ended, before, idempotency).await
    })
    .await
}

/// A moment, as RFC 3339 writes it.
pub fn read_moment(body: &mut Object<'_>, key: &'static str) -> Option<Instant> {
    body.ruled(key, |text| {
        chrono::DateTime::parse_from_rfc3339(text)
            .map_err(|_| Fault::new(key, "Write a moment such as 2030-01-31T12:00:00Z."))
    })
    .map(|at| at.to_utc())
}

fn revoked(count: &usize) -> Revoked {
    Revoked { revoked: *count }
}

/// How a token is written that was made at this moment.
fn made(app: &App) -> impl Fn(&token::NewToken) -> NewToken + Send + Sync + use<> {
    let now = app.now();
    move |new| NewToken {
        token: new.secret.expose().to_owned(),
        about: document::token(&CheckedToken::new(new.token.clone()), now),
    }
}

/// The use cases name some fields as forms and the program do.
pub fn as_sent(error: app::Error) -> app::Error {
    match error {
        app::Error::Invalid(mut faults) => {
            for fault in &mut faults {
                fault.field = match fault.field {
                    "scope" => "scopes",
                    "default_scope" => "default_scopes",
                    "client_id" => "id",
                    other => other,
                };
            }
            app::Error::Invalid(faults)
        }
        error => error,
    }
}
