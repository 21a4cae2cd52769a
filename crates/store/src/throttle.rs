//! Counts of rate limits. They are stored, so that several servers share them and a restart keeps
//! them.

use super::schema::throttle;
use super::statement::Statement;
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::throttle::Count;

/// The count of a key.
pub fn find_count(conn: &mut Conn, key: &str) -> Result<Option<Count>, Error> {
    Ok(throttle::table
        .find(key)
        .select((throttle::attempts, throttle::since))
        .get_result::<(i32, NaiveDateTime)>(conn)
        .optional()?
        .map(|(attempts, since)| Count {
            attempts: u32::try_from(attempts).unwrap_or(0),
            since: since.and_utc(),
        }))
}

/// Stores a count if it is unchanged since `old` was read; `false` otherwise.
pub fn swap_count(
    conn: &mut Conn,
    key: &str,
    old: Option<Count>,
    new: Count,
) -> Result<bool, Error> {
    match old {
        None => diesel::sql_query(
            "INSERT INTO throttle (key, attempts, since) VALUES ($1, $2, $3) \
             ON CONFLICT (key) DO NOTHING",
        )
        .bind::<diesel::sql_types::Text, _>(key)
        .bind::<diesel::sql_types::Integer, _>(attempts(new))
        .bind::<diesel::sql_types::Timestamp, _>(stored(new.since))
        .changes_one(conn),
        Some(old) => diesel::update(throttle::table.find(key))
            .filter(throttle::attempts.eq(attempts(old)))
            .filter(throttle::since.eq(stored(old.since)))
            .set((
                throttle::attempts.eq(attempts(new)),
                throttle::since.eq(stored(new.since)),
            ))
            .changes_one(conn),
    }
}

fn attempts(count: Count) -> i32 {
    i32::try_from(count.attempts).unwrap_or(i32::MAX)
}

/// Takes back one attempt.
pub fn decrement(conn: &mut Conn, key: &str) -> Result<(), Error> {
    diesel::update(throttle::table.find(key))
        .filter(throttle::attempts.gt(0))
        .set(throttle::attempts.eq(throttle::attempts - 1))
        .run(conn)
}

/// Deletes the count of a key.
pub fn delete_count(conn: &mut Conn, key: &str) -> Result<(), Error> {
    diesel::delete(throttle::table.find(key)).run(conn)
}

/// Deletes counts that began before a time.
pub fn delete_counts(conn: &mut Conn, before: Instant) -> Result<usize, Error> {
    Ok(diesel::delete(throttle::table.filter(throttle::since.lt(stored(before)))).changes(conn)?)
}
