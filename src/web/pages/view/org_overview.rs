//! The overview of an organization.

use super::audit::{EventRow, Part, about};
use super::log_badge::{LogBadge, LogState};
use super::org::{Access, OrganizationHead};
use super::{Chrome, FieldErrors, Moment, filters};
use askama::Template;
use domain::role::Role;

/// `/o/{org}`. Posts to `/o/{org}/name` the field `name`.
#[derive(Debug, Template)]
#[template(path = "org.html")]
pub struct OrganizationPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its id, for the API.
    pub org_id: String,
    /// Its plan: `free` or `team`.
    pub plan: &'static str,
    /// The user's role in it.
    pub role: Role,
    /// When it was created.
    pub created: Moment,
    /// Number of members.
    pub members: usize,
    /// Number of projects that the user can reach in it.
    pub projects: usize,
    /// The user's rights.
    pub access: Access,
    /// What admins see.
    pub admin: Option<AdminOverview>,
    /// What each role allows, the highest first.
    pub rights: Vec<RoleRights>,
    /// The value of the name field.
    pub name: String,
    /// The notice of the last action.
    pub notice: Option<OrganizationNotice>,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

/// The last action on an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationNotice {
    /// It was created.
    Created,
    /// The user became a member.
    Joined,
    /// Its name was saved.
    Renamed,
}

/// The state of an organization, for its admins.
#[derive(Debug, Clone)]
pub struct AdminOverview {
    /// What needs attention, the most urgent first.
    pub todo: Vec<TodoLine>,
    /// Number of active tokens of the organization itself.
    pub own_tokens: usize,
    /// Number of its members' active tokens with access.
    pub personal_tokens: usize,
    /// Whether the numbers are lower bounds: there may be more members or tokens than were read.
    pub is_cut: bool,
    /// What is known about the audit log.
    pub log: LogBadge,
    /// The last changes, newest first.
    pub changes: Vec<EventRow>,
    /// Path of the audit log.
    pub log_path: String,
}

impl AdminOverview {
    /// Number of active tokens with access.
    pub(super) fn tokens(&self) -> usize {
        self.own_tokens + self.personal_tokens
    }

    /// The URL of the records about a user or token.
    pub(super) fn about(&self, id: &str) -> Option<String> {
        about(&self.log_path, id)
    }

    /// The sign that a number is a lower bound.
    pub(super) fn more(&self) -> &'static str {
        if self.is_cut { "+" } else { "" }
    }
}

/// One thing that needs attention, with the page for it.
#[derive(Debug, Clone)]
pub struct TodoLine {
    /// How many.
    pub count: usize,
    /// Whether something ends soon.
    pub is_warn: bool,
    /// What it is, as a phrase after the number: `tokens expire within 7 days`.
    pub what: &'static str,
    /// The first of them.
    pub named: Vec<TodoItem>,
    /// URL of the list.
    pub href: String,
    /// The link to it.
    pub verb: &'static str,
}

/// One of the first items of a line.
#[derive(Debug, Clone)]
pub struct TodoItem {
    /// Its name, with its owner.
    pub name: String,
    /// When it ends, if that is what the line is about.
    pub ends: Option<Moment>,
}

/// What a role allows.
#[derive(Debug, Clone)]
pub struct RoleRights {
    /// The role.
    pub role: Role,
    /// Number of members who have it.
    pub members: usize,
    /// Names of the scopes that need it at least.
    pub scopes: Vec<String>,
}
