//! Audit records of changes, written in the transaction of the change, and of refused requests.
//!
//! Requests that were refused before they could change anything are cross-site forms, too many
//! attempts, and pages without permission. No change waits for their records, and repeated
//! attempts must not fill the log: equal refusals are aggregated for a short time into one record
//! with a count.

use crate::access::find_organization;
use crate::{App, Context, Error};
use domain::audit::canonical::moment;
use domain::audit::record::{self, Detail, Record};
use domain::audit::salt::Salt;
use domain::audit::{Action, Actor, By};
use domain::id::{EventId, IdSeed, OrganizationId};
use domain::org::Organization;
use domain::project::Project;
use domain::token::Token;
use domain::{Instant, network};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::Conn;

impl App {
    /// Prepares an audit record with the current time.
    pub(crate) fn event(&self, context: &Context, actor: Actor, action: Action) -> Event {
        Event {
            id: Event::id_at(self.now(), self.id_seed(), self.count_event()),
            at: self.now(),
            context: context.clone(),
            actor,
            action,
            salt: Salt::new(self.random()),
        }
    }
}

/// The object of an action: its id and its organization.
#[derive(Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    organization_id: Option<&'a OrganizationId>,
    id: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// An object in an organization.
    pub(crate) fn within(organization_id: &'a OrganizationId, id: &'a str) -> Self {
        Self {
            organization_id: Some(organization_id),
            id: Some(id),
        }
    }

    /// An object that may belong to an organization.
    pub(crate) fn of(organization_id: Option<&'a OrganizationId>, id: Option<&'a str>) -> Self {
        Self {
            organization_id,
            id,
        }
    }
}

impl<'a> From<Option<&'a str>> for Target<'a> {
    fn from(id: Option<&'a str>) -> Self {
        Self::of(None, id)
    }
}

impl<'a> From<&'a Organization> for Target<'a> {
    fn from(organization: &'a Organization) -> Self {
        Self::within(&organization.id, organization.id.as_str())
    }
}

impl<'a> From<&'a Project> for Target<'a> {
    fn from(project: &'a Project) -> Self {
        Self::within(&project.organization_id, project.id.as_str())
    }
}

impl<'a> From<&'a Token> for Target<'a> {
    fn from(token: &'a Token) -> Self {
        Self::of(token.organization(), Some(token.id.as_str()))
    }
}

/// An audit record that is written in the transaction of its change.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) at: Instant,
    pub(crate) context: Context,
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    /// Salt for the pseudonyms of personal data.
    pub(crate) salt: Salt,
}

impl Event {
    /// An id for a record. Records are sealed in the order of their ids, so ids of one
    /// millisecond sort in order of creation: the record's position among those of this server
    /// replaces the first random bits (RFC 9562 section 6.2, method 1).
    pub(crate) fn id_at(at: Instant, mut seed: IdSeed, position: u16) -> EventId {
        [seed[0], seed[1]] = position.to_be_bytes();
        EventId::new(at, seed)
    }

    /// Writes the record into the transaction of the change.
    pub(crate) fn write<'t>(
        &self,
        conn: &mut Conn,
        target: impl Into<Target<'t>>,
        mut detail: Value,
    ) -> Result<(), Error> {
        if self.context.has_false_actor {
            detail["ignored_actor_header"] = true.into();
        }
        let Target {
            organization_id,
            id,
        } = target.into();
        let record = self.record(organization_id, id, detail)?;
        Ok(store::audit::insert_event(conn, &record)?)
    }

    pub(super) fn record(
        &self,
        organization_id: Option<&OrganizationId>,
        target: Option<&str>,
        detail: Value,
    ) -> Result<Record, Error> {
        let Context {
            request_id,
            address,
            user_agent,
            ..
        } = &self.context;
        let by = match address {
            Some(_) => By::Request,
            None => By::Command,
        };
        let client_id = match &self.actor {
            Actor::Client(id) => Some(id.as_str()),
            _ => detail["client_id"].as_str(),
        };
        let record = Record {
            sequence: 0,
            id: self.id.to_string(),
            at: self.at,
            action: self.action.as_str().to_owned(),
            outcome: self.action.outcome(),
            actor_kind: self.actor.kind().to_owned(),
            actor_id: self.actor.id().map(str::to_owned),
            method: self.actor.method(by),
            user_id: self.actor.user_id().map(ToString::to_string),
            token_id: self.actor.token_id().map(ToString::to_string),
            client_id: client_id.map(str::to_owned),
            organization_id: organization_id.map(ToString::to_string),
            target: target.map(str::to_owned),
            request_id: request_id.clone(),
            address: address.map(|address| address.to_string()),
            agent: (!user_agent.is_empty()).then(|| record::agent(user_agent)),
            detail: Detail::try_from(detail)
                .map_err(|why| store::Error::Other(format!("an audit record: {why}")))?,
            salt: None,
        };
        Ok(record.salted(self.salt))
    }
}

