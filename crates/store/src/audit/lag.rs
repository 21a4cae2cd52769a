//! What of the log waits for the next thing that is to be done with it.

use crate::audit::chain::number;
use crate::schema::{audit_event, audit_record};
use crate::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;

/// How many records have no place in the chain yet, and when the oldest of them was made.
pub fn count_unsealed(conn: &mut Conn) -> Result<(u64, Option<Instant>), Error> {
    let count: i64 = audit_event::table.count().get_result(conn)?;
    let oldest = audit_event::table
        .order(audit_event::id)
        .limit(1)
        .select(audit_event::at)
        .get_results::<NaiveDateTime>(conn)?;
    let oldest = oldest.first().map(NaiveDateTime::and_utc);
    Ok((count.unsigned_abs(), oldest))
}

/// When what the first record behind a place tells of happened.
pub fn find_moment_behind(conn: &mut Conn, sequence: u64) -> Result<Option<Instant>, Error> {
    let next = audit_record::table
        .filter(audit_record::sequence.gt(number(sequence)))
        .order(audit_record::sequence)
        .limit(1)
        .select(audit_record::at)
        .get_results::<NaiveDateTime>(conn)?;
    Ok(next.first().map(NaiveDateTime::and_utc))
}
