//! The projects of an organization.

use super::faults;
use super::inside::{Inside, inside, segment, user};
use super::list;
use super::view::project::{
    DeleteProjectPage, NewProjectPage, ProjectHead, ProjectMemberRow, ProjectNotice, ProjectPage,
    ProjectRow, ProjectsNotice, ProjectsPage, RemoveProjectMemberPage,
};
use super::view::{Choice, FieldErrors, Moment};
use super::visit::{Visit, see_other};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::receipt::Receipt;
use app::{org, project};
use domain::Instant;
use domain::id::UserId;
use domain::org::Role;
use domain::page::Page;
use domain::project::Project;
use domain::user::User;
use wire::form::Form;

/// The addresses of this module.
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
async fn show_projects(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let query = extract::query(&request)?;
    let (app, caller, part) = (&visit.app, &inside.caller, list::page(&query));
    let mut projects = project::list(app, caller, Some(inside.id()), &part).await?;
    let next = list::cut(&part, &mut projects, &inside.path("/projects"), |project| {
        (project.created_at, project.id.to_string())
    });
    let counts = project::count_members(app, caller, &projects).await?;
    let page = ProjectsPage {
        chrome: visit.chrome(),
        org: inside.head(),
        projects: projects
            .iter()
            .map(|project| ProjectRow {
                project: head(project),
                members: counts
                    .get(project.id.as_str())
                    .and_then(|count| usize::try_from(*count).ok())
                    .unwrap_or_default(),
                created: Moment::new(project.created_at, visit.now()),
            })
            .collect(),
        next,
        access: inside.access(),
        notice: (query.value("done") == Some("deleted")).then_some(ProjectsNotice::Deleted),
    };
    visit.page(StatusCode::OK, &page)
}

fn head(project: &Project) -> ProjectHead {
    ProjectHead {
        id: project.id.to_string(),
        name: project.name.clone(),
    }
}

/// `GET /o/{org}/projects/new`.
async fn show_new(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    inside.require(Role::Admin)?;
    new_page(&visit, &inside, StatusCode::OK, "", FieldErrors::none())
}

fn new_page(
    visit: &Visit,
    inside: &Inside,
    status: StatusCode,
    name: &str,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = NewProjectPage {
        chrome: visit.chrome(),
        org: inside.head(),
        name: name.to_owned(),
        errors,
    };
    visit.page(status, &page)
}

/// `POST /o/{org}/projects/new`.
async fn submit_new(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let name = form.value("name").unwrap_or_default();
    let (app, context) = (&visit.app, &visit.context);
    match project::create(
        app,
        context,
        &inside.caller,
        inside.id(),
        name,
        Receipt::none(),
    )
    .await
    {
        Ok(made) => Ok(see_other(&path(&inside, &made, "?done=created"))),
        Err(error) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            new_page(&visit, &inside, status, name, faults(error)?)
        }
    }
}

fn path(inside: &Inside, project: &Project, rest: &str) -> String {
    inside.path(&format!("/projects/{}{rest}", project.id))
}

/// The project that an address names in `{project}`, if it is of that organization. Who does
/// not reach it is told the same as of one that is not there.
async fn find(visit: &Visit, inside: &Inside, request: &HttpRequest) -> Result<Project, Failure> {
    let named = segment(request, "project");
    let found = project::find(&visit.app, &inside.caller, named).await?;
    match found.organization_id == inside.seen.organization.id {
        true => Ok(found),
        false => Err(app::Error::from(app::caller::Denial::NoPart).into()),
    }
}

/// `GET /o/{org}/projects/{project}`.
async fn show_project(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    let query = extract::query(&request)?;
    let notice = match (
        query.value("done"),
        query.value("added"),
        query.value("removed"),
    ) {
        (Some("created"), ..) => Some(ProjectNotice::Created),
        (Some("renamed"), ..) => Some(ProjectNotice::Renamed),
        (_, Some(id), _) => name_of(&visit, &inside, id)
            .await?
            .map(ProjectNotice::Added),
        (_, _, Some(id)) => name_of(&visit, &inside, id)
            .await?
            .map(ProjectNotice::Removed),
        _ => None,
    };
    let part = list::page(&query);
    let page = page(&visit, &inside, &found, &part, None, FieldErrors::none()).await?;
    visit.page(StatusCode::OK, &ProjectPage { notice, ..page })
}

