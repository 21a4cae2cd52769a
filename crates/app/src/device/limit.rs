//! Limits of pending device grants.

use super::expiry::expire_all;
use crate::throttle::SharedLimit;
use crate::tx::Tx;
use crate::{App, Error};
use chrono::Duration;
use domain::Instant;
use std::net::IpAddr;
use store::Conn;
use store::device::{Ending, GrantOrigin, LiveCounts};

/// Device grants expired for a new one; few, to keep other writes from waiting.
const AT_ONCE: i64 = 20;

/// The part of a shared limit that is left to sources without pending device grants: one tenth.
const RESERVED: u32 = 10;

/// A limit that a new device grant would exceed.
struct Full<'a> {
    origin: GrantOrigin<'a>,
    /// When a device grant may be created, if nothing else changes.
    until: Instant,
}

/// Fails with [`Error::Throttled`] if the source, its site or the client has too many pending device
/// grants. Only reads, so refused requests cost no write. Usually one statement, and a count that
/// changes before the second one is checked again in the transaction.
pub(super) async fn check(app: &App, client_id: &str, address: IpAddr) -> Result<(), Error> {
    let (handle, client_id, now) = (app.clone(), client_id.to_owned(), app.now());
    let read = move |conn: &mut Conn| match find_room(&handle, conn, (&client_id, address))? {
        // Expired device grants do not count; the transaction that creates the new one marks them.
        Err(full) if full.until > now => {
            let limit = match full.origin {
                GrantOrigin::Source(_) => None,
                GrantOrigin::Site(_) => Some(SharedLimit::DeviceSite),
                GrantOrigin::Client(_) => Some(SharedLimit::DeviceClient),
            };
            Ok::<_, Error>(Some((full.until - now, limit)))
        }
        _ => Ok(None),
    };
    let Some((wait, limit)) = app.store().read_one(read).await? else {
        return Ok(());
    };
    if let Some(limit) = limit {
        app.reached_limits().note(limit, now);
    }
    Err(Error::Throttled(wait))
}

/// The same in the transaction that creates the device grant; returns the counts without it, or the
/// time to wait. Other transactions that create or decide device grants wait until it ends. Expired
/// device grants are marked so also if the request is refused, so that the next one passes.
pub(super) fn count(
    tx: &mut Tx<'_>,
    client_id: &str,
    address: IpAddr,
) -> Result<Result<LiveCounts, Duration>, Error> {
    store::device::lock_live_counts(tx.conn)?;
    let from = (client_id, address);
    let full = match find_room(tx.app(), tx.conn, from)? {
        Ok(live) => return Ok(Ok(live)),
        Err(full) => full,
    };
    let over = store::device::list_over_grants_of(tx.conn, full.origin, tx.now, AT_ONCE)?;
    expire_all(tx, &over)?;
    let room = find_room(tx.app(), tx.conn, from)?;
    Ok(room.map_err(|full| (full.until - tx.now).max(Duration::zero())))
}

/// The counts that a new device grant of this client from this address adds to, or the first limit
/// that it would exceed. The limit of the source comes first, so that a source reaches its own limit
/// before it fills those that it shares.
fn find_room<'a>(
    app: &App,
    conn: &mut Conn,
    (client_id, address): (&'a str, IpAddr),
) -> Result<Result<LiveCounts, Full<'a>>, Error> {
    let settings = &app.config().device;
    let live = store::device::count_live_grants(conn, client_id, address)?;
    let own = GrantOrigin::Source(address);
    let shared = [
        (
            GrantOrigin::Site(address),
            live.site,
            settings.live_codes_per_site,
        ),
        (
            GrantOrigin::Client(client_id),
            live.client,
            settings.live_codes_per_client,
        ),
    ];
    let mut full =
        (live.source >= settings.live_codes_per_source).then_some((own, own, Ending::First));
    for (origin, live_there, limit) in shared {
        if full.is_none() && live_there >= limit {
            full = Some((origin, origin, Ending::First));
        }
        if full.is_none() && live.source > 0 && live_there >= limit - limit / RESERVED {
            // Without device grants of its own the source can use the reserved part.
            full = Some((origin, own, Ending::Last));
        }
    }
    let Some((origin, awaited, ending)) = full else {
        return Ok(Ok(live));
    };
    let end = store::device::find_end(conn, awaited, ending)?;
    Ok(Err(Full {
        origin,
        until: end.unwrap_or_else(|| app.now()),
    }))
}
