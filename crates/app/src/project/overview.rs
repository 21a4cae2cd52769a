//! Project data for the pages: member counts, candidates, and the effects of a deletion.

use super::{READ, WRITE};
use crate::access::Caller;
use crate::{App, Error};
use domain::Instant;
use domain::decision::ResourceRef;
use domain::id::UserId;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use std::collections::BTreeMap;
use store::token_filter::TokenFilter;

/// Numbers of members by project id, without projects that have none. The caller must already
/// have received these projects.
pub async fn count_members(
    app: &App,
    caller: &Caller,
    projects: &[Project],
) -> Result<BTreeMap<String, i64>, Error> {
    let (handle, caller) = (app.clone(), caller.clone());
    let ids: Vec<_> = projects
        .iter()
        .map(|project| project.id.to_string())
        .collect();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            authority.require_scope(READ, &ResourceRef::Any)?;
            Ok(store::project::count_members(conn, &ids)?)
        })
        .await
}

/// The organization's members without access to the project, by name, for callers who can add
/// them.
pub async fn list_candidates(app: &App, caller: &Caller, named: &str) -> Result<Vec<User>, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let project = authority.project(conn, &named, WRITE, Role::Admin)?;
            Ok(store::project::list_candidates(conn, &project)?)
        })
        .await
}

/// One member of a project, with the time they were added. Fails with [`Error::NotFound`] if the
/// user is not a member.
pub async fn find_member(
    app: &App,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<(User, Instant), Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let project = authority.project(conn, &named, READ, Role::Member)?;
            store::project::find_member(conn, &project.id, &user_id)?.ok_or(Error::NotFound)
        })
        .await
}

/// Number of active tokens limited to a project, for callers who can delete it.
pub async fn count_tokens(app: &App, caller: &Caller, named: &str) -> Result<usize, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let project = authority.project(conn, &named, WRITE, Role::Admin)?;
            let filter = TokenFilter::Organization(project.organization_id.clone());
            let living = store::token_filter::list_living(conn, &filter, now)?;
            let is_limited = living.iter().filter(|token| {
                let limits = token.limits.projects.as_ref();
                limits.is_some_and(|limits| limits.contains(&project.id))
            });
            Ok(is_limited.count())
        })
        .await
}
