//! Projects of organizations and their members.

mod overview;

pub use overview::{count_members, count_tokens, find_member, list_candidates};

use super::idempotency::IdempotencyRecord;
use super::{App, Context, Error, Event};
use crate::access::{Authority, Caller};
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, ProjectId, UserId};
use domain::org;
use domain::page::Page;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use domain::{Fault, Instant};
use serde_json::json;
use store::Conn;
use store::project::Wanted;

const READ: &str = "projects:read";
const WRITE: &str = "projects:write";

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
pub async fn create(
    app: &App,
    context: &Context,
    caller: &Caller,
    organization: &str,
    name: &str,
    idempotency: IdempotencyRecord<Project>,
) -> Result<Project, Error> {
    let creation = creation(app, context, caller);
    let (named, name) = (organization.to_owned(), name.to_owned());
    app.store()
        .write(move |conn| {
            let project = creation.insert(conn, &named, &name)?;
            idempotency.file(conn, &project)?;
            Ok(project)
        })
        .await
}

/// Creates a project with its first members, for the operator. Accepts the organization's name as
/// well as its id or slug.
pub async fn add(
    app: &App,
    context: &Context,
    organization: &str,
    name: &str,
    members: Vec<User>,
) -> Result<Project, Error> {
    let named = match OrganizationId::parse(organization) {
        Some(id) => id.to_string(),
        None => org::slug("org", organization)?,
    };
    let operator = Caller::Operator(None);
    let creation = creation(app, context, &operator);
    let added = app.events(context, operator.actor(), Action::ProjectMemberAdded);
    let name = name.to_owned();
    app.store()
        .write(move |conn| {
            // Lock the users, so that they stay in the organization meanwhile.
            for member in &members {
                store::user::lock_user_shared(conn, &member.id)?;
            }
            let project = creation
                .insert(conn, &named, &name)
                .map_err(|error| match error {
                    Error::NotFound => Fault::new("org", "There is no such organization.").into(),
                    error => error,
                })?;
            for member in &members {
                insert_member(conn, &added.next(), &project, &member.id).map_err(|error| {
                    match error {
                        Error::NotFound => Fault::new(
                            "member",
                            format!("{} is not in the organization.", member.email),
                        )
                        .into(),
                        error => error,
                    }
                })?;
            }
            Ok(project)
        })
        .await
}

/// Prepared data for creating a project.
struct Creation {
    app: App,
    caller: Caller,
    event: Event,
    id: ProjectId,
}

fn creation(app: &App, context: &Context, caller: &Caller) -> Creation {
    Creation {
        app: app.clone(),
        caller: caller.clone(),
        event: app.event(context, caller.actor(), Action::ProjectCreated),
        id: ProjectId::new(app.now(), app.id_seed()),
    }
}

impl Creation {
    fn insert(&self, conn: &mut Conn, organization: &str, name: &str) -> Result<Project, Error> {
        let authority = self.caller.lock_authority(&self.app, conn)?;
        let organization = authority.lock_organization(conn, organization, WRITE, Role::Admin)?;
        let project = Project {
            id: self.id.clone(),
            organization_id: organization.id,
            name: domain::name("name", name)?,
            created_at: self.event.at,
        };
        store::project::insert_project(conn, &project).map_err(taken)?;
        self.event.write_in(
            conn,
            Some(&project.organization_id),
            Some(project.id.as_str()),
            json!({"name": project.name}),
        )?;
        Ok(project)
    }
}

/// Lists the projects that the caller can access, in one organization or in all, oldest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Option<&str>,
    page: &Page,
) -> Result<Vec<Project>, Error> {
    let (handle, caller, page) = (app.clone(), caller.clone(), page.clone());
    let named = organization.map(str::to_owned);
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let (after, limit) = (page.after(), page.look_for());
            let organizations = match &named {
                Some(named) => Some(vec![reached_organization(conn, &authority, named)?]),
                None => {
                    authority.require_scope(READ, &ResourceRef::Any)?;
                    let reach = authority.reach();
                    reach.map(|ids| ids.iter().map(ToString::to_string).collect())
                }
            };
            let among = authority.limits().projects;
            let wanted = Wanted {
                organizations: organizations.as_deref(),
                user: caller.user_id(),
                among: among.as_ref(),
            };
            Ok(store::project::list_projects(conn, wanted, after, limit)?)
        })
        .await
}

/// Maximum number of projects in the description of a caller.
const MOST_OF_ONESELF: i64 = 100;

