//! `/v1/projects` and `/v1/orgs/{org}/projects`.

use super::call::Call;
use super::document;
use super::path::MemberPath;
use super::routes::routes;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::project;
use domain::Instant;
use domain::project::Project;
use domain::user::User;
use wire::api::{
    CreateProjectBody, List, ListParameters, Nothing, ProjectDetail, ProjectMember,
    UpdateProjectBody,
};

routes! {
    GET "/v1/projects" => list_projects: project::READ,
    GET "/v1/orgs/{org}/projects" => list_organization_projects: project::READ,
    POST "/v1/orgs/{org}/projects" => create_project: project::WRITE,
    GET "/v1/projects/{project}" => show_project: project::READ,
    PATCH "/v1/projects/{project}" => change_project: project::WRITE,
    DELETE "/v1/projects/{project}" => delete_project: project::WRITE,
    GET "/v1/projects/{project}/members" => list_project_members: project::READ,
    PUT "/v1/projects/{project}/members/{user}" => put_project_member: project::WRITE,
    DELETE "/v1/projects/{project}/members/{user}" => delete_project_member: project::WRITE,
}

/// Lists the projects that the caller can access, oldest first.
#[utoipa::path(
    get,
    path = "/v1/projects",
    tag = "projects",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<ProjectDetail>))
)]
async fn list_projects(call: Call) -> Result<HttpResponse, Failure> {
    list(&call, None).await
}

/// Lists the projects of an organization that the caller can access, oldest first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/projects",
    tag = "projects",
    params(("org" = String, Path, description = "ID or slug of the organization."), ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<ProjectDetail>))
)]
async fn list_organization_projects(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    list(&call, Some(&named)).await
}

async fn list(call: &Call, organization: Option<&str>) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
    let found = project::list(call, organization, &list.page).await?;
    let position = |project: &Project| (project.created_at, project.id.to_string());
    Ok(list.answer(found, position, document::project_detail))
}

/// Creates a project. Admins and owners of the organization only.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/projects",
    tag = "projects",
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = CreateProjectBody,
    responses((status = 201, description = "The new project.", body = ProjectDetail))
)]
async fn create_project(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let CreateProjectBody { name } = call.read()?;
    let made = document::project_detail;
    call.once(StatusCode::CREATED, made, async |req| {
        project::create(req, &named, &name).await
    })
    .await
}

/// Returns a project.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}",
    tag = "projects",
    params(("project" = String, Path, description = "ID of the project.")),
    responses((status = 200, description = "The project.", body = ProjectDetail))
)]
async fn show_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let project = project::find(&call, &id).await?;
    Ok(HttpResponse::Ok().json(document::project_detail(&project)))
}

/// Renames a project.
#[utoipa::path(
    patch,
    path = "/v1/projects/{project}",
    tag = "projects",
    params(("project" = String, Path, description = "ID of the project.")),
    request_body = UpdateProjectBody,
    responses((status = 200, description = "The updated project.", body = ProjectDetail))
)]
async fn change_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let UpdateProjectBody { name } = call.read()?;
    let project = project::rename(&call, &id, &name).await?;
    Ok(HttpResponse::Ok().json(document::project_detail(&project)))
}

/// Deletes a project. Tokens that are limited to it lose access to it.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}",
    tag = "projects",
    params(("project" = String, Path, description = "ID of the project.")),
    responses((status = 204, description = "The project does not exist any more."))
)]
async fn delete_project(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    project::delete(&call, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lists the members of a project, in the order of joining. Admins and owners of the
/// organization have access without being in the list.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/members",
    tag = "projects",
    params(("project" = String, Path, description = "ID of the project."), ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<ProjectMember>))
)]
async fn list_project_members(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
    let found = project::list_members(&call, &id, &list.page).await?;
    let position = |(user, at): &(User, Instant)| (*at, user.id.to_string());
    Ok(list.answer(found, position, |(user, at)| ProjectMember {
        id: user.id.to_string(),
        name: user.name.clone(),
        email: user.email.clone(),
        added_at: document::rfc3339(*at),
    }))
}

/// Adds a member of the organization to a project. Idempotent.
#[utoipa::path(
    put,
    path = "/v1/projects/{project}/members/{user}",
    tag = "projects",
    params(
        ("project" = String, Path, description = "ID of the project."),
        ("user" = String, Path, description = "ID of the user.")
    ),
    responses((status = 204, description = "The user is a member of the project."))
)]
async fn put_project_member(
    call: Call,
    path: web::Path<MemberPath>,
) -> Result<HttpResponse, Failure> {
    let Nothing {} = call.read()?;
    project::add_member(&call, &path.named, &path.user()?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a user from a project. Idempotent.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/members/{user}",
    tag = "projects",
    params(
        ("project" = String, Path, description = "ID of the project."),
        ("user" = String, Path, description = "ID of the user.")
    ),
    responses((status = 204, description = "The user is not a member of the project."))
)]
async fn delete_project_member(
    call: Call,
    path: web::Path<MemberPath>,
) -> Result<HttpResponse, Failure> {
    project::remove_member(&call, &path.named, &path.user()?).await?;
    Ok(HttpResponse::NoContent().finish())
}
