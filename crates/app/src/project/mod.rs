//! Projects of organizations and their members.

mod overview;

pub use overview::{count_members, count_tokens, find_member, list_candidates};

use super::tx::Tx;
use super::{Error, Request};
use crate::access::{Caller, Denial, find_organization};
use crate::org::find_for_operator;
use domain::audit::Action;
use domain::decision;
use domain::id::{ProjectId, UserId};
use domain::page::Page;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use domain::{Fault, Instant};
use serde_json::json;
use store::project::{ReachedKey, ReachedProjects, Wanted};

/// The scope for reading projects.
pub const READ: &str = "projects:read";

/// The scope for changing projects.
pub const WRITE: &str = "projects:write";

fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Duplicate => Fault::new(
            "name",
            "The organization has a project of this name. Choose another one.",
        )
        .into(),
        error => error.into(),
    }
}

/// Creates a project, for admins and owners of its organization.
pub async fn create(req: &Request, organization: &str, name: &str) -> Result<Project, Error> {
    let (named, name) = (organization.to_owned(), name.to_owned());
    req.change(Action::ProjectCreated, move |tx| insert(tx, &named, &name))
        .await
}

/// Creates a project with its first members, for the operator, who may name the organization by its
/// name; see [`find_for_operator`].
pub async fn add(
    req: &Request,
    organization: &str,
    name: &str,
    members: Vec<User>,
) -> Result<Project, Error> {
    let organization = find_for_operator(req, organization).await?.id;
    let name = name.to_owned();
    req.change(Action::ProjectCreated, move |tx| {
        // Lock the users, so that they stay in the organization meanwhile.
        for member in &members {
            store::user::lock_user_shared(tx.conn, &member.id)?;
        }
        let project = insert(tx, organization.as_str(), &name)?;
        for member in &members {
            insert_member(tx, &project, &member.id).map_err(|error| match error {
                Error::NotFound => Fault::new(
                    "member",
                    format!("{} is not in the organization.", member.email),
                )
                .into(),
                error => error,
            })?;
        }
        Ok(project)
    })
    .await
}

fn insert(tx: &mut Tx<'_>, organization: &str, name: &str) -> Result<Project, Error> {
    let organization = tx.lock_organization(organization, WRITE, Role::Admin)?;
    let project = Project {
        id: tx.id(ProjectId::new),
        organization_id: organization.id,
        name: tx.app().names().check("name", name)?,
        created_at: tx.now,
    };
    store::project::insert_project(tx.conn, &project).map_err(taken)?;
    tx.record(&project, json!({"name": project.name}))?;
    Ok(project)
}

/// Lists the projects that the caller can access, in one organization or in all, oldest first.
pub async fn list(
    req: &Request,
    organization: Option<&str>,
    page: &Page,
) -> Result<Vec<Project>, Error> {
    let (named, page) = (organization.map(str::to_owned), page.clone());
    req.read(move |tx| {
        let organizations = match &named {
            Some(named) => Some(vec![reached_organization(tx, named)?]),
            None => {
                tx.require_scope(READ)?;
                reached_organizations(tx)?
            }
        };
        list_among(tx, organizations, &page)
    })
    .await
}

/// Maximum number of projects in the description of a caller.
const MOST_OF_ONESELF: u16 = 100;

/// Maximum number of organizations of a caller whose projects one look-up finds.
const MOST_ORGANIZATIONS: usize = 1_000;

/// The projects that the caller can access, as part of its own description. Needs no scope.
pub async fn list_reached(req: &Request) -> Result<Vec<Project>, Error> {
    if let Caller::Token(active) = &req.caller {
        let reach = decision::reach(&active.facts);
        let key = ReachedKey {
            organizations: reach.map(|one| one.organization_id.to_string()).collect(),
            user_id: req.caller.user_id().cloned(),
            among: active.facts.limits.projects.clone(),
            most: MOST_OF_ONESELF,
        };
        if key.organizations.len() <= MOST_ORGANIZATIONS {
            let found: Option<ReachedProjects> = req.app.store().find(key).await?;
            return Ok(found.map(|found| found.0).unwrap_or_default());
        }
    }
    req.read(|tx| {
        let organizations = reached_organizations(tx)?;
        let page = Page::first(MOST_OF_ONESELF);
        let mut found = list_among(tx, organizations, &page)?;
        page.cut(&mut found);
        Ok(found)
    })
    .await
}

