//! Counts of rate limits. They are stored, so that several servers share them and a restart keeps
//! them.

use super::cache::Lookup;
use super::schema::throttle;
use super::statement::{Statement, on_connection};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::throttle::Count;

/// The key of a count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The row.
    pub row: String,
    /// Whose count is in the row. A count with another tag replaces it, so a limited number of rows
    /// holds the latest counts of an unlimited number of tags. Empty for a row of its own.
    pub tag: String,
}

impl From<String> for Key {
    fn from(row: String) -> Self {
        Self {
            row,
            tag: String::new(),
        }
    }
}

/// The count of a key.
pub fn find_count(conn: &mut Conn, key: &Key) -> Result<Option<Count>, Error> {
    let query = throttle::table
        .find(&key.row)
        .filter(throttle::tag.eq(&key.tag))
        .select((throttle::attempts, throttle::since));
    let row = on_connection!(conn, own => query.get_result::<(i32, NaiveDateTime)>(own));
    Ok(row.optional()?.map(|(attempts, since)| Count {
        attempts: u32::try_from(attempts).unwrap_or(0),
        since: since.and_utc(),
    }))
}

impl Lookup for Count {
    type Key = Key;

    const MOST: usize = 1_000;

    fn find(conn: &mut Conn, key: &Key) -> Result<Option<Self>, Error> {
        find_count(conn, key)
    }
}

/// A change of a count.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The count that was read.
    pub old: Option<Count>,
    /// The count to store.
    pub new: Count,
    /// The time from which the new count can be deleted.
    pub expires_at: Instant,
}

/// Stores a count if it is unchanged since the old one was read; `false` otherwise.
pub fn swap_count(conn: &mut Conn, key: &Key, change: Change) -> Result<bool, Error> {
    let Change {
        old,
        new,
        expires_at,
    } = change;
    match old {
        None => diesel::sql_query(
            "INSERT INTO throttle (key, tag, attempts, since, expires_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO UPDATE SET \
             tag = excluded.tag, attempts = excluded.attempts, since = excluded.since, \
             expires_at = excluded.expires_at WHERE throttle.tag <> excluded.tag",
        )
        .bind::<diesel::sql_types::Text, _>(&key.row)
        .bind::<diesel::sql_types::Text, _>(&key.tag)
        .bind::<diesel::sql_types::Integer, _>(attempts(new))
        .bind::<diesel::sql_types::Timestamp, _>(stored(new.since))
        .bind::<diesel::sql_types::Timestamp, _>(stored(expires_at))
        .changes_one(conn),
        Some(old) => diesel::update(throttle::table.find(&key.row))
            .filter(throttle::tag.eq(&key.tag))
            .filter(throttle::attempts.eq(attempts(old)))
            .filter(throttle::since.eq(stored(old.since)))
            .set((
                throttle::attempts.eq(attempts(new)),
                throttle::since.eq(stored(new.since)),
                throttle::expires_at.eq(stored(expires_at)),
            ))
            .changes_one(conn),
    }
}

fn attempts(count: Count) -> i32 {
    i32::try_from(count.attempts).unwrap_or(i32::MAX)
}

/// Takes back one attempt.
pub fn decrement(conn: &mut Conn, key: &Key) -> Result<(), Error> {
    diesel::update(throttle::table.find(&key.row))
        .filter(throttle::tag.eq(&key.tag))
        .filter(throttle::attempts.gt(0))
        .set(throttle::attempts.eq(throttle::attempts - 1))
        .run(conn)
}

/// Deletes the count of a key.
pub fn delete_count(conn: &mut Conn, key: &Key) -> Result<(), Error> {
    diesel::delete(
        throttle::table
            .find(&key.row)
            .filter(throttle::tag.eq(&key.tag)),
    )
    .run(conn)
}

/// Deletes counts that no longer have an effect.
pub fn delete_expired_counts(conn: &mut Conn, now: Instant) -> Result<usize, Error> {
    Ok(
        diesel::delete(throttle::table.filter(throttle::expires_at.le(stored(now))))
            .changes(conn)?,
    )
}
