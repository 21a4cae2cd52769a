//! Expiry of device grants.

use crate::audit::tally::{self, Gathered, Occurrence};
use crate::tx::Tx;
use crate::{App, Context, Error, Event, Request};
use domain::audit::{Action, Actor};
use domain::device::Grant;
use serde_json::json;

/// Device grants expired in one transaction; small, to keep other writes from waiting.
const AT_ONCE: i64 = 500;

/// Marks a device grant as expired, and records it once. The server itself is the actor.
pub(super) fn expire(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), Error> {
    if !store::device::mark_expired(tx.conn, grant)? {
        return Ok(());
    }
    let record = Event {
        actor: Actor::System,
        context: Context::local(),
        ..tx.event(Action::DeviceExpired)
    };
    let detail = json!({"client_id": grant.client_id});
    record.write(tx.conn, Some(grant.id.as_str()), detail)
}

/// Marks a device grant that no user looked at as expired. If the result is `true`, it must be counted.
pub(super) fn expire_unseen(tx: &mut Tx<'_>, grant: &Grant) -> Result<bool, Error> {
    if grant.is_shown {
        return Ok(false);
    }
    tx.needs_no_record();
    Ok(store::device::mark_expired(tx.conn, grant)?)
}

/// Counts the expiry of a grant that no user looked at, once it is committed.
pub(super) fn count_unseen(app: &App, grant: &Grant) {
    let (source, expired) = unseen_expiry(grant);
    tally::note(app, &source, expired);
}

/// The expiry of a grant that no user looked at, which is counted by its client and source.
fn unseen_expiry(grant: &Grant) -> (Context, Occurrence) {
    let source = Context {
        address: Some(grant.address),
        ..Context::local()
    };
    let expired = Occurrence {
        client_id: Some(grant.client_id.clone()),
        ..Occurrence::new(Action::DeviceExpired, "not_shown", Actor::System)
    };
    (source, expired)
}

/// Marks device grants as expired. Those that no user looked at are counted in one record for each
/// client and source.
pub(super) fn expire_all(tx: &mut Tx<'_>, over: &[Grant]) -> Result<(), Error> {
    let mut unseen = Gathered::default();
    for grant in over {
        if grant.is_shown {
            expire(tx, grant)?;
        } else if expire_unseen(tx, grant)? {
            let (source, expired) = unseen_expiry(grant);
            unseen.add(tx.app(), &source, expired, grant.expires_at);
        }
    }
    unseen.write(tx)
}

/// Expires overdue device grants that are no longer polled.
pub(crate) async fn expire_over(app: &App) -> Result<(), Error> {
    let system = Request::system(app);
    loop {
        let ended = system.change(Action::DeviceExpired, |tx| {
            let over = store::device::list_over_grants(tx.conn, tx.now, AT_ONCE)?;
            expire_all(tx, &over)?;
            Ok(over.len())
        });
        if ended.await? == 0 {
            return Ok(());
        }
    }
}