/// The projects in these organizations, or in all, within the caller's limits.
fn list_among(
    tx: &mut Tx<'_>,
    organizations: Option<Vec<String>>,
    page: &Page,
) -> Result<Vec<Project>, Error> {
    let among = tx.limits()?.projects;
    let wanted = Wanted {
        organizations: organizations.as_deref(),
        user: tx.caller().user_id(),
        among: among.as_ref(),
    };
    Ok(store::project::list_projects(tx.conn, wanted, page)?)
}

/// The ids of the organizations that the caller can access; `None` for all.
fn reached_organizations(tx: &mut Tx<'_>) -> Result<Option<Vec<String>>, Error> {
    let reach = tx.authority()?.reach();
    Ok(reach.map(|ids| ids.iter().map(ToString::to_string).collect()))
}

/// The id of an organization with projects that the caller may list.
fn reached_organization(tx: &mut Tx<'_>, named: &str) -> Result<String, Error> {
    tx.require_scope(READ)?;
    let found = find_organization(tx.conn, named)?;
    match (found, tx.authority()?.reach()) {
        (Some(found), None) => Ok(found.id.to_string()),
        (Some(found), Some(reach)) if reach.contains(&found.id) => Ok(found.id.to_string()),
        (None, None) => Err(Error::NotFound),
        _ => Err(Denial::NoAccess.into()),
    }
}

/// One project.
pub async fn find(req: &Request, named: &str) -> Result<Project, Error> {
    let named = named.to_owned();
    req.read(move |tx| tx.project(&named, READ, Role::Member))
        .await
}

/// Lists the members of a project with the time they were added, in that order: one page plus one
/// entry if more follow.
pub async fn list_members(
    req: &Request,
    named: &str,
    page: &Page,
) -> Result<Vec<(User, Instant)>, Error> {
    let (named, page) = (named.to_owned(), page.clone());
    req.read(move |tx| {
        let project = tx.project(&named, READ, Role::Member)?;
        Ok(store::project::list_members(tx.conn, &project.id, &page)?)
    })
    .await
}

/// Renames a project.
pub async fn rename(req: &Request, named: &str, name: &str) -> Result<Project, Error> {
    let (named, name) = (named.to_owned(), name.to_owned());
    req.change(Action::ProjectRenamed, move |tx| {
        let project = tx.lock_project(&named, WRITE, Role::Admin)?;
        let name = tx.app().names().check("name", &name)?;
        store::project::update_name(tx.conn, &project.id, &name).map_err(taken)?;
        tx.record(&project, json!({"from": project.name, "to": name}))?;
        Ok(Project { name, ..project })
    })
    .await
}

/// Deletes a project. Tokens limited to it lose their access.
pub async fn delete(req: &Request, named: &str) -> Result<Project, Error> {
    let named = named.to_owned();
    req.change(Action::ProjectDeleted, move |tx| {
        let project = tx.lock_project(&named, WRITE, Role::Admin)?;
        store::project::delete_project(tx.conn, &project.id)?;
        tx.record(&project, json!({"name": project.name}))?;
        Ok(project)
    })
    .await
}

/// Adds a member of the organization to a project. Idempotent.
pub async fn add_member(req: &Request, named: &str, user_id: &UserId) -> Result<(), Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.change(Action::ProjectMemberAdded, move |tx| {
        tx.unlocked(|tx| tx.project(&named, WRITE, Role::Admin))?;
        // Lock the user, so that they stay in the organization meanwhile.
        store::user::lock_user_shared(tx.conn, &user_id)?;
        let project = tx.lock_project(&named, WRITE, Role::Admin)?;
        insert_member(tx, &project, &user_id)
    })
    .await
}

fn insert_member(tx: &mut Tx<'_>, project: &Project, user_id: &UserId) -> Result<(), Error> {
    store::org::find_role(tx.conn, &project.organization_id, user_id)?.ok_or(Error::NotFound)?;
    if store::project::insert_member(tx.conn, &project.id, user_id, tx.now)? {
        record_member(tx, Action::ProjectMemberAdded, project, user_id)?;
    }
    Ok(())
}

fn record_member(
    tx: &mut Tx<'_>,
    action: Action,
    project: &Project,
    user_id: &UserId,
) -> Result<(), Error> {
    tx.record_as(action, project, json!({"user": user_id.as_str()}))
}

/// Removes a member from a project. Idempotent.
pub async fn remove_member(req: &Request, named: &str, user_id: &UserId) -> Result<(), Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.change(Action::ProjectMemberRemoved, move |tx| {
        let project = tx.lock_project(&named, WRITE, Role::Admin)?;
        if store::project::delete_member(tx.conn, &project.id, &user_id)? {
            record_member(tx, Action::ProjectMemberRemoved, &project, &user_id)?;
        }
        Ok(())
    })
    .await
}
