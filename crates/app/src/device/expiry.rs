//! Expiry of device grants.

use crate::tx::Tx;
use crate::{App, Context, Error, Event, Request};
use domain::audit::{Action, Actor};
use domain::device::Grant;
use serde_json::json;

/// Device grants expired in one transaction; small, to keep other writes from waiting.
const AT_ONCE: i64 = 200;

/// Marks a device grant as expired, and records it once. The server itself is the actor.
pub(super) fn expire(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), Error> {
    if !store::device::mark_expired(tx.conn, &grant.id)? {
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

/// Expires overdue device grants that are no longer polled.
pub(crate) async fn expire_over(app: &App) -> Result<(), Error> {
    let system = Request::system(app);
    loop {
        let ended = system.change(Action::DeviceExpired, |tx| {
            let over = store::device::list_over_grants(tx.conn, tx.now, AT_ONCE)?;
            for grant in &over {
                expire(tx, grant)?;
            }
            Ok(over.len())
        });
        if ended.await? == 0 {
            return Ok(());
        }
    }
}
