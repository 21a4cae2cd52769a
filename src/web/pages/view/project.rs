//! The projects of an organization.

use super::org::{Access, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;

/// `/o/{org}/projects`.
#[derive(Debug, Template)]
#[template(path = "projects.html")]
pub struct ProjectsPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The projects that the person can reach.
    pub projects: Vec<ProjectRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What the person may do.
    pub access: Access,
    /// What was just done, if anything.
    pub notice: Option<ProjectsNotice>,
}

/// What was just done to the projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectsNotice {
    /// One was deleted.
    Deleted,
}

/// What names a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectHead {
    /// Its id: `prj_…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A project in the list.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// The project.
    pub project: ProjectHead,
    /// How many were added to it.
    pub members: usize,
    /// When it was made.
    pub created: Moment,
}

/// `/o/{org}/projects/new`. Posts to the same path the field `name`.
#[derive(Debug, Template)]
#[template(path = "project_new.html")]
pub struct NewProjectPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// What was typed as the name.
    pub name: String,
    /// What is wrong; field `name`.
    pub errors: FieldErrors,
}

/// `/o/{org}/projects/{project}`. Posts to `…/name` the field `name`, and to `…/members` the
/// field `member`.
#[derive(Debug, Template)]
#[template(path = "project.html")]
pub struct ProjectPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// When it was made.
    pub created: Moment,
    /// Those who were added to it, the first who was added first.
    pub members: Vec<ProjectMemberRow>,
    /// Where they go on.
    pub next: Option<String>,
    /// The members of the organization who can be added; the value is their id.
    pub candidates: Vec<Choice>,
    /// What the person may do.
    pub access: Access,
    /// The name in its field.
    pub name: String,
    /// What was just done, if anything.
    pub notice: Option<ProjectNotice>,
    /// What is wrong; fields `name`, `member`.
    pub errors: FieldErrors,
}

/// A member of a project.
#[derive(Debug, Clone)]
pub struct ProjectMemberRow {
    /// The person's id, for the URL.
    pub id: String,
    /// Their name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// When they were added.
    pub since: Moment,
}

/// What was just done to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectNotice {
    /// It was made.
    Created,
    /// Its name was saved.
    Renamed,
    /// This person was added.
    Added(String),
    /// This person was removed.
    Removed(String),
}

/// `GET /o/{org}/projects/{project}/members/{user}/remove`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "project_member_remove.html")]
pub struct RemoveProjectMemberPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// Who would be removed.
    pub member: ProjectMemberRow,
}

/// `GET /o/{org}/projects/{project}/delete`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "project_delete.html")]
pub struct DeleteProjectPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// How many living tokens are limited to it and would reach nothing.
    pub tokens: usize,
}
