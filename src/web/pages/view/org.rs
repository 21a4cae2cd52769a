//! Organizations: list, create, overview, leave, delete.

use super::filters;
use super::{Chrome, FieldErrors, initials};
use askama::Template;
use domain::org::Organization;
use domain::role::Role;

/// An organization and the user's role in it, for the frame of its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationHead {
    /// Its name in URLs: `acme`.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// The user's role in it.
    pub role: Role,
}

impl OrganizationHead {
    /// The head of an organization in which the user has this role.
    pub fn new(organization: Organization, role: Role) -> Self {
        let Organization { slug, name, .. } = organization;
        Self { slug, name, role }
    }

    /// Whether this is its slug.
    pub(super) fn is_at(&self, slug: &str) -> bool {
        self.slug == slug
    }

    /// One or two letters that stand for it.
    pub(super) fn initials(&self) -> String {
        initials(&self.name)
    }

    /// Whether the user can open the pages for admins: tokens and audit log.
    pub(super) fn can_manage(&self) -> bool {
        self.role >= Role::Admin
    }
}

/// The user's rights on a page. Each level includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Read.
    View,
    /// Change, as admins.
    Manage,
    /// Set the policy and delete, as owners.
    Own,
}

impl Access {
    /// Whether the controls for changes are shown.
    pub fn can_manage(self) -> bool {
        self >= Self::Manage
    }

    /// Whether the controls for owners are shown.
    pub fn can_own(self) -> bool {
        self >= Self::Own
    }
}

/// A token that an action would end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingToken {
    /// The token's name.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
}

/// Consequences of the end of a membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Which of the user's tokens end.
    pub extent: DepartureExtent,
    /// The active tokens among them; may be empty.
    pub tokens: Vec<EndingToken>,
}

impl Departure {
    /// Whether all of the user's tokens end.
    pub(super) fn is_complete(&self) -> bool {
        self.extent == DepartureExtent::All
    }
}

/// Which tokens end when a user is no longer a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartureExtent {
    /// The tokens limited to this organization.
    LimitedToIt,
    /// All, since the user would be in no organization.
    All,
}

/// `/o`.
#[derive(Debug, Template)]
#[template(path = "orgs.html")]
pub struct OrganizationsPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The user's organizations.
    pub organizations: Vec<OrganizationHead>,
    /// Whether the user can create one.
    pub can_make: bool,
    /// The notice of the last action.
    pub notice: Option<OrganizationsNotice>,
}

/// The last action on the list of organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationsNotice {
    /// The user left an organization.
    Left,
    /// An organization was deleted.
    Deleted,
}

/// `/o/new`. Posts to `/o/new` the field `name`.
#[derive(Debug, Template)]
#[template(path = "org_new.html")]
pub struct NewOrganizationPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The typed name.
    pub name: String,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

/// `GET /o/{org}/leave`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "org_leave.html")]
pub struct LeavePage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The tokens that would end; `None` if the user is the last owner and cannot leave.
    pub departure: Option<Departure>,
}

/// `GET /o/{org}/delete`. Posts to the same path the field `name`.
#[derive(Debug, Template)]
#[template(path = "org_delete.html")]
pub struct DeleteOrganizationPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Number of members who would lose access.
    pub members: usize,
    /// Number of projects that end with it.
    pub projects: usize,
    /// Number of active tokens that end with it: its own and those limited to it.
    pub tokens: usize,
    /// The typed name of the organization.
    pub name: String,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}
