//! `/v1/tokens`: tokens of the caller. `/v1/orgs/{org}/tokens`: tokens of an organization.

use super::call::Call;
use super::document;
use super::path::TokenPath;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use app::App;
use app::access::Caller;
use app::access::CheckedToken;
use app::token::{self, CreateToken, DEFAULT_OVERLAP, Ended};
use chrono::Duration;
use domain::{Fault, Instant};
use wire::api::{
    CreateTokenBody, Descendants, List, ListParameters, NewToken, Nothing, RevokeAll, Revoked,
    Rotation, Token, UpdateTokenBody,
};

type Answer = Result<HttpResponse, Failure>;

routes! {
    GET "/v1/tokens" => list_tokens: token::READ,
    POST "/v1/tokens" => create_token: token::WRITE,
    GET "/v1/tokens/{id}" => show_token: token::READ,
    GET "/v1/tokens/{id}/descendants" => show_descendants: token::READ,
    PATCH "/v1/tokens/{id}" => change_token: token::WRITE,
    DELETE "/v1/tokens/{id}" => delete_token: token::WRITE,
    POST "/v1/tokens/{id}/rotate" => rotate_token: token::WRITE,
    POST "/v1/tokens/revoke-all" => revoke_tokens: token::WRITE,
    GET "/v1/orgs/{org}/tokens" => list_organization_tokens: token::READ,
    POST "/v1/orgs/{org}/tokens" => create_organization_token: token::WRITE,
    GET "/v1/orgs/{org}/tokens/{id}" => show_organization_token: token::READ,
    GET "/v1/orgs/{org}/tokens/{id}/descendants" => show_organization_descendants: token::READ,
    PATCH "/v1/orgs/{org}/tokens/{id}" => change_organization_token: token::WRITE,
    DELETE "/v1/orgs/{org}/tokens/{id}" => delete_organization_token: token::WRITE,
    POST "/v1/orgs/{org}/tokens/{id}/rotate" => rotate_organization_token: token::WRITE,
    POST "/v1/orgs/{org}/tokens/revoke-all" => revoke_organization_tokens: token::WRITE,
}

/// Lists the caller's tokens, inactive ones included, newest first.
///
/// A limited token can list and revoke only tokens within its limits.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "tokens",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Token>))
)]
async fn list_tokens(call: Call, path: Path<TokenPath>) -> Answer {
    list(&call, &path).await
}

/// Creates a token that the caller owns.
///
/// The new token cannot exceed the scopes and limits of the calling token. If that token belongs
/// to a client, so does the new one, and both end with the client. The response contains the
/// secret; only a repetition with the same Idempotency-Key returns it again.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "tokens",
    request_body = CreateTokenBody,
    responses((status = 201, description = "The new token.", body = NewToken))
)]
async fn create_token(call: Call, path: Path<TokenPath>) -> Answer {
    create(&call, &path).await
}

/// Returns one of the caller's tokens.
#[utoipa::path(
    get,
    path = "/v1/tokens/{id}",
    tag = "tokens",
    params(("id" = String, Path, description = "ID of the token.")),
    responses((status = 200, description = "The token.", body = Token))
)]
async fn show_token(call: Call, path: Path<TokenPath>) -> Answer {
    show(&call, &path).await
}

/// Returns what revoking one of the caller's tokens would also revoke.
#[utoipa::path(
    get,
    path = "/v1/tokens/{id}/descendants",
    tag = "tokens",
    params(("id" = String, Path, description = "ID of the token.")),
    responses((status = 200, description = "What was created with the token.", body = Descendants))
)]
async fn show_descendants(call: Call, path: Path<TokenPath>) -> Answer {
    descendants(&call, &path).await
}

/// Renames one of the caller's tokens.
#[utoipa::path(
    patch,
    path = "/v1/tokens/{id}",
    tag = "tokens",
    params(("id" = String, Path, description = "ID of the token.")),
    request_body = UpdateTokenBody,
    responses((status = 200, description = "The updated token.", body = Token))
)]
async fn change_token(call: Call, path: Path<TokenPath>) -> Answer {
    change(&call, &path).await
}

