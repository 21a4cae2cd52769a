//! Management API. It writes all errors as problem details (RFC 9457).
//!
//! Each resource has a module with its handlers and their part of the description ([`openapi`]).
//! A handler takes a [`call::Call`], which is also the request of its use cases: it reads the body
//! with `read` and the page of a list with `listing`, and executes a POST with `once`.

mod audit;
mod call;
mod choices;
mod client;
mod document;
mod me;
mod member;
pub mod openapi;
mod org;
mod page;
pub mod problem;
mod project;
mod required_scope;
mod scope;
mod token;
mod user;

use super::route::{delete, nothing, patch, post, put, read, resource};
use super::{extract, surface};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use app::App;
use app::audit::uses::{self, Purpose};

/// Routes under `/v1`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/me", [read(me::show_me)]))
        .service(resource("/scopes", [read(scope::list_scopes)]))
        .configure(token_routes)
        .configure(organization_routes)
        .configure(project_routes)
        .configure(operator_routes)
        .configure(audit_routes)
        .default_service(web::to(nothing));
}

fn token_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/tokens",
            [read(token::list_tokens), post(token::create_token)],
        ))
        .service(resource("/tokens/revoke-all", [post(token::revoke_tokens)]))
        .service(resource(
            "/tokens/{id}",
            [read(token::show_token), delete(token::delete_token)],
        ))
        .service(resource("/tokens/{id}/rotate", [post(token::rotate_token)]))
        .service(resource(
            "/orgs/{org}/tokens",
            [
                read(token::list_organization_tokens),
                post(token::create_organization_token),
            ],
        ))
        .service(resource(
            "/orgs/{org}/tokens/revoke-all",
            [post(token::revoke_organization_tokens)],
        ))
        .service(resource(
            "/orgs/{org}/tokens/{id}",
            [
                read(token::show_organization_token),
                delete(token::delete_organization_token),
            ],
        ))
        .service(resource(
            "/orgs/{org}/tokens/{id}/rotate",
            [post(token::rotate_organization_token)],
        ));
}

fn organization_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/orgs",
            [
                read(org::list_organizations),
                post(org::create_organization),
            ],
        ))
        .service(resource(
            "/orgs/{org}",
            [
                read(org::show_organization),
                patch(org::change_organization),
                delete(org::delete_organization),
            ],
        ))
        .service(resource(
            "/orgs/{org}/policy/effects",
            [read(org::list_effects)],
        ))
        .service(resource(
            "/orgs/{org}/members",
            [read(member::list_members)],
        ))
        .service(resource(
            "/orgs/{org}/members/{user}",
            [put(member::put_member), delete(member::delete_member)],
        ))
        .service(resource(
            "/orgs/{org}/invitations",
            [
                read(member::list_invitations),
                post(member::create_invitation),
            ],
        ))
        .service(resource(
            "/orgs/{org}/invitations/{id}",
            [delete(member::delete_invitation)],
        ));
}

fn project_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/projects", [read(project::list_projects)]))
        .service(resource(
            "/orgs/{org}/projects",
            [
                read(project::list_organization_projects),
                post(project::create_project),
            ],
        ))
        .service(resource(
            "/projects/{project}",
            [
                read(project::show_project),
                patch(project::change_project),
                delete(project::delete_project),
            ],
        ))
        .service(resource(
            "/projects/{project}/members",
            [read(project::list_project_members)],
        ))
        .service(resource(
            "/projects/{project}/members/{user}",
            [
                put(project::put_project_member),
                delete(project::delete_project_member),
            ],
        ));
}

fn operator_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/status", [read(user::show_status)]))
        .service(resource(
            "/users",
            [read(user::list_users), post(user::create_user)],
        ))
        .service(resource("/users/{user}", [read(user::show_user)]))
        .service(resource(
            "/users/{user}/deactivate",
            [post(user::deactivate_user)],
        ))
        .service(resource(
            "/users/{user}/revoke-all",
            [post(user::revoke_user_tokens)],
        ))
        .service(resource(
            "/clients",
            [read(client::list_clients), post(client::create_client)],
        ))
        .service(resource(
            "/clients/{client}",
            [read(client::show_client), patch(client::change_client)],
        ))
        .service(resource(
            "/clients/{client}/revoke-all",
            [post(client::revoke_client_tokens)],
        ));
}

fn audit_routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/audit", [read(audit::list_records)]))
        .service(resource("/audit/export", [read(audit::export_records)]))
        .service(resource("/audit/verify", [read(audit::verify_log)]))
        .service(resource("/audit/uses", [read(audit::list_uses)]))
        .service(resource("/audit/uses/{id}", [read(audit::show_use)]));
}

/// Route of the OpenAPI description, which requires no token.
pub fn description_routes(config: &mut web::ServiceConfig) {
    config.service(resource("/openapi.json", [read(openapi::show_document)]));
}

/// Writes errors as problem details.
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = surface::answer(app.clone(), request, next, problem::write).await?;
    note_use(&app, &response);
    Ok(response)
}

/// Records the use of the token of a request.
fn note_use(app: &App, response: &ServiceResponse<BoxBody>) {
    let extensions = response.request().extensions();
    let Some(call::Presented(used)) = extensions.get() else {
        return;
    };
    let context = extract::context_of(app, response.request());
    let extensions_of_response = response.response().extensions();
    let needed = context.route.as_deref();
    let needed = needed.and_then(|route| required_scope::scope_of(app, route));
    let (decision, scope) = match extensions_of_response.get::<problem::Refused>() {
        None => (uses::ALLOWED, needed),
        Some(refused) => (refused.code, refused.scope.as_deref().or(needed)),
    };
    let purpose = Purpose {
        scope,
        organization_id: None,
    };
    uses::note(app, &context, used.clone(), decision, purpose);
}
