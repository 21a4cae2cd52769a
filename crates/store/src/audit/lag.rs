//! The part of the log that is not yet sealed, signed or shipped.

use crate::audit::chain::number;
use crate::schema::{audit_event, audit_record};
use crate::statement::Statement;
use crate::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;

/// The most unsealed records that are counted: their number grows while sealing fails.
const MOST: i64 = 10_000;

/// The number of unsealed records, up to 10,000, and when the oldest of them was created.
pub fn count_unsealed(conn: &mut Conn) -> Result<(u64, Option<Instant>), Error> {
    let ids: Vec<String> = audit_event::table
        .select(audit_event::id)
        .limit(MOST)
        .rows(conn)?;
    let oldest = audit_event::table
        .order(audit_event::id)
        .limit(1)
        .select(audit_event::at)
        .read_one::<NaiveDateTime>(conn)?;
    Ok((ids.len() as u64, oldest))
}

/// When the event of the first record after a sequence happened.
pub fn find_moment_behind(conn: &mut Conn, sequence: u64) -> Result<Option<Instant>, Error> {
    audit_record::table
        .filter(audit_record::sequence.gt(number(sequence)))
        .order(audit_record::sequence)
        .limit(1)
        .select(audit_record::at)
        .read_one::<NaiveDateTime>(conn)
}
