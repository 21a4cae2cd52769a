//! Idempotency records: leases of requests in progress, and stored responses.

use super::schema::idempotency_record;
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::secret::Digest;

/// An idempotency record.
#[derive(Debug, Clone)]
pub struct Call {
    /// The keyed digest of the caller and its key.
    pub id: Digest,
    /// The keyed digest of the request.
    pub payload: Digest,
    /// The id of the current lease.
    pub lease: String,
    /// The end of the lease.
    pub leased_until: Instant,
    /// When the request began.
    pub created_at: Instant,
    /// The salt of the key that encrypts the response, in hexadecimal.
    pub salt: String,
    /// The encrypted response, once there is one.
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

/// The idempotency record with this id.
pub fn find_call(conn: &mut Conn, id: &Digest) -> Result<Option<Call>, Error> {
    Ok(idempotency_record::table
        .filter(idempotency_record::id.eq(id.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(Call::from))
}

/// Inserts an idempotency record. Fails with [`Error::Duplicate`] if there is one.
pub fn insert_call(conn: &mut Conn, call: &Call) -> Result<(), Error> {
    diesel::insert_into(idempotency_record::table)
        .values(Row::from(call))
        .execute(conn)?;
    Ok(())
}

/// Replaces an idempotency record whose lease is abandoned or whose response has expired; `false`
/// if another request was first.
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

/// Stores the response; `false` if the lease has passed to another request.
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

/// Deletes a record without response, so that the request can be repeated immediately.
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

/// Deletes the records of requests that began before a time.
pub fn delete_calls(conn: &mut Conn, before: Instant) -> Result<usize, Error> {
    Ok(diesel::delete(
        idempotency_record::table.filter(idempotency_record::created_at.lt(stored(before))),
    )
    .execute(conn)?)
}
