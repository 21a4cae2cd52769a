//! Counts of equal events, for those that strangers can cause without limit: refused requests,
//! failing sign-ins, and device grants that no user looked at.
//!
//! One record with a count covers equal events for a short time, so that a flood leaves a bounded
//! number of records. Events beyond the kinds that are kept apart are counted by action and reason,
//! with the most frequent of what they differ in: networks, actors and targets.

mod bound;

pub(super) use bound::KindLimit;

use super::record::{Event, Target, write_once};
use crate::access::find_organization;
use crate::tx::Tx;
use crate::{App, Context, Error};
use bound::Frequent;
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use domain::{Instant, name, network};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Conn;

/// Kinds that wait to be written, also while the database is unavailable.
const MOST_WAITING: usize = 1_000;

/// An event that is counted together with equal ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Occurrence {
    /// Kind of event.
    pub action: Action,
    /// Reason code.
    pub reason: &'static str,
    /// Actor, as far as known.
    pub actor: Actor,
    /// Client, unless it is the actor.
    pub client_id: Option<String>,
    /// Organization of the request, by its id or slug.
    pub organization: Option<String>,
    /// Id of the object.
    pub target: Option<String>,
}

impl Occurrence {
    /// An event of no organization, client or object.
    pub fn new(action: Action, reason: &'static str, actor: Actor) -> Self {
        Self {
            action,
            reason,
            actor,
            client_id: None,
            organization: None,
            target: None,
        }
    }

    /// Refused access outside of any organization.
    pub(crate) fn refused_access(reason: &'static str, actor: Actor) -> Self {
        Self::new(Action::AccessRefused, reason, actor)
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    occurrence: Occurrence,
    route: Option<Arc<str>>,
    /// `None` for events that are counted together.
    source: Option<IpAddr>,
}

impl Kind {
    /// Reduces it to action and reason.
    fn reduced(&self) -> Self {
        let Occurrence { action, reason, .. } = self.occurrence;
        Self {
            occurrence: Occurrence::new(action, reason, Actor::Anonymous),
            route: None,
            source: None,
        }
    }

