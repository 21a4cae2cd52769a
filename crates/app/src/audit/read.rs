//! Reads the log: pages of records, or an export, with display names for the ids in records.
//!
//! Every read is authorized and recorded.

use super::record::Target;
use super::seal;
use crate::access::{Caller, Denial};
use crate::tx::Tx;
use crate::{App, Error, Request};
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::chain::Sealed;
use domain::audit::csv;
use domain::audit::excerpt::Excerpted;
use domain::audit::export::{self, Header, Part};
use domain::audit::hash::Hash;
use domain::audit::record::Record;
use domain::audit::{Action, logged_filter};
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, UserId};
use domain::role::Role;
use domain::token::TokenOwner;
use futures_util::Stream;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::audit::{Filter, Log, Side, Within};

/// Scope for reading the log.
pub const READ: &str = "audit:read";

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
    let AuditAccess { filter, own } = authorize_search(req, search, Action::AuditRead).await?;
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
async fn authorize_search(
    req: &Request,
    search: Search,
    action: Action,
) -> Result<AuditAccess, Error> {
    let (named, looked_for) = (search.organization.clone(), search.describe());
    let (own, organization) = match authorize_view(req, named, action, looked_for).await? {
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
    let access = authorize_search(req, search, Action::AuditExported).await?;
    let log = seal::find(&req.app).await?;
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

    /// The text of records, with the hashes before them, as the caller may see them.
    fn piece(
        self,
        lines: Vec<Sealed>,
        previous: &BTreeMap<u64, Hash>,
        own: Option<&UserId>,
    ) -> Result<String, Error> {
        let mut text = String::new();
        for mut sealed in lines {
            match self {
                Self::Csv => {
                    hide_origin(&mut sealed.record, own);
                    text += &csv::row(&sealed);
                }
                Self::Whole => text += &(export::line(&sealed) + "\n"),
                Self::Excerpt => {
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
        Ok(text)
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
        let own = self.access.own.clone();
        let read = move |conn: &mut store::Conn| {
            let mut lines = store::audit::list_records(conn, &filter, Side::After(after), CHUNK)?;
            lines.retain(|line| line.record.sequence <= end);
            let before: Vec<_> = lines.iter().map(|line| line.record.sequence - 1).collect();
            let mut previous = match writing {
                Writing::Excerpt => store::audit::list_hashes(conn, &before)?,
                Writing::Whole | Writing::Csv => BTreeMap::new(),
            };
            previous.insert(start.sequence, start.hash);
            let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
                return Ok(None);
            };
            if writing == Writing::Whole && first.record.sequence != after + 1 {
                return Err(Error::Conflict(PRUNED));
            }
            let last = last.record.sequence;
            let text = writing.piece(lines, &previous, own.as_ref())?;
            Ok::<_, Error>(Some((text, last)))
        };
        let Some((text, last)) = self.app.store().read_long(read).await? else {
            return Ok(None);
        };
        self.after = last;
        Ok(Some((text, self)))
    }
}

/// Part of the log that a caller may see.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// The operator sees everything.
    Everything,
    /// A user sees their own records, within the limits of their token.
    Own(UserId, Within),
    /// Admins and tokens of an organization see its records.
    Organization(OrganizationId),
}

impl View {
    /// Returns the caller's view of an organization, or of the caller's own records.
    pub(super) fn of(tx: &mut Tx<'_>, organization: Option<&str>) -> Result<Self, Error> {
        if let Some(named) = organization {
            let found = tx.organization(named, READ, Role::Admin)?;
            return Ok(Self::Organization(found.id));
        }
        if matches!(tx.caller(), Caller::Operator(None) | Caller::Console(_)) {
            return Ok(Self::Everything);
        }
        match tx.caller().owner()? {
            TokenOwner::Organization(id) => {
                tx.require(READ, &ResourceRef::Organization(id.clone()), Role::Admin)?;
                Ok(Self::Organization(id))
            }
            TokenOwner::User(id) => {
                tx.require_scope(READ)?;
                let limits = tx.limits()?;
                // Records have no project, so none is within such limits.
                match limits.projects {
                    Some(_) => Err(Denial::Limited.into()),
                    None => Ok(Self::Own(id, limits.organization)),
                }
            }
        }
    }

    /// Organization that permits the view, if one does.
    pub(super) fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Everything | Self::Own(..) => None,
        }
    }
}

/// Returns the caller's view of an organization or of its own records, and records the read with
/// its filter.
pub(super) async fn authorize_view(
    req: &Request,
    organization: Option<String>,
    action: Action,
    looked_for: Value,
) -> Result<View, Error> {
    let named = organization.clone();
    // Unauthorized callers are refused before anything is written.
    req.read(move |tx| View::of(tx, named.as_deref()).map(drop))
        .await?;
    // The view includes what the caller did just now.
    seal::seal(&req.app).await?;
    req.change(action, move |tx| {
        let view = tx.unlocked(|tx| View::of(tx, organization.as_deref()))?;
        let target = Target::of(view.organization(), None);
        tx.record(target, looked_for.clone())?;
        Ok(view)
    })
    .await
}

/// Names by id. Permission to see a record includes the names of what it refers to.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The current name; `None` if it never had one or is deleted.
    pub fn of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Names {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

/// Returns the names for the ids in these records.
pub async fn names(app: &App, records: &[Sealed]) -> Result<Names, Error> {
    names_of(
        app,
        records.iter().flat_map(|sealed| named_ids(&sealed.record)),
    )
    .await
}

/// Returns the names for these ids.
pub(super) async fn names_of(app: &App, ids: impl Iterator<Item = String>) -> Result<Names, Error> {
    let ids: BTreeSet<String> = ids.collect();
    let ids: Vec<_> = ids.into_iter().collect();
    app.store()
        .read(move |conn| Ok::<_, Error>(Names(store::audit::list_names(conn, &ids)?)))
        .await
}

/// Keys of a record's detail that hold an id. Other values may be client-supplied text, such as
/// the id of a user that the client may not look up.
const HOLDING_IDS: [&str; 3] = ["inviter", "token", "user"];

/// Whether the value of a detail key, or the target, is an id.
pub fn holds_id(key: &str) -> bool {
    key == "target" || HOLDING_IDS.contains(&key)
}

/// The ids in a record that have names.
pub(super) fn named_ids(record: &Record) -> Vec<String> {
    let fixed = [
        &record.actor_id,
        &record.user_id,
        &record.token_id,
        &record.organization_id,
        &record.target,
    ];
    let told = HOLDING_IDS
        .into_iter()
        .filter_map(|key| Some(record.detail.get(key)?.as_str()?.to_owned()));
    fixed.into_iter().flatten().cloned().chain(told).collect()
}
