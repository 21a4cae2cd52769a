//! Common to the pages of one organization: the caller, the organization and the role.

use super::page_request::PageRequest;
use super::view::org::{Access, OrganizationHead};
use crate::web::failure::Failure;
use actix_web::HttpRequest;
use app::access::{Caller, Denial};
use app::org::{self, OrganizationView};
use domain::id::UserId;
use domain::role::Role;

/// A request for a page of an organization.
pub struct OrgPageRequest {
    /// The signed-in user, as a caller.
    pub caller: Caller,
    /// The organization, and the user's role in it.
    pub seen: OrganizationView,
}

/// The organization that the path names in `{org}`, for its members. Other users get the same
/// error as for a missing organization.
pub async fn org_req(req: &PageRequest, request: &HttpRequest) -> Result<OrgPageRequest, Failure> {
    let named = segment(request, "org");
    let caller = match request.method().is_safe() {
        true => req.caller(request.path())?,
        // The target of a form may have no page.
        false => req.caller(&format!("/o/{named}"))?,
    };
    let seen = org::find(&req.app, &caller, named).await?;
    Ok(OrgPageRequest { caller, seen })
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
