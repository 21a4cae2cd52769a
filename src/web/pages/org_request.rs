//! Common to the pages of one organization: the organization and the user's role in it.

use super::page_request::PageRequest;
use super::page_route::Guard;
use super::view::org::{Access, OrganizationHead};
use crate::web::failure::Failure;
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

impl Guard for OrgPageRequest {
    /// Finds the organization that the path names in `{org}`, for its members. Other users get the
    /// same error as for a missing organization.
    async fn admit(req: PageRequest) -> Result<Self, Failure> {
        let named = req.segment("org");
        req.signed_in(&req.return_to())?;
        let seen = org::find(&req, named).await?;
        Ok(Self { req, seen })
    }
}

impl OrgPageRequest {
    /// The user that the path names in `{user}`.
    pub fn user(&self) -> Result<UserId, Failure> {
        UserId::parse(self.segment("user")).ok_or(Failure::NotFound)
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

    /// The organization, as the page frame shows it.
    pub fn head(&self) -> OrganizationHead {
        OrganizationHead::new(self.seen.organization.clone(), self.role())
    }

    /// The path of one of its pages.
    pub fn path(&self, rest: &str) -> String {
        format!("/o/{}{rest}", self.seen.organization.slug)
    }
}