/// The projects that the caller can access, as part of its own description. Needs no scope.
pub async fn list_reached(app: &App, caller: &Caller) -> Result<Vec<Project>, Error> {
    let (handle, caller) = (app.clone(), caller.clone());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let reach = authority.reach();
            let organizations: Option<Vec<String>> =
                reach.map(|ids| ids.iter().map(ToString::to_string).collect());
            let among = authority.limits().projects;
            let wanted = Wanted {
                organizations: organizations.as_deref(),
                user: caller.user_id(),
                among: among.as_ref(),
            };
            Ok(store::project::list_projects(
                conn,
                wanted,
                None,
                MOST_OF_ONESELF,
            )?)
        })
        .await
}

/// The id of an organization with projects that the caller may list.
fn reached_organization(
    conn: &mut Conn,
    authority: &Authority,
    named: &str,
) -> Result<String, Error> {
    let found = crate::access::find_organization(conn, named)?;
    authority.require_scope(READ, &ResourceRef::Any)?;
    let is_reached = found.as_ref().is_some_and(|found| {
        let reach = authority.reach();
        reach.is_none_or(|reach| reach.contains(&found.id))
    });
    match found {
        Some(found) if is_reached => Ok(found.id.to_string()),
        None if authority.reach().is_none() => Err(Error::NotFound),
        _ => Err(crate::access::Denial::NoAccess.into()),
    }
}

/// One project.
pub async fn find(app: &App, caller: &Caller, named: &str) -> Result<Project, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            authority.project(conn, &named, READ, Role::Member)
        })
        .await
}

/// Lists the members of a project with the time they were added, in that order: one page plus one
/// entry if more follow.
pub async fn list_members(
    app: &App,
    caller: &Caller,
    named: &str,
    page: &Page,
) -> Result<Vec<(User, Instant)>, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let page = page.clone();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let project = authority.project(conn, &named, READ, Role::Member)?;
            let (after, limit) = (page.after(), page.look_for());
            Ok(store::project::list_members(
                conn,
                &project.id,
                after,
                limit,
            )?)
        })
        .await
}

/// Renames a project.
pub async fn rename(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    name: &str,
) -> Result<Project, Error> {
    let event = app.event(context, caller.actor(), Action::ProjectRenamed);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let name = name.to_owned();
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let project = authority.lock_project(conn, &named, WRITE, Role::Admin)?;
            let name = domain::name("name", &name)?;
            store::project::update_name(conn, &project.id, &name).map_err(taken)?;
            event.write_in(
                conn,
                Some(&project.organization_id),
                Some(project.id.as_str()),
                json!({"from": project.name, "to": name}),
            )?;
            Ok(Project { name, ..project })
        })
        .await
}

/// Deletes a project. Tokens limited to it lose their access.
pub async fn delete(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
) -> Result<Project, Error> {
    let event = app.event(context, caller.actor(), Action::ProjectDeleted);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let project = authority.lock_project(conn, &named, WRITE, Role::Admin)?;
            store::project::delete_project(conn, &project.id)?;
            event.write_in(
                conn,
                Some(&project.organization_id),
                Some(project.id.as_str()),
                json!({"name": project.name}),
            )?;
            Ok(project)
        })
        .await
}

/// Adds a member of the organization to a project. Idempotent.
pub async fn add_member(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<(), Error> {
    let event = app.event(context, caller.actor(), Action::ProjectMemberAdded);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .write(move |conn| {
            // A caller without the permission must not lock the user.
            let authority = caller.authority(&handle, conn)?;
            authority.project(conn, &named, WRITE, Role::Admin)?;
            // Lock the user, so that they stay in the organization meanwhile.
            store::user::lock_user_shared(conn, &user_id)?;
            let authority = caller.lock_authority(&handle, conn)?;
            let project = authority.lock_project(conn, &named, WRITE, Role::Admin)?;
            insert_member(conn, &event, &project, &user_id)
        })
        .await
}

fn insert_member(
    conn: &mut Conn,
    event: &Event,
    project: &Project,
    user_id: &UserId,
) -> Result<(), Error> {
    let organization_id = &project.organization_id;
    store::org::find_role(conn, organization_id, user_id)?.ok_or(Error::NotFound)?;
    if store::project::insert_member(conn, &project.id, user_id, event.at)? {
        event.write_in(
            conn,
            Some(organization_id),
            Some(project.id.as_str()),
            json!({"user": user_id.as_str()}),
        )?;
    }
    Ok(())
}

/// Removes a member from a project. Idempotent.
pub async fn remove_member(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<(), Error> {
    let event = app.event(context, caller.actor(), Action::ProjectMemberRemoved);
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .write(move |conn| {
            let authority = caller.lock_authority(&handle, conn)?;
            let project = authority.lock_project(conn, &named, WRITE, Role::Admin)?;
            if store::project::delete_member(conn, &project.id, &user_id)? {
                event.write_in(
                    conn,
                    Some(&project.organization_id),
                    Some(project.id.as_str()),
                    json!({"user": user_id.as_str()}),
                )?;
            }
            Ok(())
        })
        .await
}
