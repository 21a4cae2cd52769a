//! What was signed of the log, and how far it was handed out.

use super::chain::number;
use crate::domain::Instant;
use crate::store::schema::{audit_checkpoint, audit_shipping};
use crate::store::{Conn, Error, stored};
use diesel::prelude::*;

/// Keeps a signed note about the log up to a place. Fails with [`Error::Duplicate`] if there
/// is one of that place.
pub fn insert_checkpoint(
    conn: &mut Conn,
    sequence: u64,
    at: Instant,
    note: &str,
) -> Result<(), Error> {
    diesel::insert_into(audit_checkpoint::table)
        .values((
            audit_checkpoint::sequence.eq(number(sequence)),
            audit_checkpoint::at.eq(stored(at)),
            audit_checkpoint::note.eq(note),
        ))
        .execute(conn)?;
    Ok(())
}

/// The notes behind a place, each with its own, in their order.
pub fn list_checkpoints(
    conn: &mut Conn,
    after: u64,
    limit: i64,
) -> Result<Vec<(u64, String)>, Error> {
    let rows = audit_checkpoint::table
        .filter(audit_checkpoint::sequence.gt(number(after)))
        .order(audit_checkpoint::sequence)
        .limit(limit)
        .select((audit_checkpoint::sequence, audit_checkpoint::note))
        .get_results::<(i64, String)>(conn)?;
    Ok(rows
        .into_iter()
        .map(|(sequence, note)| (sequence.unsigned_abs(), note))
        .collect())
}

/// Forgets the note about a place.
pub fn delete_checkpoint(conn: &mut Conn, sequence: u64) -> Result<(), Error> {
    let note = audit_checkpoint::table.filter(audit_checkpoint::sequence.eq(number(sequence)));
    diesel::delete(note).execute(conn)?;
    Ok(())
}

/// The note of the last place.
pub fn find_last_checkpoint(conn: &mut Conn) -> Result<Option<String>, Error> {
    Ok(audit_checkpoint::table
        .order(audit_checkpoint::sequence.desc())
        .limit(1)
        .select(audit_checkpoint::note)
        .get_results(conn)?
        .pop())
}

/// Up to which place everything of a kind was handed out.
pub fn find_shipped(conn: &mut Conn, place: &str) -> Result<Option<u64>, Error> {
    let shipped: Option<i64> = audit_shipping::table
        .filter(audit_shipping::place.eq(place))
        .select(audit_shipping::sequence)
        .get_result(conn)
        .optional()?;
    Ok(shipped.map(i64::unsigned_abs))
}

/// Remembers up to which place everything of a kind was handed out.
pub fn replace_shipped(conn: &mut Conn, place: &str, sequence: u64) -> Result<(), Error> {
    let changed = diesel::update(audit_shipping::table.filter(audit_shipping::place.eq(place)))
        .set(audit_shipping::sequence.eq(number(sequence)))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(audit_shipping::table)
            .values((
                audit_shipping::place.eq(place),
                audit_shipping::sequence.eq(number(sequence)),
            ))
            .execute(conn)?;
    }
    Ok(())
}
