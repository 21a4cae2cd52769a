//! `/v1/me`.

use super::call::Call;
use crate::app::caller::{Caller, Denial};
use crate::app::token::Holder;
use crate::app::{self, project};
use crate::domain::Instant;
use crate::domain::org::{self, Role};
use crate::domain::token;
use crate::web::failure::Failure;
use crate::wire::api::{Me, Organization, Project, Token, User};
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
    let Caller::Token(active) = &call.caller else {
        return Err(app::Error::from(Denial::NoPart).into());
    };
    let projects = project::list_reached(&call.app, &call.caller).await?;
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
        token: document(&active.token),
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
