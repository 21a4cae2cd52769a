//! How far the log was handed out, and by which server.

use super::chain::number;
use crate::domain::Instant;
use crate::store::schema::audit_shipping;
use crate::store::{Conn, Error, stored};
use diesel::prelude::*;

/// Up to which place everything of a kind was handed out.
pub fn find_shipped(conn: &mut Conn, place: &str) -> Result<Option<u64>, Error> {
    let shipped: Option<i64> = audit_shipping::table
        .filter(audit_shipping::place.eq(place))
        .select(audit_shipping::sequence)
        .get_result(conn)
        .optional()?;
    Ok(shipped.map(i64::unsigned_abs))
}

/// Remembers up to which place everything of a kind was handed out. It never goes back.
pub fn replace_shipped(conn: &mut Conn, place: &str, sequence: u64) -> Result<(), Error> {
    let row = audit_shipping::table.filter(audit_shipping::place.eq(place));
    diesel::update(row.filter(audit_shipping::sequence.lt(number(sequence))))
        .set(audit_shipping::sequence.eq(number(sequence)))
        .execute(conn)?;
    if find_shipped(conn, place)?.is_none() {
        diesel::insert_into(audit_shipping::table)
            .values((
                audit_shipping::place.eq(place),
                audit_shipping::sequence.eq(number(sequence)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Lets this holder alone hand out until a moment; tells up to which place everything was
/// handed out, or `None` if another holds it now.
pub fn take_lease(
    conn: &mut Conn,
    place: &str,
    holder: &str,
    now: Instant,
    until: Instant,
) -> Result<Option<u64>, Error> {
    if find_shipped(conn, place)?.is_none() {
        replace_shipped(conn, place, 0)?;
    }
    let is_free = audit_shipping::holder
        .is_null()
        .or(audit_shipping::holder
            .eq(holder.to_owned())
            .assume_not_null())
        .or(audit_shipping::leased_until
            .lt(stored(now))
            .assume_not_null());
    let taken = diesel::update(
        audit_shipping::table
            .filter(audit_shipping::place.eq(place))
            .filter(is_free),
    )
    .set((
        audit_shipping::holder.eq(holder),
        audit_shipping::leased_until.eq(stored(until)),
    ))
    .execute(conn)?;
    match taken {
        0 => Ok(None),
        _ => find_shipped(conn, place),
    }
}

/// Lets others hand out.
pub fn give_back_lease(conn: &mut Conn, place: &str, holder: &str) -> Result<(), Error> {
    diesel::update(
        audit_shipping::table
            .filter(audit_shipping::place.eq(place))
            .filter(audit_shipping::holder.eq(holder)),
    )
    .set(audit_shipping::holder.eq(None::<String>))
    .execute(conn)?;
    Ok(())
}