/// Revokes one of the caller's tokens, and the tokens and invitations that were created with it.
/// Idempotent.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    tag = "tokens",
    params(("id" = String, Path, description = "ID of the token.")),
    responses(
        (status = 200, description = "The token is revoked, and so is what was created with it.", body = Revoked),
        (status = 204, description = "The token is revoked.")
    )
)]
async fn delete_token(call: Call, path: Path<TokenPath>) -> Answer {
    revoke(&call, &path).await
}

/// Rotates one of the caller's tokens.
///
/// The new token has the same attributes and the same lifetime. The old token expires after the
/// overlap.
#[utoipa::path(
    post,
    path = "/v1/tokens/{id}/rotate",
    tag = "tokens",
    params(("id" = String, Path, description = "ID of the token.")),
    request_body = Rotation,
    responses((status = 201, description = "The new token.", body = NewToken))
)]
async fn rotate_token(call: Call, path: Path<TokenPath>) -> Answer {
    rotate(&call, &path).await
}

/// Revokes all of the caller's tokens, including the one of the request.
///
/// A limited token revokes only tokens within its limits.
#[utoipa::path(
    post,
    path = "/v1/tokens/revoke-all",
    tag = "tokens",
    request_body = RevokeAll,
    responses((status = 200, description = "Number of revoked tokens.", body = Revoked))
)]
async fn revoke_tokens(call: Call, path: Path<TokenPath>) -> Answer {
    if let Caller::Operator(None) = call.caller {
        let RevokeAll { issued_before } = call.read()?;
        if issued_before.is_none() {
            let missing = Fault::new("issued_before", "The key is missing. Add it.");
            return Err(app::Error::from(missing).into());
        }
        return end(&call, Ended::Everything, issued_before).await;
    }
    revoke_all(&call, &path).await
}

/// Lists the tokens of an organization, inactive ones included, newest first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/tokens",
    tag = "tokens",
    params(("org" = String, Path, description = "ID or slug of the organization."), ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Token>))
)]
async fn list_organization_tokens(call: Call, path: Path<TokenPath>) -> Answer {
    list(&call, &path).await
}

/// Creates a token of an organization. Admins and owners only.
///
/// The token does not depend on its creator's membership. The response contains the secret; only
/// a repetition with the same Idempotency-Key returns it again.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens",
    tag = "tokens",
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = CreateTokenBody,
    responses((status = 201, description = "The new token.", body = NewToken))
)]
async fn create_organization_token(call: Call, path: Path<TokenPath>) -> Answer {
    create(&call, &path).await
}

/// Returns a token of an organization.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/tokens/{id}",
    tag = "tokens",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the token.")
    ),
    responses((status = 200, description = "The token.", body = Token))
)]
async fn show_organization_token(call: Call, path: Path<TokenPath>) -> Answer {
    show(&call, &path).await
}

/// Returns what revoking a token of an organization would also revoke.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/tokens/{id}/descendants",
    tag = "tokens",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the token.")
    ),
    responses((status = 200, description = "What was created with the token.", body = Descendants))
)]
async fn show_organization_descendants(call: Call, path: Path<TokenPath>) -> Answer {
    descendants(&call, &path).await
}

/// Renames a token of an organization.
#[utoipa::path(
    patch,
    path = "/v1/orgs/{org}/tokens/{id}",
    tag = "tokens",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the token.")
    ),
    request_body = UpdateTokenBody,
    responses((status = 200, description = "The updated token.", body = Token))
)]
async fn change_organization_token(call: Call, path: Path<TokenPath>) -> Answer {
    change(&call, &path).await
}

/// Revokes a token of an organization, and the tokens and invitations that were created with it.
/// Idempotent.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/tokens/{id}",
    tag = "tokens",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the token.")
    ),
    responses(
        (status = 200, description = "The token is revoked, and so is what was created with it.", body = Revoked),
        (status = 204, description = "The token is revoked.")
    )
)]
async fn delete_organization_token(call: Call, path: Path<TokenPath>) -> Answer {
    revoke(&call, &path).await
}

/// Rotates a token of an organization.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens/{id}/rotate",
    tag = "tokens",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the token.")
    ),
    request_body = Rotation,
    responses((status = 201, description = "The new token.", body = NewToken))
)]
async fn rotate_organization_token(call: Call, path: Path<TokenPath>) -> Answer {
    rotate(&call, &path).await
}

