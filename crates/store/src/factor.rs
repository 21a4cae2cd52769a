//! Second factors of users: authenticator apps and recovery codes. Passkeys are in [`super::passkey`].

use super::schema::{authenticator, passkey, recovery_code};
use super::statement::{ReadRow, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::factor::Authenticator;
use domain::id::UserId;
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = authenticator, treat_none_as_default_value = false)]
struct Row {
    user_id: String,
    salt: String,
    secret: String,
    created_at: NaiveDateTime,
    last_used_at: Option<NaiveDateTime>,
    last_step: i64,
}

impl ReadRow for Row {
    type Value = Authenticator;

    fn read(self) -> Result<Authenticator, Error> {
        Ok(Authenticator {
            salt: self.salt,
            secret: self.secret,
            created_at: self.created_at.and_utc(),
            last_used_at: self.last_used_at.map(|at| at.and_utc()),
            last_step: self.last_step,
        })
    }
}

/// Stores the authenticator app of a user. [`Error::Duplicate`] if the user has one.
pub fn insert_authenticator(
    conn: &mut Conn,
    user_id: &UserId,
    new: &Authenticator,
) -> Result<(), Error> {
    let row = Row {
        user_id: user_id.to_string(),
        salt: new.salt.clone(),
        secret: new.secret.clone(),
        created_at: stored(new.created_at),
        last_used_at: new.last_used_at.map(stored),
        last_step: new.last_step,
    };
    diesel::insert_into(authenticator::table)
        .values(row)
        .run(conn)
}

/// The authenticator app of a user.
pub fn find_authenticator(
    conn: &mut Conn,
    user_id: &UserId,
) -> Result<Option<Authenticator>, Error> {
    authenticator::table
        .find(user_id.as_str())
        .read_one::<Row>(conn)
}

/// Uses the value of a time step; `false` if it or a later one was used.
pub fn use_step(conn: &mut Conn, user_id: &UserId, step: i64, now: Instant) -> Result<bool, Error> {
    diesel::update(authenticator::table.find(user_id.as_str()))
        .filter(authenticator::last_step.lt(step))
        .set((
            authenticator::last_step.eq(step),
            authenticator::last_used_at.eq(stored(now)),
        ))
        .changes_one(conn)
}

/// Removes the authenticator app of a user; `false` if there is none.
pub fn delete_authenticator(conn: &mut Conn, user_id: &UserId) -> Result<bool, Error> {
    diesel::delete(authenticator::table.find(user_id.as_str())).changes_one(conn)
}

/// Replaces the recovery codes of a user.
pub fn replace_recovery_codes(
    conn: &mut Conn,
    user_id: &UserId,
    codes: &[Digest],
) -> Result<(), Error> {
    delete_recovery_codes(conn, user_id)?;
    for code in codes {
        diesel::insert_into(recovery_code::table)
            .values((
                recovery_code::user_id.eq(user_id.as_str()),
                recovery_code::code_digest.eq(code.as_str()),
            ))
            .run(conn)?;
    }
    Ok(())
}

/// Uses a recovery code, once; `false` if the user has no such code.
pub fn use_recovery_code(conn: &mut Conn, user_id: &UserId, code: &Digest) -> Result<bool, Error> {
    diesel::delete(recovery_code::table.find((user_id.as_str(), code.as_str()))).changes_one(conn)
}

/// The number of recovery codes that a user has left.
pub fn count_recovery_codes(conn: &mut Conn, user_id: &UserId) -> Result<usize, Error> {
    let left: i64 = recovery_code::table
        .filter(recovery_code::user_id.eq(user_id.as_str()))
        .count()
        .row(conn)?;
    Ok(usize::try_from(left).unwrap_or_default())
}

fn delete_recovery_codes(conn: &mut Conn, user_id: &UserId) -> Result<(), Error> {
    diesel::delete(recovery_code::table.filter(recovery_code::user_id.eq(user_id.as_str())))
        .run(conn)
}

/// Whether a sign-in of the user needs a second factor.
pub fn is_any(conn: &mut Conn, user_id: &UserId) -> Result<bool, Error> {
    let app = authenticator::table.find(user_id.as_str());
    let passkeys = passkey::table.filter(passkey::user_id.eq(user_id.as_str()));
    let is_any = diesel::dsl::exists(app).or(diesel::dsl::exists(passkeys));
    Ok(diesel::select(is_any).row(conn)?)
}

/// Removes all second factors of a user, with the recovery codes.
pub fn delete_all(conn: &mut Conn, user_id: &UserId) -> Result<(), Error> {
    delete_recovery_codes(conn, user_id)?;
    delete_authenticator(conn, user_id)?;
    diesel::delete(passkey::table.filter(passkey::user_id.eq(user_id.as_str()))).run(conn)
}
