//! The projects of an organization.

use super::list;
use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{Guard, form_on, read};
use super::typed_form::TypedForm;
use super::view::project::{
    DeleteProjectPage, NewProjectPage, ProjectHead, ProjectMemberRow, ProjectNotice, ProjectPage,
    ProjectRow, ProjectsNotice, ProjectsPage, RemoveProjectMemberPage,
};
use super::view::{Choice, Moment};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::access::Denial;
use app::{org, project};
use domain::Instant;
use domain::id::UserId;
use domain::page::Page;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use std::ops::Deref;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/projects", read(show_projects)))
        .service(resource(
            "/o/{org}/projects/new",
            read(show_new).post(submit_new),
        ))
        .service(resource("/o/{org}/projects/{project}", read(show_project)))
        .service(resource(
            "/o/{org}/projects/{project}/name",
            form_on("/o/{org}/projects/{project}").post(submit_name),
        ))
        .service(resource(
            "/o/{org}/projects/{project}/members",
            form_on("/o/{org}/projects/{project}").post(submit_member),
        ))
        .service(resource(
            "/o/{org}/projects/{project}/members/{user}/remove",
            read(show_remove).post(submit_remove),
        ))
        .service(resource(
            "/o/{org}/projects/{project}/delete",
            read(show_delete).post(submit_delete),
        ));
}

/// `GET /o/{org}/projects`.
async fn show_projects(req: OrgPageRequest) -> Answer {
    let query = req.query()?;
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
async fn show_new(req: OrgPageRequest) -> Answer {
    req.require(Role::Admin)?;
    let typed = req.typed();
    let page = NewProjectPage {
        chrome: req.chrome(),
        org: req.head(),
        name: typed.text("name"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/new`.
async fn submit_new(req: OrgPageRequest, form: Form) -> Answer {
    let name = form.value("name").unwrap_or_default();
    match project::create(&req, req.id(), name).await {
        Ok(made) => Ok(see_other(&path(&req, &made, "?done=created"))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

fn path(req: &OrgPageRequest, project: &Project, rest: &str) -> String {
    req.path(&format!("/projects/{}{rest}", project.id))
}

/// A request for a page of a project.
struct ProjectRequest {
    req: OrgPageRequest,
    found: Project,
}

impl Deref for ProjectRequest {
    type Target = OrgPageRequest;

    fn deref(&self) -> &OrgPageRequest {
        &self.req
    }
}

impl Guard for ProjectRequest {
    /// Finds the project that the path names in `{project}`, if it is in that organization. Users
    /// without access get the same error as for a missing project.
    async fn admit(req: PageRequest) -> Result<Self, Failure> {
        let req = OrgPageRequest::admit(req).await?;
        let found = project::find(&req, req.segment("project")).await?;
        match found.organization_id == req.seen.organization.id {
            true => Ok(Self { req, found }),
            false => Err(app::Error::from(Denial::NoAccess).into()),
        }
    }
}

impl ProjectRequest {
    fn id(&self) -> &str {
        self.found.id.as_str()
    }

    /// Redirects to the page of the project.
    fn done(&self, query: &str) -> Answer {
        Ok(see_other(&path(self, &self.found, query)))
    }
}

/// `GET /o/{org}/projects/{project}`.
async fn show_project(req: ProjectRequest) -> Answer {
    let query = req.query()?;
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
    let page = page(&req, &part, req.typed()).await?;
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

async fn page(req: &ProjectRequest, part: &Page, typed: TypedForm) -> Result<ProjectPage, Failure> {
    let (id, found) = (req.id(), &req.found);
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

/// `POST /o/{org}/projects/{project}/name`.
async fn submit_name(req: ProjectRequest, form: Form) -> Answer {
    let name = form.value("name").unwrap_or_default();
    match project::rename(&req, req.id(), name).await {
        Ok(_) => req.done("?done=renamed"),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `POST /o/{org}/projects/{project}/members`.
async fn submit_member(req: ProjectRequest, form: Form) -> Answer {
    req.require(Role::Admin)?;
    let added = match form.value("member").and_then(UserId::parse) {
        Some(id) => project::add_member(&req, req.id(), &id).await.map(|()| id),
        None => Err(app::Error::NotFound),
    };
    match added {
        Ok(id) => req.done(&format!("?added={id}")),
        Err(app::Error::NotFound) => {
            let message = "Choose a member of the organization.";
            req.again(TypedForm::wrong(form, "member", message)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /o/{org}/projects/{project}/members/{user}/remove`: the confirmation page.
async fn show_remove(req: ProjectRequest) -> Answer {
    req.require(Role::Admin)?;
    let id = req.user()?;
    let member = project::find_member(&req, req.id(), &id).await?;
    let page = RemoveProjectMemberPage {
        chrome: req.chrome(),
        org: req.head(),
        project: head(&req.found),
        member: row(&req, member),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/members/{user}/remove`.
async fn submit_remove(req: ProjectRequest, _: Form) -> Answer {
    let id = req.user()?;
    project::remove_member(&req, req.id(), &id).await?;
    req.done(&format!("?removed={id}"))
}

/// `GET /o/{org}/projects/{project}/delete`: the confirmation page.
async fn show_delete(req: ProjectRequest) -> Answer {
    let page = DeleteProjectPage {
        chrome: req.chrome(),
        org: req.head(),
        project: head(&req.found),
        tokens: project::count_tokens(&req, req.id()).await?,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/projects/{project}/delete`.
async fn submit_delete(req: ProjectRequest, _: Form) -> Answer {
    project::delete(&req, req.id()).await?;
    Ok(see_other(&req.path("/projects?done=deleted")))
}
