//! Users, and the setup links for the first user.

use super::schema::{setup_link, users};
use super::statement::{ReadRow, RowId, Statement, lock_row, on_connection, one_page};
use super::{Conn, Error, in_batches, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::UserId;
use domain::page::Page;
use domain::secret::Digest;
use domain::user::{Standing, User};
use std::collections::BTreeMap;

#[derive(Queryable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(super) struct Row {
    id: String,
    email: String,
    name: String,
    password_hash: String,
    state: String,
    created_at: NaiveDateTime,
    needs_organization: bool,
    email_verified_at: Option<NaiveDateTime>,
    password_expired_at: Option<NaiveDateTime>,
    is_operator: bool,
}

fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Deactivated => "deactivated",
    }
}

impl ReadRow for Row {
    type Value = User;

    fn read(self) -> Result<User, Error> {
        let row = RowId("users", &self.id);
        let standing = [Standing::Active, Standing::Deactivated]
            .into_iter()
            .find(|standing| standing_text(*standing) == self.state);
        Ok(User {
            standing: row.read("state", standing)?,
            id: row.read("id", UserId::parse(&self.id))?,
            email: self.email,
            name: self.name,
            password_hash: self.password_hash,
            created_at: self.created_at.and_utc(),
            needs_organization: self.needs_organization,
            email_verified_at: self.email_verified_at.map(|at| at.and_utc()),
            must_change_password: self.password_expired_at.is_some(),
            is_operator: self.is_operator,
        })
    }
}

/// The names of users, by their ids. Other ids have none.
pub fn list_names(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, String>, Error> {
    in_batches(ids, |batch| {
        Ok(users::table
            .filter(users::id.eq_any(batch))
            .select((users::id, users::name))
            .rows::<(String, String)>(conn)?)
    })
}

/// Inserts a user. [`Error::Duplicate`] if the email address is taken.
pub fn insert_user(conn: &mut Conn, new: &User) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        email: new.email.clone(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        state: standing_text(new.standing).to_owned(),
        created_at: stored(new.created_at),
        needs_organization: new.needs_organization,
        email_verified_at: new.email_verified_at.map(stored),
        password_expired_at: new.must_change_password.then(|| stored(new.created_at)),
        is_operator: new.is_operator,
    };
    diesel::insert_into(users::table).values(row).run(conn)
}

/// The user with this id.
pub fn find_user(conn: &mut Conn, id: &UserId) -> Result<Option<User>, Error> {
    let query = users::table.find(id.as_str());
    let row = on_connection!(conn, own => query.get_result::<Row>(own));
    row.optional()?.map(ReadRow::read).transpose()
}

/// The user with this email address, in its normal form.
pub fn find_user_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>, Error> {
    users::table
        .filter(users::email.eq(email))
        .read_one::<Row>(conn)
}

/// Locks the user against deactivation until the transaction ends. On SQLite the single writer is
/// the lock.
pub fn lock_user_shared(conn: &mut Conn, id: &UserId) -> Result<Option<User>, Error> {
    let Conn::Postgres(postgres) = conn else {
        return find_user(conn, id);
    };
    let user = users::table.find(id.as_str()).for_share();
    let row = user.get_result::<Row>(postgres).optional()?;
    row.map(Row::read).transpose()
}

/// Locks a user against [`lock_user_shared`] too until the transaction ends: for changes on which
/// the user's tokens depend.
pub fn lock_user_exclusive(conn: &mut Conn, id: &UserId) -> Result<(), Error> {
    lock_row!(conn, users, id);
    Ok(())
}

/// Users, the oldest first: one page plus one row if more follow.
pub fn list_users(conn: &mut Conn, page: &Page) -> Result<Vec<User>, Error> {
    let query = users::table.into_boxed();
    one_page!(query, page, oldest(users, id)).read_all::<Row>(conn)
}

/// Whether any user was ever created.
pub fn is_any_user(conn: &mut Conn) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).row(conn)?)
}

/// Renames a user.
pub fn update_name(conn: &mut Conn, id: &UserId, name: &str) -> Result<(), Error> {
    diesel::update(users::table.find(id.as_str()))
        .set(users::name.eq(name))
        .run(conn)
}

/// Marks the email address of a user as verified; `false` if it is verified already, or is not the
/// user's address any more.
pub fn mark_email_verified(
    conn: &mut Conn,
    id: &UserId,
    email: &str,
    now: Instant,
) -> Result<bool, Error> {
    diesel::update(users::table.find(id.as_str()))
        .filter(users::email.eq(email))
        .filter(users::email_verified_at.is_null())
        .set(users::email_verified_at.eq(stored(now)))
        .changes_one(conn)
}

/// Replaces the hash of a password with a stronger one, if it is still the verified one.
pub fn update_password_hash(
    conn: &mut Conn,
    id: &UserId,
    old: &str,
    new: &str,
) -> Result<bool, Error> {
    diesel::update(users::table.find(id.as_str()))
        .filter(users::password_hash.eq(old))
        .set(users::password_hash.eq(new))
        .changes_one(conn)
}

/// Sets a new password. With `expired_at` the user must change it at the next sign-in.
pub fn set_password(
    conn: &mut Conn,
    id: &UserId,
    hash: &str,
    expired_at: Option<Instant>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id.as_str()))
        .set((
            users::password_hash.eq(hash),
            users::password_expired_at.eq(expired_at.map(stored)),
        ))
        .run(conn)
}

/// Stores the name, the email address, whether it is verified, and whether the user is an operator.
/// [`Error::Duplicate`] if another user has the address.
pub fn update_profile(conn: &mut Conn, user: &User) -> Result<(), Error> {
    diesel::update(users::table.find(user.id.as_str()))
        .set((
            users::name.eq(&user.name),
            users::email.eq(&user.email),
            users::email_verified_at.eq(user.email_verified_at.map(stored)),
            users::is_operator.eq(user.is_operator),
        ))
        .run(conn)
}

/// Reactivates a user; `false` if already active.
pub fn mark_active(conn: &mut Conn, id: &UserId) -> Result<bool, Error> {
    diesel::update(users::table.find(id.as_str()))
        .filter(users::state.eq(standing_text(Standing::Deactivated)))
        .set(users::state.eq(standing_text(Standing::Active)))
        .changes_one(conn)
}

/// Deactivates a user, who is no operator from then on; `false` if already deactivated.
pub fn mark_deactivated(conn: &mut Conn, id: &UserId) -> Result<bool, Error> {
    diesel::update(users::table.find(id.as_str()))
        .filter(users::state.eq(standing_text(Standing::Active)))
        .set((
            users::state.eq(standing_text(Standing::Deactivated)),
            users::is_operator.eq(false),
        ))
        .changes_one(conn)
}

/// Inserts a setup link for the first user.
pub fn insert_setup_link(conn: &mut Conn, link: &Digest, now: Instant) -> Result<(), Error> {
    diesel::insert_into(setup_link::table)
        .values((
            setup_link::link_digest.eq(link.as_str()),
            setup_link::created_at.eq(stored(now)),
        ))
        .run(conn)
}

/// Whether a setup link is active.
pub fn is_setup_link(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(setup_link::table.find(link.as_str()))).row(conn)?)
}

/// Deletes all setup links; returns whether this one was among them. Of two concurrent calls the
/// second waits for the first, and returns `false`.
pub fn delete_setup_links(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    let ended: Vec<String> = diesel::delete(setup_link::table)
        .returning(setup_link::link_digest)
        .rows(conn)?;
    Ok(ended.iter().any(|digest| digest == link.as_str()))
}
