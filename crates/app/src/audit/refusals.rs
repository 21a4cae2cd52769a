//! Requests that were refused before they could change anything: cross-site forms, too many
//! attempts, pages without permission.
//!
//! No change waits for their records, and repeated attempts must not fill the log. Equal refusals
//! are aggregated for a short time into one record with a count.

use super::event::Target;
use crate::access::find_organization;
use crate::{App, Context, Error};
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use domain::{Instant, network};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most kinds of refusals kept apart at a time. Further ones are counted by action and reason
/// only.
const MOST: usize = 50;

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
        let is_told_apart = gathered.len() < MOST || gathered.contains_key(&kind);
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
pub fn note(app: &App, context: &Context, refusal: Refusal) {
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
pub(crate) async fn flush(app: &App) -> Result<(), Error> {
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
