//! Checkpoints of the log.

use super::chain::number;
use crate::schema::audit_checkpoint;
use crate::statement::Statement;
use crate::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;

/// Stores the signed note of a sequence. Fails with [`Error::Duplicate`] if it has one.
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
        .run(conn)
}

/// The notes after a sequence, each with its sequence, in order.
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
        .rows::<(i64, String)>(conn)?;
    Ok(placed(rows))
}

fn placed(rows: Vec<(i64, String)>) -> Vec<(u64, String)> {
    let rows = rows.into_iter();
    rows.map(|(sequence, note)| (sequence.unsigned_abs(), note))
        .collect()
}

/// The notes before a sequence, each with its sequence, the latest first; at most 100.
pub fn list_checkpoints_back(conn: &mut Conn, before: u64) -> Result<Vec<(u64, String)>, Error> {
    let rows = audit_checkpoint::table
        .filter(audit_checkpoint::sequence.lt(number(before)))
        .order(audit_checkpoint::sequence.desc())
        .limit(100)
        .select((audit_checkpoint::sequence, audit_checkpoint::note))
        .rows::<(i64, String)>(conn)?;
    Ok(placed(rows))
}

/// The notes after a sequence that were signed before a time, the latest first: at most 100,
/// which should include a valid one.
pub fn list_checkpoints_before(
    conn: &mut Conn,
    after: u64,
    before: Instant,
) -> Result<Vec<String>, Error> {
    Ok(audit_checkpoint::table
        .filter(audit_checkpoint::sequence.gt(number(after)))
        .filter(audit_checkpoint::at.lt(stored(before)))
        .order(audit_checkpoint::sequence.desc())
        .limit(100)
        .select(audit_checkpoint::note)
        .rows(conn)?)
}

/// Deletes the note of a sequence.
pub fn delete_checkpoint(conn: &mut Conn, sequence: u64) -> Result<(), Error> {
    let note = audit_checkpoint::table.find(number(sequence));
    diesel::delete(note).run(conn)
}

/// The note of the highest sequence.
pub fn find_last_checkpoint(conn: &mut Conn) -> Result<Option<String>, Error> {
    Ok(audit_checkpoint::table
        .order(audit_checkpoint::sequence.desc())
        .limit(1)
        .select(audit_checkpoint::note)
        .rows(conn)?
        .pop())
}
