//! `/v1/me`.

use super::authenticated;
use crate::app::App;
use crate::domain::Instant;
use crate::web::failure::Failure;
use crate::wire::api::{Me, Organization, Token, User};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::SecondsFormat;

/// `GET /v1/me`: who the caller is, for any token.
pub async fn show_me(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let active = authenticated(&app, &request).await?;
    let token = &active.token;
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
        token: Token {
            id: token.id.to_string(),
            kind: token.owner.kind().to_owned(),
            name: token.name.clone(),
            hint: token.hint.clone(),
            created_at: rfc3339(token.created_at),
            expires_at: token.expires_at.map(rfc3339),
        },
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

fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
