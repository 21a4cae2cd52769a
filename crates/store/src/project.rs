//! Projects and their members.

use super::cache::Lookup;
use super::schema::{membership, project, project_member, users};
use super::statement::{ReadRow, RowId, Statement, lock_row, one_page};
use super::user::Row as UserRow;
use super::{BATCH, Conn, Error, in_batches, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, ProjectId, UserId};
use domain::page::Page;
use domain::project::{Access, Project};
use domain::role::Role;
use domain::user::User;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Queryable, Insertable)]
#[diesel(table_name = project)]
struct Row {
    id: String,
    organization_id: String,
    name: String,
    created_at: NaiveDateTime,
}

impl ReadRow for Row {
    type Value = Project;

    fn read(self) -> Result<Project, Error> {
        let row = RowId("project", &self.id);
        let owner = OrganizationId::parse(&self.organization_id);
        Ok(Project {
            organization_id: row.read("organization_id", owner)?,
            id: row.read("id", ProjectId::parse(&self.id))?,
            name: self.name,
            created_at: self.created_at.and_utc(),
        })
    }
}

/// Inserts a project. [`Error::Duplicate`] if the organization has one of this name.
pub fn insert_project(conn: &mut Conn, new: &Project) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        organization_id: new.organization_id.to_string(),
        name: new.name.clone(),
        created_at: stored(new.created_at),
    };
    diesel::insert_into(project::table).values(row).run(conn)
}

/// The project with this id.
pub fn find_project(conn: &mut Conn, id: &ProjectId) -> Result<Option<Project>, Error> {
    project::table.find(id.as_str()).read_one::<Row>(conn)
}

/// Locks the project against changes until the transaction ends. On SQLite the single writer is
/// the lock.
pub fn lock_project(conn: &mut Conn, id: &ProjectId) -> Result<Option<Project>, Error> {
    lock_row!(conn, project, id);
    find_project(conn, id)
}

/// The names of projects, by their ids. Deleted ones have none.
pub fn list_names(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, String>, Error> {
    in_batches(ids, |batch| {
        Ok(project::table
            .filter(project::id.eq_any(batch))
            .select((project::id, project::name))
            .rows::<(String, String)>(conn)?)
    })
}

/// The number of members added to each of these projects; no entry for zero.
pub fn count_members(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, i64>, Error> {
    in_batches(ids, |batch| {
        Ok(project_member::table
            .filter(project_member::project_id.eq_any(batch))
            .group_by(project_member::project_id)
            .select((project_member::project_id, diesel::dsl::count_star()))
            .rows::<(String, i64)>(conn)?)
    })
}

/// Renames a project. [`Error::Duplicate`] if the organization has one of this name.
pub fn update_name(conn: &mut Conn, id: &ProjectId, name: &str) -> Result<(), Error> {
    diesel::update(project::table.find(id.as_str()))
        .set(project::name.eq(name))
        .run(conn)
}

/// Deletes a project and its memberships.
pub fn delete_project(conn: &mut Conn, id: &ProjectId) -> Result<(), Error> {
    diesel::delete(project_member::table.filter(project_member::project_id.eq(id.as_str())))
        .changes(conn)?;
    diesel::delete(project::table.find(id.as_str())).run(conn)
}

/// Deletes all projects of an organization.
pub fn delete_projects(conn: &mut Conn, organization_id: &OrganizationId) -> Result<(), Error> {
    let own = project::table
        .filter(project::organization_id.eq(organization_id.as_str()))
        .select(project::id);
    diesel::delete(project_member::table.filter(project_member::project_id.eq_any(own)))
        .changes(conn)?;
    diesel::delete(project::table.filter(project::organization_id.eq(organization_id.as_str())))
        .run(conn)
}

/// Whether a user was added to a project.
pub fn find_access(conn: &mut Conn, id: &ProjectId, user: &UserId) -> Result<Access, Error> {
    let is_added = diesel::select(diesel::dsl::exists(
        project_member::table.find((id.as_str(), user.as_str())),
    ))
    .row(conn)?;
    Ok(match is_added {
        true => Access::Added,
        false => Access::NotAdded,
    })
}

/// Adds a user to a project; `false` if already added.
pub fn insert_member(
    conn: &mut Conn,
    id: &ProjectId,
    user_id: &UserId,
    now: Instant,
) -> Result<bool, Error> {
    if find_access(conn, id, user_id)? == Access::Added {
        return Ok(false);
    }
    diesel::insert_into(project_member::table)
        .values((
            project_member::project_id.eq(id.as_str()),
            project_member::user_id.eq(user_id.as_str()),
            project_member::created_at.eq(stored(now)),
        ))
        .changes(conn)
        .map_err(|error| match Error::from(error) {
            // A concurrent insert was first; the retry finds it.
            Error::Duplicate => Error::Collision,
            error => error,
        })?;
    Ok(true)
}

/// Removes a user from a project; `false` if not a member.
pub fn delete_member(conn: &mut Conn, id: &ProjectId, user_id: &UserId) -> Result<bool, Error> {
    diesel::delete(project_member::table.find((id.as_str(), user_id.as_str()))).changes_one(conn)
}

/// Removes a user from all projects of an organization.
pub fn delete_member_everywhere(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<(), Error> {
    let own = project::table
        .filter(project::organization_id.eq(organization_id.as_str()))
        .select(project::id);
    diesel::delete(project_member::table)
        .filter(project_member::user_id.eq(user_id.as_str()))
        .filter(project_member::project_id.eq_any(own))
        .run(conn)
}

/// The members added to a project and the times, in the order of joining: one page plus one row if
/// more follow.
pub fn list_members(
    conn: &mut Conn,
    id: &ProjectId,
    page: &Page,
) -> Result<Vec<(User, Instant)>, Error> {
    let query = project_member::table
        .inner_join(users::table)
        .filter(project_member::project_id.eq(id.as_str()))
        .select((users::all_columns, project_member::created_at))
        .into_boxed();
    one_page!(query, page, oldest(project_member, user_id))
        .read_all::<(UserRow, NaiveDateTime)>(conn)
}

/// One member added to a project, and the time.
pub fn find_member(
    conn: &mut Conn,
    id: &ProjectId,
    user_id: &UserId,
) -> Result<Option<(User, Instant)>, Error> {
    project_member::table
        .find((id.as_str(), user_id.as_str()))
        .inner_join(users::table)
        .select((users::all_columns, project_member::created_at))
        .read_one::<(UserRow, NaiveDateTime)>(conn)
}

/// The members of the organization who have no access to the project yet, by name.
pub fn list_candidates(conn: &mut Conn, project: &Project) -> Result<Vec<User>, Error> {
    let added = project_member::table
        .filter(project_member::project_id.eq(project.id.as_str()))
        .select(project_member::user_id);
    membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(project.organization_id.as_str()))
        .filter(membership::role.eq(Role::Member.as_str()))
        .filter(membership::user_id.ne_all(added))
        .order((users::name.asc(), users::email.asc()))
        .select(users::all_columns)
        .read_all::<UserRow>(conn)
}

/// A filter of projects.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// These organizations; `None` for all.
    pub organizations: Option<&'a [String]>,
    /// Projects to which this user has access: all where the user is admin or owner, elsewhere
    /// those that the user was added to; `None` for all.
    pub user: Option<&'a UserId>,
    /// Only these projects; `None` for all.
    pub among: Option<&'a BTreeSet<ProjectId>>,
}

/// Projects, the oldest first: one page plus one row if more follow.
pub fn list_projects(
    conn: &mut Conn,
    wanted: Wanted<'_>,
    page: &Page,
) -> Result<Vec<Project>, Error> {
    let Some(many) = wanted.organizations.filter(|all| all.len() > BATCH) else {
        return list_batch(conn, wanted, page);
    };
    let mut found = Vec::new();
    for batch in many.chunks(BATCH) {
        let organizations = Some(batch);
        let wanted = Wanted {
            organizations,
            ..wanted
        };
        found.extend(list_batch(conn, wanted, page)?);
    }
    found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    found.truncate(usize::from(page.limit) + 1);
    Ok(found)
}

/// The projects that the owner of a token can access with it, the oldest first, up to a limit.
#[derive(Debug, Clone)]
pub struct ReachedProjects(pub Vec<Project>);

/// What finds the projects that a token reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReachedKey {
    /// The organizations that it reaches, as many as fit in one statement.
    pub organizations: Vec<String>,
    /// Its owner, if that is a user.
    pub user_id: Option<UserId>,
    /// The projects that it is limited to, if it is.
    pub among: Option<BTreeSet<ProjectId>>,
    /// The most projects.
    pub most: u16,
}

