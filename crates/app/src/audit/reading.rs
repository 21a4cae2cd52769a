//! Reads the log: pages of records, or an export.

use super::sealing;
use super::view::{self, View};
use crate::{App, Error, Request};
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::chain::Sealed;
use domain::audit::csv;
use domain::audit::excerpt::Excerpted;
use domain::audit::export::{self, Header, Part};
use domain::audit::record::Record;
use domain::audit::{Action, logged_filter};
use domain::id::{OrganizationId, UserId};
use futures_util::Stream;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::audit::{Filter, Log, Side};

/// Records that an export reads per query.
const CHUNK: i64 = 500;

/// Error of an export that pruning interrupted.
const PRUNED: &str = "Records were taken out of the log meanwhile; export it again.";

/// Filter of a search for records.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Organization, by id or address; `None` for the caller's own records.
    pub organization: Option<String>,
    /// Actor: the id of a user, a token or a client, or a kind of actor.
    pub actor: Option<String>,
    /// Action, or its prefix up to the dot, such as `token`.
    pub action: Option<String>,
    /// Token that acted, or that the action affected.
    pub token_id: Option<String>,
    /// Earliest time, inclusive.
    pub since: Option<Instant>,
    /// Latest time, exclusive.
    pub until: Option<Instant>,
}

impl Search {
    /// The filter, in the form that the audit record of the search has.
    fn describe(&self) -> Value {
        json!({
            "of": "records",
            "actor": self.actor.as_deref().map(logged_filter::actor),
            "action": self.action.as_deref().map(logged_filter::action),
            "token": self.token_id.as_deref().map(logged_filter::token),
            "since": self.since.map(moment::write),
            "until": self.until.map(moment::write),
        })
    }

    /// Restricts the search to the records that the caller may see.
    fn within(self, own: Option<&UserId>, organization: Option<&OrganizationId>) -> Filter {
        let actions = self.action.as_deref().map(Action::named);
        Filter {
            organization_id: organization.map(ToString::to_string),
            user_id: own.map(ToString::to_string),
            actor: self.actor,
            actions: actions.map(Iterator::collect),
            token_id: self.token_id,
            since: self.since,
            until: self.until,
        }
    }
}

/// Returns records before a sequence number, newest first, plus one more than the limit if there
/// are more. Users do not see the origin of actions that other known actors performed on them.
/// The read is recorded.
pub async fn list(
    req: &Request,
    search: Search,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Sealed>, Error> {
    let AuditAccess { filter, own } = authorize(req, search, Action::AuditRead).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let side = Side::Before(before.unwrap_or(u64::MAX));
    req.read(move |tx| {
        let mut records = store::audit::list_records(tx.conn, &filter, side, limit)?;
        for sealed in &mut records {
            hide_origin(&mut sealed.record, own.as_ref());
        }
        Ok(records)
    })
    .await
}

/// Removes the origin if the user who reads their own log may not see it.
fn hide_origin(record: &mut Record, own: Option<&UserId>) {
    if own.is_some_and(|id| !record.tells_origin_to(id)) {
        record.address = None;
        record.agent = None;
    }
}

/// Records that the caller may see.
struct AuditAccess {
    filter: Filter,
    /// The user, if they read their own log.
    own: Option<UserId>,
}

/// Authorizes the search, records it, and returns the filter for it.
async fn authorize(req: &Request, search: Search, action: Action) -> Result<AuditAccess, Error> {
    let (named, looked_for) = (search.organization.clone(), search.describe());
    let (own, organization) = match view::authorize(req, named, action, looked_for).await? {
        View::Everything => (None, None),
        View::Own(id, within) => (Some(id), within),
        View::Organization(id) => (None, Some(id)),
    };
    Ok(AuditAccess {
        filter: search.within(own.as_ref(), organization.as_ref()),
        own,
    })
}

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines that can be verified.
    Lines,
    /// A table for other programs; it cannot be verified.
    Csv,
}

/// Exports the log as a stream of pieces, each of whole lines. A caller who may see all of it and
/// sets no filter gets the log; others get the matching records, each with the hash before it.
/// Data that the caller may not see is left out of a table and replaced by pseudonyms in lines,
/// so that lines still verify. Only one piece is in memory at a time.
pub async fn export(
    req: &Request,
    search: Search,
    form: Format,
) -> Result<impl Stream<Item = Result<String, Error>> + use<>, Error> {
    let access = authorize(req, search, Action::AuditExported).await?;
    let log = sealing::find(&req.app).await?;
    let writing = match form {
        Format::Csv => Writing::Csv,
        Format::Lines if access.filter.is_everything() => Writing::Whole,
        Format::Lines => Writing::Excerpt,
    };
    let state = Export {
        app: req.app.clone(),
        access,
        header: Some(writing.header(&log)),
        writing,
        after: log.start().sequence,
        log,
    };
    Ok(futures_util::stream::try_unfold(state, Export::next))
}

/// Content and format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Whole,
    Excerpt,
    Csv,
}

impl Writing {
    fn header(self, log: &Log) -> String {
        let part = match self {
            Self::Csv => return csv::header(),
            Self::Whole => Part::After(log.start()),
            Self::Excerpt => Part::Filtered,
        };
        let origin = log.origin.clone();
        Header { part, origin }.line() + "\n"
    }
}

/// State of a running export.
struct Export {
    app: App,
    access: AuditAccess,
    writing: Writing,
    /// The log at the start of the export, whose head is the end of the export.
    log: Log,
    after: u64,
    header: Option<String>,
}

impl Export {
    async fn next(mut self) -> Result<Option<(String, Self)>, Error> {
        if let Some(header) = self.header.take() {
            return Ok(Some((header, self)));
        }
        let (filter, after, writing) = (self.access.filter.clone(), self.after, self.writing);
        let (start, end) = (self.log.start(), self.log.head.sequence);
        let (lines, previous) = self
            .app
            .store()
            .read(move |conn| {
                let mut lines =
                    store::audit::list_records(conn, &filter, Side::After(after), CHUNK)?;
                lines.retain(|line| line.record.sequence <= end);
                let before: Vec<_> = lines.iter().map(|line| line.record.sequence - 1).collect();
                let mut previous = match writing {
                    Writing::Excerpt => store::audit::list_hashes(conn, &before)?,
                    Writing::Whole | Writing::Csv => BTreeMap::new(),
                };
                previous.insert(start.sequence, start.hash);
                Ok::<_, Error>((lines, previous))
            })
            .await?;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        let is_next = lines[0].record.sequence == self.after + 1;
        if writing == Writing::Whole && !is_next {
            return Err(Error::Conflict(PRUNED));
        }
        self.after = last.record.sequence;
        let own = self.access.own.as_ref();
        let mut text = String::new();
        for mut sealed in lines {
            match writing {
                Writing::Csv => {
                    hide_origin(&mut sealed.record, own);
                    text += &csv::row(&sealed);
                }
                Writing::Whole => text += &(export::line(&sealed) + "\n"),
                Writing::Excerpt => {
                    if own.is_some_and(|id| !sealed.record.tells_origin_to(id)) {
                        sealed.record = sealed.record.erased();
                        // Records from before salts cannot be verified without the data.
                        if sealed.record.has_personal_data() {
                            continue;
                        }
                    }
                    let before = sealed.record.sequence - 1;
                    let previous = previous.get(&before).copied();
                    let previous = previous.ok_or(Error::Conflict(PRUNED))?;
                    text += &(Excerpted { sealed, previous }.line() + "\n");
                }
            }
        }
        Ok(Some((text, self)))
    }
}
