//! What was turned away before it could change anything: forms from elsewhere, too many
//! attempts, pages that somebody may not see.
//!
//! Nothing was changed, so nothing waits for the record of it; and whoever comes again and again
//! must not fill the log. What is alike is gathered for a moment and becomes one record that
//! counts.

use crate::caller::find_organization;
use crate::{App, Context, Error};
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use domain::{Instant, network};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kinds of refusals that are told apart at one time. Beyond them it is only counted how often
/// something was refused for the same reason.
const MOST: usize = 50;

/// What was refused, and to whom. What is equal in all of this is one record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What kind of refusal it is.
    pub action: Action,
    /// Why, in a word.
    pub reason: &'static str,
    /// Who came, as far as that is known.
    pub actor: Actor,
    /// Where it was to happen: an organization, by its id or address.
    pub organization: Option<String>,
}

impl Refusal {
    /// Access that somebody asked for outside of every organization.
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
    /// `None` for many places.
    source: Option<IpAddr>,
}

impl Kind {
    /// What is left of it where it cannot be told from others.
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
    /// The first request of the kind.
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

/// Notes a refusal.
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

/// Writes what was gathered. What cannot be written now is written the next time.
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
                event.write_in(conn, id, None, detail.clone())?;
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