    /// What [`reduced`](Self::reduced) leaves out, by its name in the record.
    fn particulars(&self) -> impl Iterator<Item = (&'static str, String)> {
        let Occurrence {
            actor,
            client_id,
            target,
            ..
        } = &self.occurrence;
        [
            ("networks", self.source.map(network::site_range)),
            ("actors", actor.id().map(str::to_owned)),
            ("clients", client_id.clone()),
            ("targets", target.clone()),
            ("routes", self.route.as_deref().map(str::to_owned)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

struct Tally {
    /// First request of the kind.
    context: Context,
    first_at: Instant,
    last_at: Instant,
    count: u64,
    /// Most frequent particulars of events that are counted together.
    frequent: BTreeMap<&'static str, Frequent>,
}

impl Tally {
    fn detail(&self, kind: &Kind) -> Value {
        let mut detail = json!({
            "reason": kind.occurrence.reason,
            "route": kind.route.as_deref(),
            "count": self.count,
            "first_at": moment::write(self.first_at),
            "last_at": moment::write(self.last_at),
        });
        if let Some(id) = &kind.occurrence.client_id {
            detail["client_id"] = id.as_str().into();
        }
        for (name, frequent) in &self.frequent {
            if let Some(values) = frequent.to_json() {
                detail[*name] = values;
            }
        }
        detail
    }

    fn merge(&mut self, other: Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.count += other.count;
        for (name, values) in other.frequent {
            let frequent = self.frequent.entry(name).or_default();
            values
                .into_iter()
                .for_each(|(value, count)| frequent.add(value, count));
        }
    }
}

/// Events that are not written yet.
#[derive(Default)]
pub struct Tallies {
    waiting: Mutex<Gathered>,
    /// Records of a failed write, which may have been committed.
    held: Mutex<Option<Batch>>,
    limits: Mutex<HashMap<Action, KindLimit>>,
}

impl Tallies {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Option<Batch>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more kind of an action may be kept apart.
    fn take_kind(&self, action: Action, now: Instant) -> bool {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.entry(action).or_default().take(now)
    }
}

/// Equal events, counted.
#[derive(Default)]
pub(crate) struct Gathered(HashMap<Kind, Tally>);

impl Gathered {
    /// Counts an event at a time.
    pub(crate) fn add(&mut self, app: &App, from: &Context, occurrence: Occurrence, at: Instant) {
        let kind = Kind {
            occurrence,
            route: from.route.clone(),
            source: from.address.map(network::source),
        };
        let mut tally = Tally {
            context: from.clone(),
            first_at: at,
            last_at: at,
            count: 1,
            frequent: BTreeMap::new(),
        };
        let is_apart = self.0.contains_key(&kind)
            || self.0.len() < MOST_WAITING
                && app.tallies().take_kind(kind.occurrence.action, app.now());
        if is_apart {
            return self.merge(kind, tally);
        }
        tally.context = Context::local();
        for (name, value) in kind.particulars() {
            tally.frequent.entry(name).or_default().add(value, 1);
        }
        self.merge(kind.reduced(), tally);
    }

    fn merge(&mut self, kind: Kind, tally: Tally) {
        match self.0.get_mut(&kind) {
            Some(known) => known.merge(tally),
            None => drop(self.0.insert(kind, tally)),
        }
    }

    fn sorted(self) -> Vec<(Kind, Tally)> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_by_key(|(_, tally)| tally.first_at);
        all
    }

    /// Writes the records in a transaction.
    pub(crate) fn write(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (kind, tally) in self.sorted() {
            let event = Event {
                actor: kind.occurrence.actor.clone(),
                context: tally.context.clone(),
                ..tx.event(kind.occurrence.action)
            };
            write(tx.conn, &event, (&kind, tally.detail(&kind)))?;
        }
        Ok(())
    }
}

fn write(conn: &mut Conn, event: &Event, (kind, detail): (&Kind, Value)) -> Result<(), Error> {
    let Occurrence {
        organization,
        target,
        ..
    } = &kind.occurrence;
    let organization = match organization {
        Some(named) => find_organization(conn, named)?,
        None => None,
    };
    let id = organization.as_ref().map(|organization| &organization.id);
    event.write(conn, Target::of(id, target.as_deref()), detail)
}

/// Counts an event that no change waits for. It is written a few seconds later.
pub fn note(app: &App, context: &Context, mut occurrence: Occurrence) {
    if occurrence.action == Action::SignInFailed {
        app.count_sign_in_failure(occurrence.reason);
    }
    // The name comes from the path of a request.
    occurrence.organization = occurrence
        .organization
        .filter(|named| named.len() <= name::LENGTH);
    let mut waiting = app.tallies().lock();
    waiting.add(app, context, occurrence, app.now());
}

/// Records that are written together.
type Batch = Arc<Vec<(Event, Kind, Value)>>;

/// The records of the counted events; `None` without any.
fn gather(app: &App) -> Option<Batch> {
    let waiting = std::mem::take(&mut *app.tallies().lock()).sorted();
    let record = |(kind, tally): (Kind, Tally)| {
        let Occurrence { actor, action, .. } = &kind.occurrence;
        let event = app.event(&tally.context, actor.clone(), *action);
        let detail = tally.detail(&kind);
        (event, kind, detail)
    };
    let records: Vec<_> = waiting.into_iter().map(record).collect();
    (!records.is_empty()).then(|| Arc::new(records))
}

/// Writes the counted events. After an error they are kept for the next flush.
pub(crate) async fn flush(app: &App) -> Result<(), Error> {
    let held = app.tallies().held().take();
    let new = iter::once_with(|| gather(app)).flatten();
    for batch in held.into_iter().chain(new) {
        let records = batch.clone();
        let (first, at) = (records[0].0.id.clone(), app.now());
        let write_all = move |conn: &mut Conn| {
            for (event, kind, detail) in records.iter() {
                // The record has the time of the write, also after an error.
                let event = Event {
                    at,
                    ..event.clone()
                };
                write(conn, &event, (kind, detail.clone()))?;
            }
            Ok(())
        };
        if let Err(error) = write_once(app, first, write_all).await {
            *app.tallies().held() = Some(batch);
            return Err(error);
        }
    }
    Ok(())
}
