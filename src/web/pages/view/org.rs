//! Organizations: the list, making one, its overview, leaving and deleting it.

use super::{Chrome, FieldErrors, Moment};
use askama::Template;
use domain::org::Role;

/// What every page of an organization needs to name it and to lead on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationHead {
    /// Its name in addresses: `acme`.
    pub slug: String,
    /// Its name as people write it.
    pub name: String,
}

/// What the person may do with what a page shows. More includes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look at it.
    View,
    /// Change it, as admins do.
    Manage,
    /// Set its policy and end it, as owners do.
    Own,
}

impl Access {
    /// Whether the controls that change things are there.
    pub fn can_manage(self) -> bool {
        self >= Self::Manage
    }

    /// Whether the controls that only owners have are there.
    pub fn can_own(self) -> bool {
        self >= Self::Own
    }
}

/// A token that an act would end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingToken {
    /// What its owner calls it.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
}

/// What ends when a person is no longer a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Which of the person's tokens end.
    pub extent: DepartureExtent,
    /// Those tokens that still work; may be empty.
    pub tokens: Vec<EndingToken>,
}

impl Departure {
    /// Whether nothing of the person's is left.
    pub(super) fn is_complete(&self) -> bool {
        self.extent == DepartureExtent::All
    }
}

/// Which tokens end when a person is no longer a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartureExtent {
    /// Those that are limited to this organization.
    LimitedToIt,
    /// All, since the person would be left without any organization.
    All,
}

/// `/o`.
#[derive(Debug, Template)]
#[template(path = "orgs.html")]
pub struct OrganizationsPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organizations of the person.
    pub organizations: Vec<OrganizationRow>,
    /// Whether the person can make one.
    pub can_make: bool,
    /// What was just done, if anything.
    pub notice: Option<OrganizationsNotice>,
}

/// An organization in the list.
#[derive(Debug, Clone)]
pub struct OrganizationRow {
    /// The organization.
    pub org: OrganizationHead,
    /// The person's role in it.
    pub role: Role,
}

/// What was just done to the list of organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationsNotice {
    /// The person left an organization.
    Left,
    /// An organization was deleted.
    Deleted,
}

/// `/o/new`. Posts to `/o/new` the field `name`.
#[derive(Debug, Template)]
#[template(path = "org_new.html")]
pub struct NewOrganizationPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What was typed as the name.
    pub name: String,
    /// What is wrong; field `name`.
    pub errors: FieldErrors,
}

/// `/o/{org}`. Posts to `/o/{org}/name` the field `name`.
#[derive(Debug, Template)]
#[template(path = "org.html")]
pub struct OrganizationPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its id, for the API.
    pub org_id: String,
    /// Its plan: `free` or `team`.
    pub plan: &'static str,
    /// The person's role in it.
    pub role: Role,
    /// When it was made.
    pub created: Moment,
    /// How many members it has.
    pub members: usize,
    /// How many projects the person can reach in it.
    pub projects: usize,
    /// What the person may do with it.
    pub access: Access,
    /// The name in its field.
    pub name: String,
    /// What was just done, if anything.
    pub notice: Option<OrganizationNotice>,
    /// What is wrong; field `name`.
    pub errors: FieldErrors,
}

/// What was just done to an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationNotice {
    /// It was made.
    Created,
    /// The person became a member.
    Joined,
    /// Its name was saved.
    Renamed,
}

/// `GET /o/{org}/leave`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "org_leave.html")]
pub struct LeavePage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// What would end; `None` if the person is the last owner and cannot leave.
    pub departure: Option<Departure>,
}

/// `GET /o/{org}/delete`. Posts to the same path the field `name`.
#[derive(Debug, Template)]
#[template(path = "org_delete.html")]
pub struct DeleteOrganizationPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// How many members would lose it.
    pub members: usize,
    /// How many projects end with it.
    pub projects: usize,
    /// How many living tokens end with it: its own and those limited to it.
    pub tokens: usize,
    /// What was typed as the organization's name.
    pub name: String,
    /// What is wrong; field `name`.
    pub errors: FieldErrors,
}
