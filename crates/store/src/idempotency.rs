//! Idempotency records: leases of requests in progress, and stored responses.

use super::schema::idempotency_record;
use super::statement::{ReadRow, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
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
    leased_until: NaiveDateTime,
    created_at: NaiveDateTime,
    salt: String,
    answer: Option<String>,
}

impl ReadRow for Row {
    type Value = Call;

    fn read(self) -> Result<Call, Error> {
        Ok(Call {
            id: Digest::from_stored(self.id),
            payload: Digest::from_stored(self.payload_digest),
            lease: self.lease,
            leased_until: self.leased_until.and_utc(),
            created_at: self.created_at.and_utc(),
            salt: self.salt,
            answer: self.answer,
        })
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
    idempotency_record::table
        .find(id.as_str())
        .read_one::<Row>(conn)
}

/// Inserts an idempotency record. Fails with [`Error::Duplicate`] if there is one.
pub fn insert_call(conn: &mut Conn, call: &Call) -> Result<(), Error> {
    diesel::insert_into(idempotency_record::table)
        .values(Row::from(call))
        .run(conn)
}

/// Replaces an idempotency record whose lease is abandoned or whose response has expired; `false`
/// if another request was first.
pub fn take_over(
    conn: &mut Conn,
    call: &Call,
    lease: &str,
    forgotten: Instant,
) -> Result<bool, Error> {
    diesel::update(idempotency_record::table.find(call.id.as_str()))
        .filter(idempotency_record::lease.eq(lease))
        .filter(
            idempotency_record::answer
                .is_null()
                .or(idempotency_record::created_at.le(stored(forgotten))),
        )
        .set(Row::from(call))
        .changes_one(conn)
}

/// Stores the response; `false` if the lease has passed to another request.
pub fn mark_answered(
    conn: &mut Conn,
    id: &Digest,
    lease: &str,
    answer: &str,
) -> Result<bool, Error> {
    diesel::update(idempotency_record::table.find(id.as_str()))
        .filter(idempotency_record::lease.eq(lease))
        .filter(idempotency_record::answer.is_null())
        .set(idempotency_record::answer.eq(answer))
        .changes_one(conn)
}

/// Deletes a record without response, so that the request can be repeated immediately; `false` if
/// the lease has passed to another request.
pub fn delete_unanswered(conn: &mut Conn, id: &Digest, lease: &str) -> Result<bool, Error> {
    diesel::delete(idempotency_record::table.find(id.as_str()))
        .filter(idempotency_record::lease.eq(lease))
        .filter(idempotency_record::answer.is_null())
        .changes_one(conn)
}

/// Deletes the records of requests that began before a time.
pub fn delete_calls(conn: &mut Conn, before: Instant) -> Result<usize, Error> {
    Ok(diesel::delete(
        idempotency_record::table.filter(idempotency_record::created_at.lt(stored(before))),
    )
    .changes(conn)?)
}
