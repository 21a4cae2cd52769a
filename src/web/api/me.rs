//! `/v1/me`.

use super::authenticated;
use crate::app::caller::Caller;
use crate::app::token::Holder;
use crate::app::{App, project};
use crate::domain::Instant;
use crate::domain::org::{self, Role};
use crate::web::failure::Failure;
use crate::wire::api::{Me, Organization, Project, Token, User};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::SecondsFormat;

/// `GET /v1/me`: who the caller is, for any token.
pub async fn show_me(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let active = authenticated(&app, &request).await?;
    let projects = project::list_reached(&app, &Caller::Token(Box::new(active.clone()))).await?;
    let token = &active.token;
    Ok(HttpResponse::Ok().json(Me {
        user: match &active.holder {
            Holder::Person(owner) => Some(User {
                id: owner.account.id.to_string(),
                name: owner.account.name.clone(),
                email: owner.account.email.clone(),
            }),
            Holder::Organization(_) => None,
        },
        organization: match &active.holder {
            Holder::Person(_) => None,
            Holder::Organization(own) => Some(organization(own, None)),
        },
        token: Token {
            id: token.id.to_string(),
            kind: token.owner.kind().to_owned(),
            name: token.name.clone(),
            hint: token.hint.clone(),
            created_at: rfc3339(token.created_at),
            expires_at: token.expires_at.map(rfc3339),
        },
        scopes: active.scopes.iter().map(ToString::to_string).collect(),
        organizations: active
            .memberships()
            .map(|membership| organization(&membership.organization, Some(membership.role)))
            .collect(),
        projects: projects
            .into_iter()
            .map(|project| Project {
                id: project.id.to_string(),
                name: project.name,
            })
            .collect(),
    }))
}

fn organization(organization: &org::Organization, role: Option<Role>) -> Organization {
    Organization {
        id: organization.id.to_string(),
        slug: organization.slug.clone(),
        name: organization.name.clone(),
        role: role.map(|role| role.as_str().to_owned()),
    }
}

fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
