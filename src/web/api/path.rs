//! What the path of a request names, for handlers that several paths share.

use crate::web::failure::Failure;
use app::token::OwnerRef;
use domain::id::UserId;
use serde::Deserialize;

/// Below `/v1/tokens` or `/v1/orgs/{org}/tokens`.
#[derive(Deserialize)]
pub struct TokenPath {
    org: Option<String>,
    /// ID of the token; empty in a path without one.
    #[serde(default)]
    pub id: String,
}

impl TokenPath {
    /// The owner of the tokens.
    pub fn owner_ref(&self) -> OwnerRef {
        match &self.org {
            Some(named) => OwnerRef::Organization(named.clone()),
            None => OwnerRef::Own,
        }
    }
}

/// Below `/v1/orgs/{org}/members/{user}` or `/v1/projects/{project}/members/{user}`.
#[derive(Deserialize)]
pub struct MemberPath {
    /// The organization, by its ID or slug, or the project, by its ID.
    #[serde(alias = "org", alias = "project")]
    pub named: String,
    user: String,
}

impl MemberPath {
    /// ID of the user. Fails with [`Failure::NotFound`] if it is none.
    pub fn user(&self) -> Result<UserId, Failure> {
        UserId::parse(&self.user).ok_or(Failure::NotFound)
    }
}
