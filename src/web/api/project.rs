//! `/v1/projects` and `/v1/orgs/{org}/projects`.

use super::call::Call;
use super::document;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::project;
use domain::Instant;
use domain::id::UserId;
use domain::project::Project;
use domain::user::User;
use utoipa::OpenApi;
use wire::api::{
    CreateProjectBody, List, ListParameters, ProjectDetail, ProjectMember, UpdateProjectBody,
};

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(
    list_projects,
    list_organization_projects,
    create_project,
    show_project,
    change_project,
    delete_project,
    list_project_members,
    put_project_member,
    delete_project_member
))]
pub struct Description;

/// List the projects that the caller reaches, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/projects",
    tag = "projects",
    security(("bearer" = ["projects:read"])),
    params(ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<ProjectDetail>))
)]
pub async fn list_projects(call: Call) -> Result<HttpResponse, Failure> {
    list(&call, None).await
}

/// List the projects of an organization that the caller reaches, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/projects",
    tag = "projects",
    security(("bearer" = ["projects:read"])),
    params(("org" = String, Path, description = "The organization's id or address."), ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<ProjectDetail>))
)]
pub async fn list_organization_projects(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    list(&call, Some(&named)).await
}

async fn list(call: &Call, organization: Option<&str>) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = project::list(&call.app, &call.caller, organization, &list.page).await?;
    let position = |project: &Project| (project.created_at, project.id.to_string());
    Ok(list.answer(found, position, document::project_detail))
}

/// Make a project, for admins and owners of its organization.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/projects",
    tag = "projects",
    security(("bearer" = ["projects:write"])),
    params(("org" = String, Path, description = "The organization's id or address.")),
    request_body = CreateProjectBody,
    responses((status = 201, description = "The project was made.", body = ProjectDetail))
)]
pub async fn create_project(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let name = call.read(|body| body.text("name"))?;
    let made = document::project_detail;
    call.once(StatusCode::CREATED, made, |idempotency| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = &call;
        project::create(app, context, caller, &named, &name, idempotency).await
    })
    .await
}

/// Show a project.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = ["projects:read"])),
    params(("project" = String, Path, description = "The project's id.")),
    responses((status = 200, description = "The project.", body = ProjectDetail))
)]
pub async fn show_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let project = project::find(&call.app, &call.caller, &id).await?;
    Ok(HttpResponse::Ok().json(document::project_detail(&project)))
}

/// Rename a project.
#[utoipa::path(
    patch,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = ["projects:write"])),
    params(("project" = String, Path, description = "The project's id.")),
    request_body = UpdateProjectBody,
    responses((status = 200, description = "The project as it is now.", body = ProjectDetail))
)]
pub async fn change_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let name = call.read(|body| body.text("name"))?;
    let project = project::rename(&call.app, &call.context, &call.caller, &id, &name).await?;
    Ok(HttpResponse::Ok().json(document::project_detail(&project)))
}

/// Delete a project. Tokens that are limited to it do not reach it any more.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = ["projects:write"])),
    params(("project" = String, Path, description = "The project's id.")),
    responses((status = 204, description = "The project is gone."))
)]
pub async fn delete_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    project::delete(&call.app, &call.context, &call.caller, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the people who were added to a project, the first who was added first. Admins and
/// owners reach it without.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/members",
    tag = "projects",
    security(("bearer" = ["projects:read"])),
    params(("project" = String, Path, description = "The project's id."), ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<ProjectMember>))
)]
pub async fn list_project_members(
    call: Call,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = project::list_members(&call.app, &call.caller, &id, &list.page).await?;
    let position = |(user, at): &(User, Instant)| (*at, user.id.to_string());
    Ok(list.answer(found, position, |(user, at)| ProjectMember {
        id: user.id.to_string(),
        name: user.name.clone(),
        email: user.email.clone(),
        added_at: document::rfc3339(*at),
    }))
}

/// Add a member of the organization to a project. Doing it twice is no fault.
#[utoipa::path(
    put,
    path = "/v1/projects/{project}/members/{user}",
    tag = "projects",
    security(("bearer" = ["projects:write"])),
    params(
        ("project" = String, Path, description = "The project's id."),
        ("user" = String, Path, description = "The person's id.")
    ),
    responses((status = 204, description = "The person is in the project."))
)]
pub async fn put_project_member(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (id, user) = path.into_inner();
    call.read(|_| ())?;
    let user = UserId::parse(&user).ok_or(Failure::NotFound)?;
    project::add_member(&call.app, &call.context, &call.caller, &id, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a person out of a project. Doing it twice is no fault.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/members/{user}",
    tag = "projects",
    security(("bearer" = ["projects:write"])),
    params(
        ("project" = String, Path, description = "The project's id."),
        ("user" = String, Path, description = "The person's id.")
    ),
    responses((status = 204, description = "The person is not in the project."))
)]
pub async fn delete_project_member(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (id, user) = path.into_inner();
    let user = UserId::parse(&user).ok_or(Failure::NotFound)?;
    project::remove_member(&call.app, &call.context, &call.caller, &id, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}