/// Most kinds of refusals kept apart at a time. Further ones are counted by action and reason
/// only.
const MOST_KINDS: usize = 50;

/// A refused request. Equal refusals share one record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Kind of refusal.
    pub action: Action,
    /// Reason code.
    pub reason: &'static str,
    /// Actor, as far as known.
    pub actor: Actor,
    /// Organization of the request, by its id or address.
    pub organization: Option<String>,
}

impl Refusal {
    /// Refused access outside of any organization.
    pub(crate) fn access(reason: &'static str, actor: Actor) -> Self {
        Self {
            action: Action::AccessRefused,
            reason,
            actor,
            organization: None,
        }
    }
}

/// Refusals that are not written yet.
#[derive(Default)]
pub struct Refusals(Mutex<Gathered>);

type Gathered = HashMap<Kind, Tally>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    refusal: Refusal,
    route: Option<String>,
    /// `None` for aggregated sources.
    source: Option<IpAddr>,
}

impl Kind {
    /// Reduces it to action and reason.
    fn coarse(self) -> Self {
        Self {
            refusal: Refusal {
                actor: Actor::Anonymous,
                organization: None,
                ..self.refusal
            },
            route: None,
            source: None,
        }
    }
}

struct Tally {
    /// First request of the kind.
    context: Context,
    first_at: Instant,
    last_at: Instant,
    count: u64,
}

impl Tally {
    fn detail(&self, kind: &Kind) -> Value {
        json!({
            "reason": kind.refusal.reason,
            "route": kind.route,
            "count": self.count,
            "first_at": moment::write(self.first_at),
            "last_at": moment::write(self.last_at),
        })
    }
}

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, kind: Kind, tally: Tally) {
        let mut gathered = self.lock();
        let is_told_apart = gathered.len() < MOST_KINDS || gathered.contains_key(&kind);
        let (kind, context) = match is_told_apart {
            true => (kind, tally.context),
            false => (kind.coarse(), Context::local()),
        };
        gathered
            .entry(kind)
            .and_modify(|known| {
                known.first_at = known.first_at.min(tally.first_at);
                known.last_at = known.last_at.max(tally.last_at);
                known.count += tally.count;
            })
            .or_insert(Tally { context, ..tally });
    }
}

/// Adds a refusal to the buffer.
pub fn note_refusal(app: &App, context: &Context, refusal: Refusal) {
    let kind = Kind {
        refusal,
        route: context.route.clone(),
        source: context.address.map(network::source),
    };
    let now = app.now();
    let tally = Tally {
        context: context.clone(),
        first_at: now,
        last_at: now,
        count: 1,
    };
    app.refusals().add(kind, tally);
}

/// Writes the buffered refusals. After an error they stay buffered for the next flush.
pub(crate) async fn flush_refusals(app: &App) -> Result<(), Error> {
    let mut gathered: Vec<_> = std::mem::take(&mut *app.refusals().lock())
        .into_iter()
        .collect();
    if gathered.is_empty() {
        return Ok(());
    }
    gathered.sort_by_key(|(_, tally)| tally.first_at);
    let record = |(kind, tally): &(Kind, Tally)| {
        let Refusal { actor, action, .. } = &kind.refusal;
        let event = app.event(&tally.context, actor.clone(), *action);
        let organization = kind.refusal.organization.clone();
        (event, organization, tally.detail(kind))
    };
    let records: Vec<_> = gathered.iter().map(record).collect();
    let written = app
        .store()
        .write(move |conn| {
            for (event, organization, detail) in &records {
                let found = match organization {
                    Some(named) => find_organization(conn, named)?,
                    None => None,
                };
                let id = found.as_ref().map(|organization| &organization.id);
                event.write(conn, Target::of(id, None), detail.clone())?;
            }
            Ok(())
        })
        .await;
    if written.is_err() {
        for (kind, tally) in gathered {
            app.refusals().add(kind, tally);
        }
    }
    written
}
