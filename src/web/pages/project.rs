//! The projects of an organization.

use super::faults;
use super::list;
use super::org_request::{OrgPageRequest, segment, user};
use super::page_request::{PageRequest, see_other};
use super::typed_form::TypedForm;
use super::view::project::{
    DeleteProjectPage, NewProjectPage, ProjectHead, ProjectMemberRow, ProjectNotice, ProjectPage,
    ProjectRow, ProjectsNotice, ProjectsPage, RemoveProjectMemberPage,
};
use super::view::{Choice, FieldErrors, Moment};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::{org, project};
use domain::Instant;
use domain::id::UserId;
use domain::page::Page;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/projects", [read(show_projects)]))
        .service(resource(
            "/o/{org}/projects/new",
            [read(show_new), post(submit_new)],
        ))
        .service(resource(
            "/o/{org}/projects/{project}",
            [read(show_project)],
        ))
        .service(resource(
            "/o/{org}/projects/{project}/name",
            [post(submit_name)],
        ))
        .service(resource(
            "/o/{org}/projects/{project}/members",
            [post(submit_member)],
        ))
        .service(resource(
            "/o/{org}/projects/{project}/members/{user}/remove",
            [read(show_remove), post(submit_remove)],
        ))
        .service(resource(
            "/o/{org}/projects/{project}/delete",
            [read(show_delete), post(submit_delete)],
        ));
}

/// `GET /o/{org}/projects`.
async fn show_projects(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = OrgPageRequest::of(req, &request).await?;
    let query = extract::query(&request)?;
    let part = list::page(&query);
    let mut projects = project::list(&req, Some(req.id()), &part).await?;
    let next = list::cut(&part, &mut projects, &req.path("/projects"), |project| {
        (project.created_at, project.id.to_string())
    });
    let counts = project::count_members(&req, &projects).await?;
    let page = ProjectsPage {
        chrome: req.chrome(),
        org: req.head(),
        projects: projects
            .iter()
            .map(|project| ProjectRow {
                project: head(project),
                members: counts
                    .get(project.id.as_str())
                    .and_then(|count| usize::try_from(*count).ok())
                    .unwrap_or_default(),
                created: Moment::new(project.created_at, req.now()),
            })
            .collect(),
        next,
        access: req.access(),
        notice: (query.value("done") == Some("deleted")).then_some(ProjectsNotice::Deleted),
    };
    req.page(StatusCode::OK, &page)
}

fn head(project: &Project) -> ProjectHead {
    ProjectHead {
        id: project.id.to_string(),
        name: project.name.clone(),
    }
}

/// `GET /o/{org}/projects/new`.
async fn show_new(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = OrgPageRequest::of(req, &request).await?;
    req.require(Role::Admin)?;
    new_page(&req, TypedForm::default())
}

fn new_page(req: &OrgPageRequest, typed: TypedForm) -> Result<HttpResponse, Failure> {
    let status = typed.status();
    let page = NewProjectPage {
        chrome: req.chrome(),
        org: req.head(),
        name: typed.text("name"),
        errors: typed.errors,
    };
    req.page(status, &page)
}

/// `POST /o/{org}/projects/new`.
async fn submit_new(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let req = OrgPageRequest::of(req, &request).await?;
    let name = form.value("name").unwrap_or_default();
    match project::create(&req, req.id(), name).await {
        Ok(made) => Ok(see_other(&path(&req, &made, "?done=created"))),
        Err(error) => {
            let errors = faults(error)?;
            new_page(&req, TypedForm { form, errors })
        }
    }
}

fn path(req: &OrgPageRequest, project: &Project, rest: &str) -> String {
    req.path(&format!("/projects/{}{rest}", project.id))
}

/// The project that the path names in `{project}`, if it is in that organization. Users without
/// access get the same error as for a missing project.
async fn find(req: &OrgPageRequest, request: &HttpRequest) -> Result<Project, Failure> {
    let named = segment(request, "project");
    let found = project::find(req, named).await?;
    match found.organization_id == req.seen.organization.id {
        true => Ok(found),
        false => Err(app::Error::from(app::access::Denial::NoAccess).into()),
    }
}

/// `GET /o/{org}/projects/{project}`.
async fn show_project(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    let query = extract::query(&request)?;
    let notice = match (
        query.value("done"),
        query.value("added"),
        query.value("removed"),
    ) {
        (Some("created"), ..) => Some(ProjectNotice::Created),
        (Some("renamed"), ..) => Some(ProjectNotice::Renamed),
        (_, Some(id), _) => name_of(&req, id).await?.map(ProjectNotice::Added),
        (_, _, Some(id)) => name_of(&req, id).await?.map(ProjectNotice::Removed),
        _ => None,
    };
    let part = list::page(&query);
    let page = page(&req, &found, &part, TypedForm::default()).await?;
    req.page(StatusCode::OK, &ProjectPage { notice, ..page })
}

