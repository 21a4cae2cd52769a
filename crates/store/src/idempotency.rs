//! Calls that bear an Idempotency-Key: who is at work on them, and their answers.

use super::schema::idempotency_record;
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::secret::Digest;

/// A call that was begun.
#[derive(Debug, Clone)]
pub struct Call {
    /// The keyed digest of the caller and its key.
    pub id: Digest,
    /// The keyed digest of what was asked.
    pub payload: Digest,
    /// Who is at work on it.
    pub lease: String,
    /// Until when nobody else may begin.
    pub leased_until: Instant,
    /// When it was begun.
    pub created_at: Instant,
    /// With what the answer's key is made, in hexadecimal.
    pub salt: String,
    /// The encrypted answer, once there is one.
    pub answer: Option<String>,
}

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency_record, treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct Row {
    id: String,
    payload_digest: String,
    lease: String,
    leased_until: chrono::NaiveDateTime,
    created_at: chrono::NaiveDateTime,
    salt: String,
    answer: Option<String>,
}

impl From<Row> for Call {
    fn from(row: Row) -> Self {
        Self {
            id: Digest::from_stored(row.id),
            payload: Digest::from_stored(row.payload_digest),
            lease: row.lease,
            leased_until: row.leased_until.and_utc(),
            created_at: row.created_at.and_utc(),
            salt: row.salt,
            answer: row.answer,
        }
    }
}

impl From<&Call> for Row {
    fn from(call: &Call) -> Self {
        Self {
            id: call.id.as_str().to_owned(),
            payload_digest: call.payload.as_str().to_owned(),
            lease: call.lease.clone(),
            leased_until: stored(call.leased_until),
            created_at: stored(call.created_at),
            salt: call.salt.clone(),
            answer: call.answer.clone(),
        }
    }
}

/// The call of this id.
pub fn find_call(conn: &mut Conn, id: &Digest) -> Result<Option<Call>, Error> {
    Ok(idempotency_record::table
        .filter(idempotency_record::id.eq(id.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(Call::from))
}

/// Begins a call. Fails with [`Error::Duplicate`] if somebody else has.
pub fn insert_call(conn: &mut Conn, call: &Call) -> Result<(), Error> {
    diesel::insert_into(idempotency_record::table)
        .values(Row::from(call))
        .execute(conn)?;
    Ok(())
}

/// Begins a call anew in the place of one that nobody works on any more, or that was answered
/// so long ago that it is forgotten; `false` if somebody else was first.
pub fn take_over(
    conn: &mut Conn,
    call: &Call,
    lease: &str,
    forgotten: Instant,
) -> Result<bool, Error> {
    let changed = diesel::update(
        idempotency_record::table
            .filter(idempotency_record::id.eq(call.id.as_str()))
            .filter(idempotency_record::lease.eq(lease))
            .filter(
                idempotency_record::answer
                    .is_null()
                    .or(idempotency_record::created_at.le(stored(forgotten))),
            ),
    )
    .set(Row::from(call))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Keeps the answer of a call; `false` if it is no longer for the holder of this lease.
pub fn mark_answered(
    conn: &mut Conn,
    id: &Digest,
    lease: &str,
    answer: &str,
) -> Result<bool, Error> {
    let changed = diesel::update(
        idempotency_record::table
            .filter(idempotency_record::id.eq(id.as_str()))
            .filter(idempotency_record::lease.eq(lease))
            .filter(idempotency_record::answer.is_null()),
    )
    .set(idempotency_record::answer.eq(answer))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Forgets a call that has no answer, so that it can be made again at once.
pub fn delete_unanswered(conn: &mut Conn, id: &Digest, lease: &str) -> Result<(), Error> {
    diesel::delete(
        idempotency_record::table
            .filter(idempotency_record::id.eq(id.as_str()))
            .filter(idempotency_record::lease.eq(lease))
            .filter(idempotency_record::answer.is_null()),
    )
    .execute(conn)?;
    Ok(())
}

/// Forgets calls that were begun before a moment.
pub fn delete_calls(conn: &mut Conn, before: Instant) -> Result<usize, Error> {
    Ok(diesel::delete(
        idempotency_record::table.filter(idempotency_record::created_at.lt(stored(before))),
    )
    .execute(conn)?)
}
