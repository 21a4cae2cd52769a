//! Project data for the pages: member counts, candidates, and the effects of a deletion.

use super::{READ, WRITE};
use crate::{Error, Request};
use domain::Instant;
use domain::id::UserId;
use domain::project::Project;
use domain::role::Role;
use domain::user::User;
use std::collections::BTreeMap;
use store::token_filter::TokenFilter;

/// Numbers of members by project id, without projects that have none. The caller must already
/// have received these projects.
pub async fn count_members(
    req: &Request,
    projects: &[Project],
) -> Result<BTreeMap<String, i64>, Error> {
    let ids: Vec<_> = projects
        .iter()
        .map(|project| project.id.to_string())
        .collect();
    req.read(move |tx| {
        tx.require_scope(READ)?;
        Ok(store::project::count_members(tx.conn, &ids)?)
    })
    .await
}

/// The organization's members without access to the project, by name, for callers who can add
/// them.
pub async fn list_candidates(req: &Request, named: &str) -> Result<Vec<User>, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let project = tx.project(&named, WRITE, Role::Admin)?;
        Ok(store::project::list_candidates(tx.conn, &project)?)
    })
    .await
}

/// One member of a project, with the time they were added. Fails with [`Error::NotFound`] if the
/// user is not a member.
pub async fn find_member(
    req: &Request,
    named: &str,
    user_id: &UserId,
) -> Result<(User, Instant), Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.read(move |tx| {
        let project = tx.project(&named, READ, Role::Member)?;
        store::project::find_member(tx.conn, &project.id, &user_id)?.ok_or(Error::NotFound)
    })
    .await
}

/// Number of active tokens limited to a project, for callers who can delete it.
pub async fn count_tokens(req: &Request, named: &str) -> Result<usize, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let project = tx.project(&named, WRITE, Role::Admin)?;
        let filter = TokenFilter::Organization(project.organization_id.clone());
        let living = store::token_filter::list_living(tx.conn, &filter, tx.now)?;
        let is_limited = living.iter().filter(|token| {
            let limits = token.limits.projects.as_ref();
            limits.is_some_and(|limits| limits.contains(&project.id))
        });
        Ok(is_limited.count())
    })
    .await
}
