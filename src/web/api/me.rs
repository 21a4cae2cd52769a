//! `/v1/me`.

use super::call::Call;
use super::document;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use app::access::{ActiveToken, Caller, LoadedOwner};
use app::project;
use app::token;
use app::user::{self, Named};
use domain::Instant;
use domain::page::Page;
use wire::api::{Descendants, Me, Token};

routes! {
    GET "/v1/me" => show_me: None,
    GET "/v1/me/descendants" => show_my_descendants: None,
}

/// Returns the caller and the permissions of its token.
#[utoipa::path(
    get,
    path = "/v1/me",
    tag = "me",
    responses((status = 200, description = "The caller.", body = Me))
)]
async fn show_me(call: Call) -> Result<HttpResponse, Failure> {
    let me = match &call.caller {
        Caller::Token(active) => {
            let projects = project::list_reached(&call).await?;
            Me {
                user: match &active.loaded_owner {
                    LoadedOwner::User(owner) => Some(document::user(&owner.user)),
                    LoadedOwner::Organization(_) => None,
                },
                organization: match &active.loaded_owner {
                    LoadedOwner::User(_) => None,
                    LoadedOwner::Organization(own) => Some(document::organization(own, None)),
                },
                token: token_of_caller(active, call.app.now()),
                scopes: active.scopes.iter().map(ToString::to_string).collect(),
                organizations: active
                    .memberships()
                    .map(|membership| {
                        document::organization(&membership.organization, Some(membership.role))
                    })
                    .collect(),
                projects: projects.iter().map(document::project).collect(),
            }
        }
        _ => operator(&call).await?,
    };
    Ok(HttpResponse::Ok().json(me))
}

/// The token of the request. One of an organization names no user.
fn token_of_caller(active: &ActiveToken, now: Instant) -> Token {
    let token = document::token(&active.checked(), now);
    match &active.loaded_owner {
        LoadedOwner::User(_) => token,
        LoadedOwner::Organization(_) => Token {
            created_by: None,
            ..token
        },
    }
}

/// Returns what revoking the token of the request would also revoke.
#[utoipa::path(
    get,
    path = "/v1/me/descendants",
    tag = "me",
    responses((status = 200, description = "What was created with the token.", body = Descendants))
)]
async fn show_my_descendants(call: Call) -> Result<HttpResponse, Failure> {
    let review = token::list_own_descendants(&call).await?;
    Ok(HttpResponse::Ok().json(document::descendants(&review)))
}

/// The operator, with the organizations and projects of the user it acts for.
async fn operator(call: &Call) -> Result<Me, Failure> {
    let (user, organizations, projects) = match call.caller.user_id() {
        None => (None, Vec::new(), Vec::new()),
        Some(id) => {
            let user = user::find(call, Named::Id(id.clone())).await?;
            let seen = app::org::list(call, &Page::first(u16::MAX)).await?;
            let projects = project::list_reached(call).await?;
            (Some(document::user(&user)), seen, projects)
        }
    };
    let catalogue = &call.app.config().scopes;
    Ok(Me {
        user,
        organization: None,
        token: Token {
            id: "operator".to_owned(),
            kind: "operator".to_owned(),
            name: "Operator".to_owned(),
            hint: String::new(),
            scopes: Vec::new(),
            organization: None,
            projects: None,
            client_id: None,
            device_name: None,
            created_by: None,
            created_at: document::rfc3339(call.app.now()),
            expires_at: None,
            grace_ends_at: None,
            violation: None,
            last_used_at: None,
            last_used_address: None,
            confirmed_at: None,
            revoked_at: None,
            revoked_by: None,
            revoked_reason: None,
            replaces: None,
            made_by_token: None,
            state: "live".to_owned(),
        },
        scopes: catalogue.names().iter().map(ToString::to_string).collect(),
        organizations: organizations
            .iter()
            .map(|seen| document::organization(&seen.organization, seen.role))
            .collect(),
        projects: projects.iter().map(document::project).collect(),
    })
}
