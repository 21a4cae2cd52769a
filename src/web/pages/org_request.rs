//! Common to the pages of one organization: the organization and the user's role in it.

use super::page_request::PageRequest;
use super::view::org::{Access, OrganizationHead};
use crate::web::failure::Failure;
use actix_web::HttpRequest;
use app::access::Denial;
use app::org::{self, OrganizationView};
use domain::id::UserId;
use domain::role::Role;
use std::ops::Deref;

/// A signed-in user's request for a page of an organization.
pub struct OrgPageRequest {
    req: PageRequest,
    /// The organization, and the user's role in it.
    pub seen: OrganizationView,
}

impl Deref for OrgPageRequest {
    type Target = PageRequest;

    fn deref(&self) -> &PageRequest {
        &self.req
    }
}

/// A parameter of the path.
pub fn segment<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.match_info().get(name).unwrap_or_default()
}

/// The user that the path names in `{user}`.
pub fn user(request: &HttpRequest) -> Result<UserId, Failure> {
    UserId::parse(segment(request, "user")).ok_or(Failure::NotFound)
}

impl OrgPageRequest {
    /// Finds the organization that the path names in `{org}`, for its members. Other users get the
    /// same error as for a missing organization.
    pub async fn of(req: PageRequest, request: &HttpRequest) -> Result<Self, Failure> {
        let named = segment(request, "org");
        let return_to = match request.method().is_safe() {
            true => request.path().to_owned(),
            // The target of a form may have no page.
            false => format!("/o/{named}"),
        };
        req.signed_in(&return_to)?;
        let seen = org::find(&req, named).await?;
        Ok(Self { req, seen })
    }

    /// The request without the organization.
    pub fn into_page_request(self) -> PageRequest {
        self.req
    }

    /// The organization's id, which does not depend on its slug.
    pub fn id(&self) -> &str {
        self.seen.organization.id.as_str()
    }

    /// The user's role.
    pub fn role(&self) -> Role {
        self.seen.role_or_owner()
    }

    /// The user's rights on most pages.
    pub fn access(&self) -> Access {
        match self.role() {
            Role::Member => Access::View,
            Role::Admin => Access::Manage,
            Role::Owner => Access::Own,
        }
    }

    /// Fails unless the user has at least this role. The use cases enforce access; this only
    /// avoids a form that would be rejected.
    pub fn require(&self, least: Role) -> Result<(), Failure> {
        match self.role() >= least {
            true => Ok(()),
            false => Err(app::Error::from(Denial::Role(least)).into()),
        }
    }

    /// Slug and name of the organization.
    pub fn head(&self) -> OrganizationHead {
        let organization = &self.seen.organization;
        OrganizationHead {
            slug: organization.slug.clone(),
            name: organization.name.clone(),
        }
    }

    /// The path of one of its pages.
    pub fn path(&self, rest: &str) -> String {
        format!("/o/{}{rest}", self.seen.organization.slug)
    }
}
