//! What the pages say of projects besides: how many were added, who could be, and what would
//! end with one.

use super::{READ, WRITE};
use crate::caller::Caller;
use crate::{App, Error};
use domain::Instant;
use domain::decision::ResourceRef;
use domain::id::UserId;
use domain::org::Role;
use domain::project::Project;
use domain::user::User;
use std::collections::BTreeMap;
use store::token_filter::TokenFilter;

/// How many people were added to each of these projects, by its id; nothing for one without
/// any. The projects are such as the caller was told of.
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

/// The members of the organization who do not reach a project yet, by name, for those who can
/// add them.
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

/// One of the people who were added to a project, and since when; [`Error::NotFound`] for
/// whoever was not.
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

/// How many living tokens are limited to a project, for those who can delete it.
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
