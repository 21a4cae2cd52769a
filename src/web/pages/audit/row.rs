//! An audit record as a row of a page.

use super::words;
use crate::web::pages::page_request::PageRequest;
use crate::web::pages::view::audit::EventRow;
use crate::web::pages::view::{Moment, agent_name};
use app::audit::read::Names;
use domain::Instant;
use domain::audit::chain::Sealed;
use domain::audit::record::{Method, Outcome, Record};
use domain::id::UserId;
use serde_json::Value;

/// The reader for whom records are described.
pub struct Reader<'a> {
    now: Instant,
    brand: &'a str,
    names: &'a Names,
    /// The user, if the records are their own.
    you: Option<&'a str>,
}

impl<'a> Reader<'a> {
    /// An admin or owner who reads an organization's log.
    pub fn of_organization(req: &'a PageRequest, names: &'a Names) -> Self {
        Self {
            now: req.now(),
            brand: &req.app.config().branding.name,
            names,
            you: None,
        }
    }

    /// A user who reads their own log.
    pub fn of_user(req: &'a PageRequest, names: &'a Names) -> Self {
        Self {
            you: req.caller.user_id().map(UserId::as_str),
            ..Self::of_organization(req, names)
        }
    }

    /// The record as a row.
    pub fn row(&self, sealed: &Sealed) -> EventRow {
        let record = &sealed.record;
        let at = Moment::new(record.at, self.now);
        let text = |id: &str| Some(id.to_owned());
        let agent = record.agent.as_deref();
        let agent = agent.filter(|agent| !record.has_erased(agent));
        let facts = [
            ("Time", text(&at.title)),
            ("Action", text(&record.action)),
            ("Actor", record.actor_id.clone()),
            ("Target", record.target.clone()),
            ("Authenticated by", text(record.method.as_str())),
            ("Request", text(&record.request_id).filter(|id| id != "-")),
            ("User agent", agent.map(str::to_owned)),
            ("Record", text(&record.sequence.to_string())),
            ("Hash", text(&sealed.hash.to_string())),
        ];
        let organization = record.organization_id.as_deref();
        EventRow {
            sequence: record.sequence,
            at,
            who: words::who(record, self.names, self.brand, self.you),
            what: words::sentence(record, self.names),
            is_refused: record.outcome == Outcome::Refused,
            organization: organization
                .filter(|_| self.you.is_some())
                .and_then(|id| self.names.of(id))
                .map(str::to_owned),
            address: match (record.address.as_deref(), record.method) {
                (Some(address), _) if record.has_erased(address) => Some("Erased".to_owned()),
                (Some(address), _) => Some(address.to_owned()),
                (None, Method::Command) => Some("The server itself".to_owned()),
                _ => None,
            },
            agent: agent.map(agent_name),
            facts: facts
                .into_iter()
                .filter_map(|(name, value)| value.map(|value| (name, value)))
                .collect(),
            detail: detail(record),
        }
    }
}

/// The detail of a record as JSON, without null and erased values.
fn detail(record: &Record) -> String {
    let mut detail = Value::from(record.detail.clone());
    let is_erased = |value: &Value| value.as_str().is_some_and(|text| record.has_erased(text));
    if let Some(map) = detail.as_object_mut() {
        map.retain(|_, value| !value.is_null() && !is_erased(value));
        if map.is_empty() {
            return String::new();
        }
    }
    format!("{detail:#}")
}
