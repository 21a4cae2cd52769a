//! The audit log: an organization's, and a person's own.

use super::org::OrganizationHead;
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;

/// `GET /o/{org}/audit`. Asks itself with the fields `actor`, `action`, `token`, `from`, `to`.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose log it is.
    pub org: OrganizationHead,
    /// What was looked for.
    pub form: AuditForm,
    /// What was found, the latest first.
    pub events: Vec<EventRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What is wrong; fields `from`, `to`.
    pub errors: FieldErrors,
}

/// What an audit log is searched by.
#[derive(Debug, Clone)]
pub struct AuditForm {
    /// The page that it asks.
    pub path: String,
    /// People and kinds of actors.
    pub actors: Vec<Choice>,
    /// Kinds of actions.
    pub actions: Vec<Choice>,
    /// The id of a token.
    pub token: String,
    /// The first day: `2026-11-22`, or empty.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The same as a query; empty if everything is looked for.
    pub query: String,
}

impl AuditForm {
    /// The way from a name to all that is about it.
    fn about(&self, id: &str) -> Option<String> {
        let field = match id.split_once('_') {
            Some(("usr", _)) => "actor",
            Some(("tok", _)) => "token",
            _ => return None,
        };
        Some(format!("{}?{field}={id}", self.path))
    }
}

/// `GET /user/activity`. Asks itself as [`AuditPage`] does.
#[derive(Debug, Template)]
#[template(path = "account_activity.html")]
pub struct AccountActivityPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What was looked for.
    pub form: AuditForm,
    /// What was found, the latest first.
    pub events: Vec<EventRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What is wrong; fields `from`, `to`.
    pub errors: FieldErrors,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its place in the log.
    pub sequence: u64,
    /// When.
    pub at: Moment,
    /// Who did it.
    pub who: Who,
    /// What was done.
    pub what: Vec<Part>,
    /// Whether it was refused.
    pub is_refused: bool,
    /// In which organization; said in a person's own log.
    pub organization: Option<String>,
    /// The network address that it came from, if the reader may know it.
    pub address: Option<String>,
    /// The browser or program, in short.
    pub agent: Option<String>,
    /// Everything else, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// What the record says beyond its fields, as JSON; empty if nothing.
    pub detail: String,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name.
    pub name: String,
    /// By which means, or for whom.
    pub by: Option<String>,
    /// What the log can be searched by for them.
    pub id: String,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A name, and the id that it belongs to.
    Name(String, Option<String>),
}

impl Part {
    /// How it reads.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Name(text, _) => text,
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }
}
