//! `/v1/me`.

use super::call::Call;
use crate::domain::Instant;
use crate::domain::token;
use crate::web::failure::Failure;
use crate::wire::api::{Me, Organization, Token, User};
use actix_web::HttpResponse;
use chrono::SecondsFormat;
use utoipa::OpenApi;

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(show_me))]
pub struct Description;

/// Show who the caller is and what its token may do.
#[utoipa::path(
    get,
    path = "/v1/me",
    tag = "me",
    responses((status = 200, description = "The caller.", body = Me))
)]
pub async fn show_me(call: Call) -> Result<HttpResponse, Failure> {
    let active = &call.token;
    let memberships = active
        .owner
        .as_ref()
        .map(|owner| owner.memberships.as_slice());
    Ok(HttpResponse::Ok().json(Me {
        user: active.owner.as_ref().map(|owner| User {
            id: owner.account.id.to_string(),
            name: owner.account.name.clone(),
            email: owner.account.email.clone(),
        }),
        organization: None,
        token: document(&active.token),
        scopes: active.scopes.iter().map(ToString::to_string).collect(),
        organizations: memberships
            .unwrap_or_default()
            .iter()
            .map(|membership| Organization {
                id: membership.organization.id.to_string(),
                slug: membership.organization.slug.clone(),
                name: membership.organization.name.clone(),
                role: Some(membership.role.as_str().to_owned()),
            })
            .collect(),
        projects: Vec::new(),
    }))
}

/// A token, without its text.
pub fn document(token: &token::Token) -> Token {
    Token {
        id: token.id.to_string(),
        kind: token.owner.kind().to_owned(),
        name: token.name.clone(),
        hint: token.hint.clone(),
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
    }
}

fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