/// Revokes all tokens of an organization.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/tokens/revoke-all",
    tag = "tokens",
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = RevokeAll,
    responses((status = 200, description = "Number of revoked tokens.", body = Revoked))
)]
async fn revoke_organization_tokens(call: Call, path: Path<TokenPath>) -> Answer {
    revoke_all(&call, &path).await
}

async fn list(call: &Call, path: &TokenPath) -> Answer {
    let list = call.listing::<Nothing>()?;
    let found = token::list(call, &path.owner_ref(), &list.page).await?;
    let now = call.app.now();
    let position = |found: &CheckedToken| (found.token.created_at, found.token.id.to_string());
    Ok(list.answer(found, position, |found| document::token(found, now)))
}

async fn create(call: &Call, path: &TokenPath) -> Answer {
    let body: CreateTokenBody = call.read()?;
    let input = CreateToken {
        name: body.name,
        scopes: body.scopes,
        expires: body.expires,
        organization: body.organization,
        projects: body.projects,
        ..CreateToken::default()
    };
    call.once(StatusCode::CREATED, made(&call.app), async |req| {
        token::create(req, &path.owner_ref(), input)
            .await
            .map_err(as_sent)
    })
    .await
}

async fn show(call: &Call, path: &TokenPath) -> Answer {
    let found = token::find(call, &path.owner_ref(), &path.id).await?;
    Ok(HttpResponse::Ok().json(document::token(&found, call.app.now())))
}

async fn descendants(call: &Call, path: &TokenPath) -> Answer {
    let review = token::list_descendants(call, &path.owner_ref(), &path.id).await?;
    Ok(HttpResponse::Ok().json(document::descendants(&review)))
}

async fn change(call: &Call, path: &TokenPath) -> Answer {
    let UpdateTokenBody { name } = call.read()?;
    let renamed = token::rename(call, &path.owner_ref(), &path.id, &name).await?;
    Ok(HttpResponse::Ok().json(document::token(&renamed, call.app.now())))
}

async fn revoke(call: &Call, path: &TokenPath) -> Answer {
    let ended = token::revoke(call, &path.owner_ref(), &path.id).await?;
    // Most tokens have created nothing.
    Ok(match (ended.tokens, ended.invitations) {
        (0 | 1, 0) => HttpResponse::NoContent().finish(),
        _ => HttpResponse::Ok().json(revoked(&ended)),
    })
}

async fn rotate(call: &Call, path: &TokenPath) -> Answer {
    let Rotation { overlap_seconds } = call.read()?;
    let overlap =
        overlap_seconds.map_or(DEFAULT_OVERLAP, |seconds| Duration::seconds(seconds.into()));
    call.once(StatusCode::CREATED, made(&call.app), async |req| {
        token::rotate(req, &path.owner_ref(), &path.id, overlap).await
    })
    .await
}

async fn revoke_all(call: &Call, path: &TokenPath) -> Answer {
    let RevokeAll { issued_before } = call.read()?;
    call.once(StatusCode::OK, revoked, async |req| {
        token::revoke_all(req, &path.owner_ref(), issued_before).await
    })
    .await
}

/// Revokes many tokens, for the operator.
pub async fn end(call: &Call, ended: Ended, before: Option<Instant>) -> Answer {
    call.once(StatusCode::OK, revoked, async |req| {
        token::revoke_matching(req, ended, before).await
    })
    .await
}

/// Numbers of what a revocation ended.
pub fn revoked(ended: &token::Revoked) -> Revoked {
    Revoked {
        revoked: ended.tokens,
        withdrawn_invitations: ended.invitations,
    }
}

/// Converts a new token to its body, with its state at the current time.
fn made(app: &App) -> impl Fn(&token::NewToken) -> NewToken + Send + Sync + use<> {
    let now = app.now();
    move |new| NewToken {
        token: new.secret.expose().to_owned(),
        about: document::token(&CheckedToken::new(new.token.clone()), now),
    }
}

/// Renames the fields of faults: use cases name some as forms and the command line do.
pub fn as_sent(error: app::Error) -> app::Error {
    match error {
        app::Error::Invalid(mut faults) => {
            faults.rename(|field| match field {
                "scope" => "scopes",
                "default_scope" => "default_scopes",
                "client_id" => "id",
                other => other,
            });
            app::Error::Invalid(faults)
        }
        error => error,
    }
}
