//! The projects of an organization.

use super::filters;
use super::org::{Access, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;

/// `/o/{org}/projects`.
#[derive(Debug, Template)]
#[template(path = "projects.html")]
pub struct ProjectsPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The projects that the user can reach.
    pub projects: Vec<ProjectRow>,
    /// URL of the next page.
    pub next: Option<String>,
    /// The user's rights.
    pub access: Access,
    /// The notice of the last action.
    pub notice: Option<ProjectsNotice>,
}

/// The last action on the projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectsNotice {
    /// A project was deleted.
    Deleted,
}

/// Id and name of a project.
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
    /// Number of members.
    pub members: usize,
    /// When it was created.
    pub created: Moment,
}

/// `/o/{org}/projects/new`. Posts to the same path the field `name`.
#[derive(Debug, Template)]
#[template(path = "project_new.html")]
pub struct NewProjectPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The typed name.
    pub name: String,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

/// `/o/{org}/projects/{project}`. Posts to `…/name` the field `name`, and to `…/members` the
/// field `member`.
#[derive(Debug, Template)]
#[template(path = "project.html")]
pub struct ProjectPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// When it was created.
    pub created: Moment,
    /// The members, in the order of joining.
    pub members: Vec<ProjectMemberRow>,
    /// URL of their next page.
    pub next: Option<String>,
    /// The members of the organization who can be added; the value is the user id.
    pub candidates: Vec<Choice>,
    /// The user's rights.
    pub access: Access,
    /// The value of the name field.
    pub name: String,
    /// The notice of the last action.
    pub notice: Option<ProjectNotice>,
    /// Form errors; fields `name`, `member`.
    pub errors: FieldErrors,
}

/// A member of a project.
#[derive(Debug, Clone)]
pub struct ProjectMemberRow {
    /// The user's id, for the URL.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// The email for sign-in.
    pub email: String,
    /// When the user was added.
    pub since: Moment,
}

/// The last action on a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectNotice {
    /// It was created.
    Created,
    /// Its name was saved.
    Renamed,
    /// The user with this name was added.
    Added(String),
    /// The user with this name was removed.
    Removed(String),
}

/// `GET /o/{org}/projects/{project}/members/{user}/remove`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "project_member_remove.html")]
pub struct RemoveProjectMemberPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// The member to be removed.
    pub member: ProjectMemberRow,
}

/// `GET /o/{org}/projects/{project}/delete`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "project_delete.html")]
pub struct DeleteProjectPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The project.
    pub project: ProjectHead,
    /// Number of active tokens that are limited to it and would reach nothing.
    pub tokens: usize,
}