/// The name of a member of the organization.
async fn name_of(visit: &Visit, inside: &Inside, id: &str) -> Result<Option<String>, Failure> {
    let Some(id) = UserId::parse(id) else {
        return Ok(None);
    };
    match org::find_member(&visit.app, &inside.caller, inside.id(), &id).await {
        Ok(member) => Ok(Some(member.user.name)),
        Err(app::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn page(
    visit: &Visit,
    inside: &Inside,
    found: &Project,
    part: &Page,
    form: Option<&Form>,
    errors: FieldErrors,
) -> Result<ProjectPage, Failure> {
    let (app, caller, id) = (&visit.app, &inside.caller, found.id.as_str());
    let candidates = match inside.access().can_manage() {
        true => project::list_candidates(app, caller, id).await?,
        false => Vec::new(),
    };
    let mut members = project::list_members(app, caller, id, part).await?;
    let next = list::cut(
        part,
        &mut members,
        &path(inside, found, ""),
        |(user, at)| (*at, user.id.to_string()),
    );
    let chosen = form.and_then(|form| form.value("member"));
    let typed = form.and_then(|form| form.value("name"));
    Ok(ProjectPage {
        chrome: visit.chrome(),
        org: inside.head(),
        project: head(found),
        created: Moment::new(found.created_at, visit.now()),
        members: members
            .into_iter()
            .map(|member| row(visit, member))
            .collect(),
        next,
        candidates: candidates
            .into_iter()
            .map(|user| Choice {
                selected: chosen == Some(user.id.as_str()),
                value: user.id.to_string(),
                label: format!("{} ({})", user.name, user.email),
            })
            .collect(),
        access: inside.access(),
        name: typed.unwrap_or(&found.name).to_owned(),
        notice: None,
        errors,
    })
}

fn row(visit: &Visit, (user, since): (User, Instant)) -> ProjectMemberRow {
    ProjectMemberRow {
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
        since: Moment::new(since, visit.now()),
    }
}

async fn again(
    visit: &Visit,
    inside: &Inside,
    found: &Project,
    form: &Form,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let part = list::page(&Form::default());
    let page = page(visit, inside, found, &part, Some(form), errors).await?;
    visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /o/{org}/projects/{project}/name`.
async fn submit_name(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    let name = form.value("name").unwrap_or_default();
    let (app, context, caller) = (&visit.app, &visit.context, &inside.caller);
    match project::rename(app, context, caller, found.id.as_str(), name).await {
        Ok(renamed) => Ok(see_other(&path(&inside, &renamed, "?done=renamed"))),
        Err(error) => again(&visit, &inside, &found, &form, faults(error)?).await,
    }
}

/// `POST /o/{org}/projects/{project}/members`.
async fn submit_member(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    inside.require(Role::Admin)?;
    let (app, context, caller) = (&visit.app, &visit.context, &inside.caller);
    let added = match form.value("member").and_then(UserId::parse) {
        Some(id) => project::add_member(app, context, caller, found.id.as_str(), &id)
            .await
            .map(|()| id),
        None => Err(app::Error::NotFound),
    };
    match added {
        Ok(id) => Ok(see_other(&path(&inside, &found, &format!("?added={id}")))),
        Err(app::Error::NotFound) => {
            let errors = FieldErrors::on("member", "Choose a member of the organization.");
            again(&visit, &inside, &found, &form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /o/{org}/projects/{project}/members/{user}/remove`: asks for confirmation.
async fn show_remove(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    inside.require(Role::Admin)?;
    let id = user(&request)?;
    let (app, caller) = (&visit.app, &inside.caller);
    let member = project::find_member(app, caller, found.id.as_str(), &id).await?;
    let page = RemoveProjectMemberPage {
        chrome: visit.chrome(),
        org: inside.head(),
        project: head(&found),
        member: row(&visit, member),
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/members/{user}/remove`.
async fn submit_remove(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    let id = user(&request)?;
    let (app, context, caller) = (&visit.app, &visit.context, &inside.caller);
    project::remove_member(app, context, caller, found.id.as_str(), &id).await?;
    Ok(see_other(&path(&inside, &found, &format!("?removed={id}"))))
}

/// `GET /o/{org}/projects/{project}/delete`: asks for confirmation.
async fn show_delete(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    let page = DeleteProjectPage {
        chrome: visit.chrome(),
        org: inside.head(),
        project: head(&found),
        tokens: project::count_tokens(&visit.app, &inside.caller, found.id.as_str()).await?,
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/delete`.
async fn submit_delete(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let found = find(&visit, &inside, &request).await?;
    let (app, context, caller) = (&visit.app, &visit.context, &inside.caller);
    project::delete(app, context, caller, found.id.as_str()).await?;
    Ok(see_other(&inside.path("/projects?done=deleted")))
}
