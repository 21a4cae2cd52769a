//! What the pages of one organization have in common: who asks, and with which part in it.

use super::page_request::PageRequest;
use super::view::org::{Access, OrganizationHead};
use crate::web::failure::Failure;
use actix_web::HttpRequest;
use app::caller::{Caller, Denial};
use app::org::{self, OrganizationView};
use domain::id::UserId;
use domain::org::Role;

/// Somebody on a page of an organization.
pub struct OrgPageRequest {
    /// The person, as the one who asks.
    pub caller: Caller,
    /// The organization, and the person's role in it.
    pub seen: OrganizationView,
}

/// The organization that an address names in `{org}`, for its members. Anybody else is told the
/// same of it as of one that is not there.
pub async fn org_req(req: &PageRequest, request: &HttpRequest) -> Result<OrgPageRequest, Failure> {
    let named = segment(request, "org");
    let caller = match request.method().is_safe() {
        true => req.caller(request.path())?,
        // Where a form was sent to need not be a page.
        false => req.caller(&format!("/o/{named}"))?,
    };
    let seen = org::find(&req.app, &caller, named).await?;
    Ok(OrgPageRequest { caller, seen })
}

/// A part of the address.
pub fn segment<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.match_info().get(name).unwrap_or_default()
}

/// The person that an address names in `{user}`.
pub fn user(request: &HttpRequest) -> Result<UserId, Failure> {
    UserId::parse(segment(request, "user")).ok_or(Failure::NotFound)
}

impl OrgPageRequest {
    /// The organization's id, which names it whatever becomes of its address.
    pub fn id(&self) -> &str {
        self.seen.organization.id.as_str()
    }

    /// The person's role.
    pub fn role(&self) -> Role {
        self.seen.role_or_owner()
    }

    /// What the person may do with what most pages show.
    pub fn access(&self) -> Access {
        match self.role() {
            Role::Member => Access::View,
            Role::Admin => Access::Manage,
            Role::Owner => Access::Own,
        }
    }

    /// Fails unless the person has at least this role. The use cases decide; this spares
    /// people a form that they cannot send.
    pub fn require(&self, least: Role) -> Result<(), Failure> {
        match self.role() >= least {
            true => Ok(()),
            false => Err(app::Error::from(Denial::Role(least)).into()),
        }
    }

    /// What names the organization on its pages.
    pub fn head(&self) -> OrganizationHead {
        let organization = &self.seen.organization;
        OrganizationHead {
            slug: organization.slug.clone(),
            name: organization.name.clone(),
        }
    }

    /// The address of one of its pages.
    pub fn path(&self, rest: &str) -> String {
        format!("/o/{}{rest}", self.seen.organization.slug)
    }
}