impl Lookup for ReachedProjects {
    type Key = ReachedKey;

    const MOST: usize = 1_000;

    fn find(conn: &mut Conn, key: &ReachedKey) -> Result<Option<Self>, Error> {
        let wanted = Wanted {
            organizations: Some(&key.organizations),
            user: key.user_id.as_ref(),
            among: key.among.as_ref(),
        };
        let page = Page::first(key.most);
        let mut found = list_batch(conn, wanted, &page)?;
        page.cut(&mut found);
        Ok(Some(Self(found)))
    }
}

/// Number of projects, in as many organizations as fit in one statement.
pub fn count_projects(conn: &mut Conn, wanted: Wanted<'_>) -> Result<usize, Error> {
    let count: i64 = filtered(wanted).count().row(conn)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

fn filtered<'a>(wanted: Wanted<'_>) -> project::BoxedQuery<'a, <Conn as Connection>::Backend> {
    let mut query = project::table.into_boxed();
    if let Some(organizations) = wanted.organizations {
        query = query.filter(project::organization_id.eq_any(organizations.to_vec()));
    }
    if let Some(user) = wanted.user {
        let added = project_member::table
            .filter(project_member::user_id.eq(user.to_string()))
            .select(project_member::project_id);
        let managed = membership::table
            .filter(membership::user_id.eq(user.to_string()))
            .filter(membership::role.ne(Role::Member.as_str()))
            .select(membership::organization_id);
        query = query.filter(
            project::id
                .eq_any(added)
                .or(project::organization_id.eq_any(managed)),
        );
    }
    if let Some(among) = wanted.among {
        let ids: Vec<_> = among.iter().map(ToString::to_string).collect();
        query = query.filter(project::id.eq_any(ids));
    }
    query
}

/// One page of projects in as many organizations as fit in one statement.
fn list_batch(conn: &mut Conn, wanted: Wanted<'_>, page: &Page) -> Result<Vec<Project>, Error> {
    one_page!(filtered(wanted), page, oldest(project, id)).read_all::<Row>(conn)
}
