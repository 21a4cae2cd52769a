//! Resources as requests name them.

use super::authority::{find_organization, find_project};
use super::owner::is_configured;
use crate::Error;
use domain::decision::ResourceRef;
use domain::org::Organization;
use domain::token::{Token, TokenOwner};
use store::Conn;

/// A resource as the request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An organization, by its id or slug.
    Organization(String),
    /// An organization that the configuration names, by its id or slug. A slug never means one that
    /// a user created.
    Configured(String),
    /// A project, by its id.
    Project(String),
}

/// The resource that a request names, for a token.
pub(crate) fn find_named(
    conn: &mut Conn,
    token: &Token,
    resource: Option<&Named>,
) -> Result<ResourceRef, Error> {
    let user_id = match &token.owner {
        TokenOwner::User(id) => Some(id),
        TokenOwner::Organization(_) => None,
    };
    Ok(match resource {
        None => ResourceRef::Any,
        Some(Named::Project(named)) => find_project(conn, named, user_id)?.1,
        Some(Named::Organization(named) | Named::Configured(named)) => {
            let found = find_organization(conn, named)?;
            let is_meant = |organization: &Organization| match resource {
                Some(Named::Configured(named)) => is_configured(organization, named),
                _ => true,
            };
            match found.filter(is_meant) {
                Some(organization) => ResourceRef::Organization(organization.id),
                None => ResourceRef::Missing,
            }
        }
    })
}
