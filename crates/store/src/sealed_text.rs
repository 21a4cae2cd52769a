//! Texts that are encrypted under a key of the browser: forms to show again, and secrets to show
//! once.

use super::schema::sealed_text;
use super::statement::{ReadRow, RowId, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::secret::Digest;

/// A sealed text.
#[derive(Debug, Clone)]
pub struct SealedText {
    /// The keyed digest of its name.
    pub id: Digest,
    /// The salt of its key, in hexadecimal.
    pub salt: String,
    /// The encrypted text.
    pub text: String,
    /// When it is deleted.
    pub expires_at: Instant,
    /// Its place among the texts with a limited number; `None` if there is no limit.
    pub slot: Option<Slot>,
}

/// A place for one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The bucket.
    pub bucket: i32,
    /// The number within the bucket.
    pub number: i32,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sealed_text, treat_none_as_default_value = false)]
struct Row {
    id: String,
    salt: String,
    text: String,
    expires_at: NaiveDateTime,
    bucket: Option<i32>,
    slot: Option<i32>,
}

impl ReadRow for Row {
    type Value = SealedText;

    fn read(self) -> Result<SealedText, Error> {
        let row = RowId("sealed_text", &self.id);
        let slot = match (self.bucket, self.slot) {
            (None, None) => None,
            (Some(bucket), Some(number)) => Some(Slot { bucket, number }),
            _ => row.read("slot", None)?,
        };
        Ok(SealedText {
            slot,
            salt: self.salt,
            text: self.text,
            expires_at: self.expires_at.and_utc(),
            id: Digest::from_stored(self.id),
        })
    }
}

/// Inserts a text. Fails with [`Error::Duplicate`] if its id or its slot is taken.
pub fn insert_text(conn: &mut Conn, new: &SealedText) -> Result<(), Error> {
    let row = Row {
        id: new.id.as_str().to_owned(),
        salt: new.salt.clone(),
        text: new.text.clone(),
        expires_at: stored(new.expires_at),
        bucket: new.slot.map(|slot| slot.bucket),
        slot: new.slot.map(|slot| slot.number),
    };
    diesel::insert_into(sealed_text::table)
        .values(row)
        .run(conn)
}

/// The text with this id, unless it has expired.
pub fn find_text(conn: &mut Conn, id: &Digest, now: Instant) -> Result<Option<SealedText>, Error> {
    sealed_text::table
        .find(id.as_str())
        .filter(sealed_text::expires_at.gt(stored(now)))
        .read_one::<Row>(conn)
}

/// Deletes a text; `false` if there is none.
pub fn delete_text(conn: &mut Conn, id: &Digest) -> Result<bool, Error> {
    diesel::delete(sealed_text::table.find(id.as_str())).changes_one(conn)
}

/// The texts in a bucket, the first to expire first.
pub fn list_bucket(conn: &mut Conn, bucket: i32) -> Result<Vec<SealedText>, Error> {
    sealed_text::table
        .filter(sealed_text::bucket.eq(bucket))
        .order((sealed_text::expires_at, sealed_text::slot))
        .read_all::<Row>(conn)
}

/// Deletes the texts that have expired.
pub fn delete_over_texts(conn: &mut Conn, now: Instant) -> Result<usize, Error> {
    Ok(
        diesel::delete(sealed_text::table.filter(sealed_text::expires_at.le(stored(now))))
            .changes(conn)?,
    )
}
