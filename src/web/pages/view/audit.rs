//! The audit log of an organization, and a user's own.

use super::filters;
use super::log_badge::{LogBadge, LogState};
use super::moment::by_day;
use super::org::OrganizationHead;
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;

/// `GET /o/{org}/audit`, also with the fields `actor`, `action`, `token`, `from`, `to`.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization of the log.
    pub org: OrganizationHead,
    /// What is known about the state of the log.
    pub log: LogBadge,
    /// The search.
    pub form: AuditForm,
    /// The records found, newest first.
    pub events: Vec<EventRow>,
    /// URL of the next page.
    pub next: Option<String>,
    /// Form errors; fields `from`, `to`.
    pub errors: FieldErrors,
}

/// The search form of an audit log.
#[derive(Debug, Clone)]
pub struct AuditForm {
    /// Path of the page.
    pub path: String,
    /// Users and kinds of actors.
    pub actors: Vec<Choice>,
    /// Kinds of actions.
    pub actions: Vec<Choice>,
    /// The id of a token.
    pub token: String,
    /// The first day: `2026-11-22`, or empty.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The same values as a query; empty without a filter.
    pub query: String,
}

impl AuditForm {
    /// The URL of the records about a user or token.
    fn about(&self, id: &str) -> Option<String> {
        about(&self.path, id)
    }
}

/// The URL of the records about a user or token, in the log at this path.
pub(super) fn about(path: &str, id: &str) -> Option<String> {
    let field = match id.split_once('_') {
        Some(("usr", _)) => "actor",
        Some(("tok", _)) => "token",
        _ => return None,
    };
    Some(format!("{path}?{field}={id}"))
}

/// `GET /account/activity`, also with the fields of [`AuditPage`].
#[derive(Debug, Template)]
#[template(path = "account_activity.html")]
pub struct AccountActivityPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The search.
    pub form: AuditForm,
    /// The records found, newest first.
    pub events: Vec<EventRow>,
    /// URL of the next page.
    pub next: Option<String>,
    /// Form errors; fields `from`, `to`.
    pub errors: FieldErrors,
}

/// An audit record.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its sequence number.
    pub sequence: u64,
    /// The time.
    pub at: Moment,
    /// The actor.
    pub who: Who,
    /// The action, as a sentence.
    pub what: Vec<Part>,
    /// Whether it was refused.
    pub is_refused: bool,
    /// The organization; only in a user's own log.
    pub organization: Option<String>,
    /// The network address of the request, if the reader may see it.
    pub address: Option<String>,
    /// Short name of the browser or program.
    pub agent: Option<String>,
    /// Further fields, with their names.
    pub facts: Vec<(&'static str, String)>,
    /// The detail of the record as JSON; may be empty.
    pub detail: String,
}

impl EventRow {
    /// The records by day, in their order.
    fn by_day(events: &[Self]) -> Vec<(&str, &[Self])> {
        by_day(events, |event| &event.at)
    }
}

/// The actor of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name.
    pub name: String,
    /// The means, or the user represented.
    pub by: Option<String>,
    /// The id that finds this actor in the log.
    pub id: String,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A name, and the id that it belongs to.
    Name(String, Option<String>),
}

impl Part {
    /// The visible text.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Name(text, _) => text,
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }
}
