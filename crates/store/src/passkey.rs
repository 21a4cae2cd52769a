//! Passkeys of users.

use super::schema::passkey;
use super::statement::{ReadRow, RowId, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::factor::Passkey;
use domain::id::{PasskeyId, UserId};

#[derive(Queryable, Insertable)]
#[diesel(table_name = passkey, treat_none_as_default_value = false)]
struct Row {
    id: String,
    credential: String,
    user_id: String,
    name: String,
    public_key: String,
    counter: i64,
    created_at: NaiveDateTime,
    last_used_at: Option<NaiveDateTime>,
}

impl ReadRow for Row {
    type Value = Passkey;

    fn read(self) -> Result<Passkey, Error> {
        let row = RowId("passkey", &self.id);
        Ok(Passkey {
            id: row.read("id", PasskeyId::parse(&self.id))?,
            user_id: row.read("user_id", UserId::parse(&self.user_id))?,
            counter: row.read("counter", u32::try_from(self.counter).ok())?,
            credential: self.credential,
            name: self.name,
            public_key: self.public_key,
            created_at: self.created_at.and_utc(),
            last_used_at: self.last_used_at.map(|at| at.and_utc()),
        })
    }
}

/// Stores a passkey. [`Error::Duplicate`] if the credential is known.
pub fn insert_passkey(conn: &mut Conn, new: &Passkey) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        credential: new.credential.clone(),
        user_id: new.user_id.to_string(),
        name: new.name.clone(),
        public_key: new.public_key.clone(),
        counter: new.counter.into(),
        created_at: stored(new.created_at),
        last_used_at: new.last_used_at.map(stored),
    };
    diesel::insert_into(passkey::table).values(row).run(conn)
}

/// The passkey with this credential.
pub fn find_passkey(conn: &mut Conn, credential: &str) -> Result<Option<Passkey>, Error> {
    passkey::table
        .filter(passkey::credential.eq(credential))
        .read_one::<Row>(conn)
}

/// The passkeys of a user, the oldest first.
pub fn list_passkeys(conn: &mut Conn, user_id: &UserId) -> Result<Vec<Passkey>, Error> {
    passkey::table
        .filter(passkey::user_id.eq(user_id.as_str()))
        .order((passkey::created_at, passkey::id))
        .read_all::<Row>(conn)
}

/// Stores the use of a passkey with the number of its signature, if the stored number is still the
/// one that was read; `false` otherwise.
pub fn update_counter(
    conn: &mut Conn,
    used: &Passkey,
    counter: u32,
    now: Instant,
) -> Result<bool, Error> {
    diesel::update(passkey::table.find(used.id.as_str()))
        .filter(passkey::counter.eq(i64::from(used.counter)))
        .set((
            passkey::counter.eq(i64::from(counter)),
            passkey::last_used_at.eq(stored(now)),
        ))
        .changes_one(conn)
}

/// Renames a passkey of a user; `false` if there is none with this id.
pub fn update_name(
    conn: &mut Conn,
    user_id: &UserId,
    id: &PasskeyId,
    name: &str,
) -> Result<bool, Error> {
    diesel::update(passkey::table.find(id.as_str()))
        .filter(passkey::user_id.eq(user_id.as_str()))
        .set(passkey::name.eq(name))
        .changes_one(conn)
}

/// Removes a passkey of a user; `false` if there is none with this id.
pub fn delete_passkey(conn: &mut Conn, user_id: &UserId, id: &PasskeyId) -> Result<bool, Error> {
    diesel::delete(passkey::table.find(id.as_str()))
        .filter(passkey::user_id.eq(user_id.as_str()))
        .changes_one(conn)
}
