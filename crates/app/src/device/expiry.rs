//! Expiry of device grants.

use crate::{App, Context, Error, Events};
use domain::audit::{Action, Actor};
use domain::device::Grant;
use serde_json::json;
use store::Conn;

/// Device grants expired in one transaction; small, to keep other writes from waiting.
const AT_ONCE: i64 = 200;

/// Prepares the audit records of device grants that expire now.
pub(super) fn records(app: &App) -> Events {
    app.events(&Context::local(), Actor::System, Action::DeviceExpired)
}

/// Marks a device grant as expired, and records it once.
pub(super) fn expire(conn: &mut Conn, records: &Events, grant: &Grant) -> Result<(), Error> {
    if !store::device::mark_expired(conn, &grant.id)? {
        return Ok(());
    }
    let detail = json!({"client_id": grant.client_id});
    records.next().write(conn, Some(grant.id.as_str()), detail)
}

/// Expires overdue device grants that are no longer polled.
pub(crate) async fn expire_over(app: &App) -> Result<(), Error> {
    loop {
        let (expired, now) = (records(app), app.now());
        let ended = app
            .store()
            .write(move |conn| {
                let over = store::device::list_over_grants(conn, now, AT_ONCE)?;
                for grant in &over {
                    expire(conn, &expired, grant)?;
                }
                Ok::<_, Error>(over.len())
            })
            .await?;
        if ended == 0 {
            return Ok(());
        }
    }
}
