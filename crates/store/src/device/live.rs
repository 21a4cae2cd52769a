//! Counters of pending device grants by client, source and site, so that a limit counts no rows.
//!
//! A counter includes grants that have expired and are not yet marked so.

use super::{PENDING, Row};
use crate::schema::{client, device_count, device_grant};
use crate::statement::{Fixed, Statement, Written, on_connection};
use crate::{Conn, Error, in_batches, stored};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use domain::Instant;
use domain::device::Grant;
use domain::network;
use std::net::IpAddr;

/// Advisory lock of the counters on PostgreSQL. Transactions that change counters follow each other:
/// each changes several, in any order, and would otherwise run into deadlocks.
const COUNT_LOCK: i64 = 0x646f_6f72_636f_756e;

/// Whose device grants are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantOrigin<'a> {
    /// Those of a client, by its id.
    Client(&'a str),
    /// Those from a source, by an address of it; see [`network::source`].
    Source(IpAddr),
    /// Those from a site, by an address of it; see [`network::site`].
    Site(IpAddr),
}

impl GrantOrigin<'_> {
    /// The key of the counter.
    fn key(self) -> String {
        match self {
            Self::Client(id) => format!("client:{id}"),
            Self::Source(address) => format!("source:{}", network::source(address)),
            Self::Site(address) => format!("site:{}", network::site(address)),
        }
    }
}

fn origins(client_id: &str, address: IpAddr) -> [GrantOrigin<'_>; 3] {
    [
        GrantOrigin::Client(client_id),
        GrantOrigin::Site(address),
        GrantOrigin::Source(address),
    ]
}

fn keys(grant: &Grant) -> [String; 3] {
    origins(&grant.client_id, grant.address).map(GrantOrigin::key)
}

/// The numbers of pending device grants that a new one adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveCounts {
    /// Those of the client.
    pub client: u32,
    /// Those from the site of the address.
    pub site: u32,
    /// Those from the source of the address.
    pub source: u32,
}

/// Counts the pending device grants that have not expired. Reads the grants of one lifetime of a
/// code.
pub fn count_waiting_grants(conn: &mut Conn, now: Instant) -> Result<i64, Error> {
    Ok(device_grant::table
        .filter(device_grant::expires_at.gt(stored(now)))
        .filter(device_grant::state.eq(PENDING))
        .count()
        .row(conn)?)
}

/// Reads three counters.
struct Counts;

impl Written for Counts {
    const TEXT: &'static [&'static str] = &[
        "SELECT key, live FROM device_count WHERE key IN (",
        ", ",
        ", ",
        ")",
    ];
    type Columns = (Text, BigInt);
}

/// Adds one to three counters.
struct OneMore;

impl Written for OneMore {
    const TEXT: &'static [&'static str] = &[
        "INSERT INTO device_count (key, live) VALUES (",
        ", 1), (",
        ", 1), (",
        ", 1) ON CONFLICT (key) DO UPDATE SET live = device_count.live + 1",
    ];
    type Columns = ();
}

/// Counts the pending device grants of a client and of the networks of an address.
pub fn count_live_grants(
    conn: &mut Conn,
    client_id: &str,
    address: IpAddr,
) -> Result<LiveCounts, Error> {
    let keys = origins(client_id, address).map(GrantOrigin::key);
    let [client, site, source] = &keys;
    let counts = Fixed::<Counts, 3>::new([client, site, source]);
    let found: Vec<(String, i64)> = on_connection!(conn, own => counts.get_results(own))?;
    let [client, site, source] = keys.map(|key| {
        let live = found.iter().find(|(found, _)| *found == key);
        live.map_or(0, |(_, live)| u32::try_from(*live).unwrap_or(u32::MAX))
    });
    Ok(LiveCounts {
        client,
        site,
        source,
    })
}

/// Counts the pending device grants of all clients, by the counters of the clients: the grants are
/// not read, so that the cost does not grow with them.
pub fn count_live_of_clients(conn: &mut Conn) -> Result<u64, Error> {
    let ids: Vec<String> = client::table.select(client::id).rows(conn)?;
    let key = |id: &String| GrantOrigin::Client(id).key();
    let keys: Vec<_> = ids.iter().map(key).collect();
    let live: Vec<i64> = in_batches(&keys, |keys| {
        let counters = device_count::table.filter(device_count::key.eq_any(keys));
        Ok(counters.select(device_count::live).rows::<i64>(conn)?)
    })?;
    Ok(live.into_iter().map(i64::unsigned_abs).sum())
}

/// Locks the counters until the end of the transaction.
pub fn lock_live_counts(conn: &mut Conn) -> Result<(), Error> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(COUNT_LOCK)
            .execute(conn)?;
    }
    Ok(())
}

/// Counts a new pending device grant.
pub(super) fn count_pending(conn: &mut Conn, grant: &Grant) -> Result<(), Error> {
    let [client, site, source] = &keys(grant);
    let counted = Fixed::<OneMore, 3>::new([client, site, source]);
    on_connection!(conn, own => counted.execute(own))?;
    Ok(())
}

/// Uncounts a device grant that is no longer pending.
pub(super) fn uncount_pending(conn: &mut Conn, grant: &Grant) -> Result<(), Error> {
    let keys = keys(grant);
    diesel::update(device_count::table.filter(device_count::key.eq_any(&keys)))
        .set(device_count::live.eq(device_count::live - 1))
        .run(conn)?;
    diesel::delete(device_count::table)
        .filter(device_count::key.eq_any(&keys))
        .filter(device_count::live.le(0))
        .run(conn)
}

/// Pending device grants of one origin.
fn pending<'a>(of: GrantOrigin<'_>) -> device_grant::BoxedQuery<'a, <Conn as Connection>::Backend> {
    let pending = device_grant::table
        .filter(device_grant::state.eq(PENDING))
        .into_boxed();
    match of {
        GrantOrigin::Client(id) => pending.filter(device_grant::client_id.eq(id.to_owned())),
        GrantOrigin::Source(address) => {
            pending.filter(device_grant::source.eq(network::source(address).to_string()))
        }
        GrantOrigin::Site(address) => {
            pending.filter(device_grant::site.eq(network::site(address).to_string()))
        }
    }
}

/// Which of several device grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The one that expires first.
    First,
    /// The one that expires last.
    Last,
}

/// When a pending device grant of an origin expires; `None` if there is none.
pub fn find_end(
    conn: &mut Conn,
    of: GrantOrigin<'_>,
    ending: Ending,
) -> Result<Option<Instant>, Error> {
    let pending = pending(of);
    let ordered = match ending {
        Ending::First => pending.order(device_grant::expires_at.asc()),
        Ending::Last => pending.order(device_grant::expires_at.desc()),
    };
    ordered
        .select(device_grant::expires_at)
        .limit(1)
        .read_one::<chrono::NaiveDateTime>(conn)
}

/// Device grants of an origin that have expired by a time and are not marked so, up to a limit.
pub fn list_over_grants_of(
    conn: &mut Conn,
    of: GrantOrigin<'_>,
    now: Instant,
    limit: i64,
) -> Result<Vec<Grant>, Error> {
    pending(of)
        .filter(device_grant::expires_at.le(stored(now)))
        .order(device_grant::expires_at)
        .limit(limit)
        .read_all::<Row>(conn)
}
