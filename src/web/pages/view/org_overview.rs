//! What admins see on the overview of an organization.

use super::Moment;
use super::log_badge::LogBadge;

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
}

impl AdminOverview {
    /// Number of active tokens with access.
    pub(super) fn tokens(&self) -> usize {
        self.own_tokens + self.personal_tokens
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
