//! Reading the log: whose records one may see, and the record that they were read.

use super::sealing;
use crate::app::caller::Caller;
use crate::app::{App, Context, Error};
use crate::domain::audit::Action;
use crate::domain::audit::chain::{Head, Sealed};
use crate::domain::audit::export::{self, Excerpted, Header, Part};
use crate::domain::org::Role;
use crate::domain::token::Owner;
use crate::store;
pub use crate::store::audit::Filter;
use crate::store::audit::{From, Log};
use futures_util::Stream;
use serde_json::{Value, json};

/// The scope that reading takes.
pub const READ: &str = "audit:read";

/// Records that an export reads at once.
const CHUNK: i64 = 500;

/// What somebody wants to see.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// In which organization, by id or address; `None` for what is the caller's own.
    pub organization: Option<String>,
    /// Who did what, when. What it says of organizations and persons is replaced by what the
    /// caller may see.
    pub filter: Filter,
}

/// Records, the latest first, before a place; one more than the limit if there are more.
/// Reading is recorded itself.
pub async fn list(
    app: &App,
    context: &Context,
    caller: &Caller,
    search: Search,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Sealed>, Error> {
    let filter = admit(app, context, caller, &search, Action::AuditRead).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let from = From::Before(before.unwrap_or(u64::MAX));
    app.store()
        .read(move |conn| Ok::<_, Error>(store::audit::list_records(conn, &filter, from, limit)?))
        .await
}

/// What the caller may see of what it wants to; records that it was seen.
pub(super) async fn admit(
    app: &App,
    context: &Context,
    caller: &Caller,
    search: &Search,
    action: Action,
) -> Result<Filter, Error> {
    // What the caller did just now is a part of what it sees.
    sealing::seal(app).await?;
    let event = app.event(context, caller.actor(), action);
    let (handle, caller, search) = (app.clone(), caller.clone(), search.clone());
    app.store()
        .write(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let mut filter = search.filter.clone();
            filter.account_id = None;
            filter.organization_id = None;
            let mut organization = None;
            if let Some(named) = &search.organization {
                organization = Some(authority.organization(conn, named, READ, Role::Admin)?.id);
            } else {
                authority.require_scope(READ, &crate::domain::decision::Place::Anywhere)?;
                match (&caller, caller.owner()) {
                    (Caller::Operator(None), _) => {}
                    (_, Ok(Owner::Organization(id))) => organization = Some(id),
                    (_, Ok(Owner::Account(id))) => filter.account_id = Some(id.to_string()),
                    (_, Err(error)) => return Err(error),
                }
            }
            filter.organization_id = organization.as_ref().map(ToString::to_string);
            event.write_in(conn, organization.as_ref(), None, describe(&search.filter))?;
            Ok(filter)
        })
        .await
}

/// What was looked for, as the record of it says.
fn describe(filter: &Filter) -> Value {
    let moment = |at: &Option<_>| at.map(crate::domain::audit::canonical::moment::write);
    json!({
        "actor": filter.actor,
        "action": filter.action,
        "token": filter.token_id,
        "since": moment(&filter.since),
        "until": moment(&filter.until),
    })
}

/// An export in pieces, each of whole lines: the log, if the caller may see all of it and
/// wants to; else the records that pass, each with the hash before it. Only one piece is in
/// memory at a time.
pub async fn export(
    app: &App,
    context: &Context,
    caller: &Caller,
    search: Search,
) -> Result<impl Stream<Item = Result<String, Error>> + use<>, Error> {
    let filter = admit(app, context, caller, &search, Action::AuditExported).await?;
    let log = sealing::find(app).await?;
    let header = Header {
        part: match filter.is_everything() {
            true => Part::After(Head::genesis(&log.origin)),
            false => Part::Filtered,
        },
        origin: log.origin.clone(),
    };
    let state = Export {
        app: app.clone(),
        filter,
        log,
        after: 0,
        header: Some(header.line() + "\n"),
    };
    Ok(futures_util::stream::try_unfold(state, Export::next))
}

/// An export under way.
struct Export {
    app: App,
    filter: Filter,
    /// The log as it was when the export began: its end is where the export ends.
    log: Log,
    after: u64,
    header: Option<String>,
}

impl Export {
    async fn next(mut self) -> Result<Option<(String, Self)>, Error> {
        if let Some(header) = self.header.take() {
            return Ok(Some((header, self)));
        }
        let (filter, after) = (self.filter.clone(), self.after);
        let is_whole = filter.is_everything();
        let genesis = Head::genesis(&self.log.origin).hash;
        let (lines, previous) = self
            .app
            .store()
            .read(move |conn| {
                let lines = store::audit::list_records(conn, &filter, From::After(after), CHUNK)?;
                let before: Vec<_> = lines.iter().map(|line| line.record.sequence - 1).collect();
                let previous = match is_whole {
                    true => Default::default(),
                    false => store::audit::list_hashes(conn, &before)?,
                };
                Ok::<_, Error>((lines, previous))
            })
            .await?;
        let end = self.log.head.sequence;
        let lines: Vec<_> = lines
            .into_iter()
            .take_while(|line| line.record.sequence <= end)
            .collect();
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        self.after = last.record.sequence;
        let mut text = String::new();
        for sealed in lines {
            text += &match is_whole {
                true => export::line(&sealed),
                false => {
                    let before = sealed.record.sequence - 1;
                    let previous = previous.get(&before).copied().unwrap_or(genesis);
                    Excerpted { sealed, previous }.line()
                }
            };
            text.push('\n');
        }
        Ok(Some((text, self)))
    }
}
