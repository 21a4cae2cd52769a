//! How far the log has been shipped to each sink, and which server ships it.

use super::chain::number;
use crate::schema::audit_shipping;
use crate::statement::Statement;
use crate::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;

/// The end of the shipped part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shipped {
    /// The sequence of the last shipped record.
    pub sequence: u64,
    /// The hash of that record, as text; `None` if unknown.
    pub hash: Option<String>,
}

/// How far a sink has got; `None` if nothing was shipped.
pub fn find_shipped(conn: &mut Conn, sink: &str) -> Result<Option<Shipped>, Error> {
    let found: Option<(i64, Option<String>)> = audit_shipping::table
        .find(sink)
        .select((audit_shipping::sequence, audit_shipping::hash))
        .row(conn)
        .optional()?;
    Ok(found.map(|(sequence, hash)| Shipped {
        sequence: sequence.unsigned_abs(),
        hash,
    }))
}

/// Stores how far a sink has got. This never lowers it.
pub fn replace_shipped(conn: &mut Conn, sink: &str, shipped: &Shipped) -> Result<(), Error> {
    let row = audit_shipping::table.find(sink);
    let values = (
        audit_shipping::sequence.eq(number(shipped.sequence)),
        audit_shipping::hash.eq(shipped.hash.clone()),
    );
    diesel::update(row.filter(audit_shipping::sequence.lt(number(shipped.sequence))))
        .set(values.clone())
        .changes(conn)?;
    if find_shipped(conn, sink)?.is_none() {
        diesel::insert_into(audit_shipping::table)
            .values((audit_shipping::sink.eq(sink), values))
            .changes(conn)?;
    }
    Ok(())
}

/// How far each sink has got.
pub fn list_shipped(conn: &mut Conn) -> Result<Vec<(String, Shipped)>, Error> {
    let rows = audit_shipping::table
        .select((
            audit_shipping::sink,
            audit_shipping::sequence,
            audit_shipping::hash,
        ))
        .rows::<(String, i64, Option<String>)>(conn)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(sink, sequence, hash)| {
            let sequence = sequence.unsigned_abs();
            (sink, Shipped { sequence, hash })
        })
        .collect())
}

/// Resets a sink to a sequence, so that everything after it is shipped again.
pub fn lower_shipped(conn: &mut Conn, sink: &str, sequence: u64) -> Result<(), Error> {
    diesel::update(audit_shipping::table.find(sink))
        .set((
            audit_shipping::sequence.eq(number(sequence)),
            audit_shipping::hash.eq(None::<String>),
        ))
        .run(conn)
}

/// Lets one server ship to a sink until a time; returns how far the sink has got, or `None` if
/// another server has the lease.
pub fn take_lease(
    conn: &mut Conn,
    sink: &str,
    leased_by: &str,
    (now, until): (Instant, Instant),
) -> Result<Option<Shipped>, Error> {
    if find_shipped(conn, sink)?.is_none() {
        replace_shipped(conn, sink, &Shipped::default())?;
    }
    let is_free = audit_shipping::leased_by
        .is_null()
        .or(audit_shipping::leased_by
            .eq(leased_by.to_owned())
            .assume_not_null())
        .or(audit_shipping::leased_until
            .lt(stored(now))
            .assume_not_null());
    let taken = diesel::update(audit_shipping::table.find(sink))
        .filter(is_free)
        .set((
            audit_shipping::leased_by.eq(leased_by),
            audit_shipping::leased_until.eq(stored(until)),
        ))
        .changes(conn)?;
    match taken {
        0 => Ok(None),
        _ => find_shipped(conn, sink),
    }
}

/// Ends the lease of a server.
pub fn give_back_lease(conn: &mut Conn, sink: &str, leased_by: &str) -> Result<(), Error> {
    diesel::update(audit_shipping::table.find(sink))
        .filter(audit_shipping::leased_by.eq(leased_by))
        .set(audit_shipping::leased_by.eq(None::<String>))
        .run(conn)
}