/// The name of a member of the organization.
async fn name_of(req: &OrgPageRequest, id: &str) -> Result<Option<String>, Failure> {
    let Some(id) = UserId::parse(id) else {
        return Ok(None);
    };
    match org::find_member(req, req.id(), &id).await {
        Ok(member) => Ok(Some(member.user.name)),
        Err(app::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn page(
    req: &OrgPageRequest,
    found: &Project,
    part: &Page,
    typed: TypedForm,
) -> Result<ProjectPage, Failure> {
    let id = found.id.as_str();
    let candidates = match req.access().can_manage() {
        true => project::list_candidates(req, id).await?,
        false => Vec::new(),
    };
    let mut members = project::list_members(req, id, part).await?;
    let next = list::cut(part, &mut members, &path(req, found, ""), |(user, at)| {
        (*at, user.id.to_string())
    });
    let chosen = typed.form.value("member");
    let name = typed.form.value("name");
    Ok(ProjectPage {
        chrome: req.chrome(),
        org: req.head(),
        project: head(found),
        created: Moment::new(found.created_at, req.now()),
        members: members.into_iter().map(|member| row(req, member)).collect(),
        next,
        candidates: candidates
            .into_iter()
            .map(|user| Choice {
                selected: chosen == Some(user.id.as_str()),
                value: user.id.to_string(),
                label: format!("{} ({})", user.name, user.email),
            })
            .collect(),
        access: req.access(),
        name: name.unwrap_or(&found.name).to_owned(),
        notice: None,
        errors: typed.errors,
    })
}

fn row(req: &PageRequest, (user, since): (User, Instant)) -> ProjectMemberRow {
    ProjectMemberRow {
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
        since: Moment::new(since, req.now()),
    }
}

async fn again(
    req: &OrgPageRequest,
    found: &Project,
    typed: TypedForm,
) -> Result<HttpResponse, Failure> {
    let (status, part) = (typed.status(), list::page(&Form::default()));
    let page = page(req, found, &part, typed).await?;
    req.page(status, &page)
}

/// `POST /o/{org}/projects/{project}/name`.
async fn submit_name(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    let name = form.value("name").unwrap_or_default();
    match project::rename(&req, found.id.as_str(), name).await {
        Ok(renamed) => Ok(see_other(&path(&req, &renamed, "?done=renamed"))),
        Err(error) => {
            let errors = faults(error)?;
            again(&req, &found, TypedForm { form, errors }).await
        }
    }
}

/// `POST /o/{org}/projects/{project}/members`.
async fn submit_member(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    req.require(Role::Admin)?;
    let added = match form.value("member").and_then(UserId::parse) {
        Some(id) => project::add_member(&req, found.id.as_str(), &id)
            .await
            .map(|()| id),
        None => Err(app::Error::NotFound),
    };
    match added {
        Ok(id) => Ok(see_other(&path(&req, &found, &format!("?added={id}")))),
        Err(app::Error::NotFound) => {
            let errors = FieldErrors::on("member", "Choose a member of the organization.");
            again(&req, &found, TypedForm { form, errors }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /o/{org}/projects/{project}/members/{user}/remove`: the confirmation page.
async fn show_remove(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    req.require(Role::Admin)?;
    let id = user(&request)?;
    let member = project::find_member(&req, found.id.as_str(), &id).await?;
    let page = RemoveProjectMemberPage {
        chrome: req.chrome(),
        org: req.head(),
        project: head(&found),
        member: row(&req, member),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/members/{user}/remove`.
async fn submit_remove(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    let id = user(&request)?;
    project::remove_member(&req, found.id.as_str(), &id).await?;
    Ok(see_other(&path(&req, &found, &format!("?removed={id}"))))
}

/// `GET /o/{org}/projects/{project}/delete`: the confirmation page.
async fn show_delete(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    let page = DeleteProjectPage {
        chrome: req.chrome(),
        org: req.head(),
        project: head(&found),
        tokens: project::count_tokens(&req, found.id.as_str()).await?,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/delete`.
async fn submit_delete(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let req = OrgPageRequest::of(req, &request).await?;
    let found = find(&req, &request).await?;
    project::delete(&req, found.id.as_str()).await?;
    Ok(see_other(&req.path("/projects?done=deleted")))
}
