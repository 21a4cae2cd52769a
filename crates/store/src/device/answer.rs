//! Answers with tokens that were not used yet. A device that lost its answer gets it again.

use crate::statement::{ReadRow, RowId, Statement};
use crate::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::TokenId;

diesel::table! {
    device_answer (token_id) {
        token_id -> Text,
        salt -> Nullable<Text>,
        answer -> Nullable<Text>,
        kept_until -> Timestamp,
        revoked_from -> Nullable<Timestamp>,
        repeated_at -> Nullable<Timestamp>,
        expires_at -> Timestamp,
    }
}

/// An answer whose token was not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAnswer {
    /// The token.
    pub token_id: TokenId,
    /// The encrypted token; `None` after [`Self::kept_until`].
    pub sealed: Option<SealedAnswer>,
    /// Until when the device may get it again.
    pub kept_until: Instant,
    /// When the token is revoked if it is still not used. Set once the device code is sent again.
    pub revoked_from: Option<Instant>,
    /// When the device code is forgotten.
    pub expires_at: Instant,
}

/// An encrypted token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAnswer {
    /// The salt of its key, in hexadecimal.
    pub salt: String,
    /// The encrypted text.
    pub text: String,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = device_answer, treat_none_as_default_value = false)]
struct Row {
    token_id: String,
    salt: Option<String>,
    answer: Option<String>,
    kept_until: NaiveDateTime,
    revoked_from: Option<NaiveDateTime>,
    repeated_at: Option<NaiveDateTime>,
    expires_at: NaiveDateTime,
}

impl ReadRow for Row {
    type Value = DeviceAnswer;

    fn read(self) -> Result<DeviceAnswer, Error> {
        let row = RowId("device_answer", &self.token_id);
        Ok(DeviceAnswer {
            token_id: row.read("token_id", TokenId::parse(&self.token_id))?,
            sealed: match (self.salt, self.answer) {
                (Some(salt), Some(text)) => Some(SealedAnswer { salt, text }),
                _ => None,
            },
            kept_until: self.kept_until.and_utc(),
            revoked_from: self.revoked_from.map(|at| at.and_utc()),
            expires_at: self.expires_at.and_utc(),
        })
    }
}

/// Inserts an answer.
pub fn insert_answer(conn: &mut Conn, new: &DeviceAnswer) -> Result<(), Error> {
    let sealed = new.sealed.as_ref();
    let row = Row {
        token_id: new.token_id.to_string(),
        salt: sealed.map(|sealed| sealed.salt.clone()),
        answer: sealed.map(|sealed| sealed.text.clone()),
        kept_until: stored(new.kept_until),
        revoked_from: new.revoked_from.map(stored),
        repeated_at: None,
        expires_at: stored(new.expires_at),
    };
    diesel::insert_into(device_answer::table)
        .values(row)
        .run(conn)
}

/// The answer with this token; `None` once the token was used.
pub fn find_answer(conn: &mut Conn, token_id: &TokenId) -> Result<Option<DeviceAnswer>, Error> {
    device_answer::table
        .find(token_id.as_str())
        .read_one::<Row>(conn)
}

/// Sets when a token is revoked; `false` if it was used meanwhile.
pub fn mark_repeated(
    conn: &mut Conn,
    token_id: &TokenId,
    revoked_from: Instant,
) -> Result<bool, Error> {
    diesel::update(device_answer::table.find(token_id.as_str()))
        .set(device_answer::revoked_from.eq(stored(revoked_from)))
        .changes_one(conn)
}

/// Notes that a device got its token again; `false` if that was noted before.
pub fn mark_given_again(conn: &mut Conn, token_id: &TokenId, now: Instant) -> Result<bool, Error> {
    diesel::update(device_answer::table.find(token_id.as_str()))
        .filter(device_answer::repeated_at.is_null())
        .set(device_answer::repeated_at.eq(stored(now)))
        .changes_one(conn)
}

/// Deletes an answer; `false` if there is none.
pub fn delete_answer(conn: &mut Conn, token_id: &TokenId) -> Result<bool, Error> {
    diesel::delete(device_answer::table.find(token_id.as_str())).changes_one(conn)
}

/// Whether [`clear_answers`] or [`list_unused`] has work.
pub fn is_any_answer_over(conn: &mut Conn, now: Instant) -> Result<bool, Error> {
    let now = stored(now);
    let is_kept = device_answer::answer.is_not_null();
    let found = device_answer::table
        .filter(is_kept.and(device_answer::kept_until.le(now)))
        .or_filter(device_answer::revoked_from.le(now))
        .select(device_answer::token_id)
        .limit(1)
        .row::<String>(conn);
    Ok(found.optional()?.is_some())
}

/// Deletes the encrypted tokens whose time is over.
pub fn clear_answers(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::update(device_answer::table)
        .filter(device_answer::answer.is_not_null())
        .filter(device_answer::kept_until.le(stored(now)))
        .set((
            device_answer::salt.eq(None::<String>),
            device_answer::answer.eq(None::<String>),
        ))
        .run(conn)
}

/// The tokens that are due to be revoked, up to a limit.
pub fn list_unused(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<TokenId>, Error> {
    let answers = device_answer::table
        .filter(device_answer::revoked_from.le(stored(now)))
        .order(device_answer::token_id)
        .limit(limit)
        .read_all::<Row>(conn)?;
    Ok(answers.into_iter().map(|answer| answer.token_id).collect())
}

/// Deletes the answers whose device codes are forgotten, unless their tokens are due to be revoked.
pub fn delete_over_answers(conn: &mut Conn, now: Instant) -> Result<usize, Error> {
    let over = device_answer::table
        .filter(device_answer::expires_at.le(stored(now)))
        .filter(device_answer::revoked_from.is_null());
    Ok(diesel::delete(over).changes(conn)?)
}
