//! Users, and the setup links for the first user.

use super::schema::{setup_link, users};
use super::{Conn, Error, in_batches, read_value, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::UserId;
use domain::page::Page;
use domain::secret::Digest;
use domain::user::{Standing, User};
use std::collections::BTreeMap;

#[derive(Queryable, Insertable)]
#[diesel(table_name = users)]
pub(super) struct Row {
    id: String,
    email: String,
    name: String,
    password_hash: String,
    state: String,
    created_at: chrono::NaiveDateTime,
}

fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Deactivated => "deactivated",
    }
}

impl TryFrom<Row> for User {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let standing = [Standing::Active, Standing::Deactivated]
            .into_iter()
            .find(|standing| standing_text(*standing) == row.state);
        Ok(Self {
            standing: read_value(standing, "users", "state", &row.id)?,
            id: read_value(UserId::parse(&row.id), "users", "id", &row.id)?,
            email: row.email,
            name: row.name,
            password_hash: row.password_hash,
            created_at: row.created_at.and_utc(),
        })
    }
}

/// The names of users, by their ids. Other ids have none.
pub fn list_names(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, String>, Error> {
    in_batches(ids, |batch| {
        Ok(users::table
            .filter(users::id.eq_any(batch))
            .select((users::id, users::name))
            .get_results::<(String, String)>(conn)?)
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
    };
    diesel::insert_into(users::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The user with this id.
pub fn find_user(conn: &mut Conn, id: &UserId) -> Result<Option<User>, Error> {
    users::table
        .filter(users::id.eq(id.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(User::try_from)
        .transpose()
}

/// The user with this email address, in its normal form.
pub fn find_user_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>, Error> {
    users::table
        .filter(users::email.eq(email))
        .get_result::<Row>(conn)
        .optional()?
        .map(User::try_from)
        .transpose()
}

/// Locks the user against deactivation until the transaction ends. On SQLite the single writer is
/// the lock.
pub fn lock_user_shared(conn: &mut Conn, id: &UserId) -> Result<Option<User>, Error> {
    let row = match conn {
        Conn::Postgres(conn) => users::table
            .filter(users::id.eq(id.as_str()))
            .for_share()
            .get_result::<Row>(conn)
            .optional()?,
        Conn::Sqlite(conn) => users::table
            .filter(users::id.eq(id.as_str()))
            .get_result::<Row>(conn)
            .optional()?,
    };
    row.map(User::try_from).transpose()
}

/// Locks a user against [`lock_user_shared`] too until the transaction ends: for changes on which
/// the user's tokens depend.
pub fn lock_user_exclusive(conn: &mut Conn, id: &UserId) -> Result<(), Error> {
    if let Conn::Postgres(conn) = conn {
        users::table
            .filter(users::id.eq(id.as_str()))
            .select(users::id)
            .for_update()
            .get_result::<String>(conn)
            .optional()?;
    }
    Ok(())
}

/// Users, the oldest first: a page, and one more.
pub fn list_users(conn: &mut Conn, page: &Page) -> Result<Vec<User>, Error> {
    let mut query = users::table
        .order((users::created_at.asc(), users::id.asc()))
        .limit(page.look_for())
        .into_boxed();
    if let Some((at, id)) = page.after() {
        let at = stored(at);
        query = query.filter(
            users::created_at
                .gt(at)
                .or(users::created_at.eq(at).and(users::id.gt(id.to_owned()))),
        );
    }
    let rows = query.get_results::<Row>(conn)?;
    rows.into_iter().map(User::try_from).collect()
}

/// Whether any user was ever created.
pub fn is_any_user(conn: &mut Conn) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn)?)
}

/// Renames a user.
pub fn update_name(conn: &mut Conn, id: &UserId, name: &str) -> Result<(), Error> {
    diesel::update(users::table.filter(users::id.eq(id.as_str())))
        .set(users::name.eq(name))
        .execute(conn)?;
    Ok(())
}

/// Replaces a password hash, if it is still the verified one.
pub fn update_password_hash(
    conn: &mut Conn,
    id: &UserId,
    old: &str,
    new: &str,
) -> Result<bool, Error> {
    let changed = diesel::update(
        users::table
            .filter(users::id.eq(id.as_str()))
            .filter(users::password_hash.eq(old)),
    )
    .set(users::password_hash.eq(new))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Deactivates a user; `false` if already deactivated.
pub fn mark_deactivated(conn: &mut Conn, id: &UserId) -> Result<bool, Error> {
    let changed = diesel::update(
        users::table
            .filter(users::id.eq(id.as_str()))
            .filter(users::state.eq(standing_text(Standing::Active))),
    )
    .set(users::state.eq(standing_text(Standing::Deactivated)))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Inserts a setup link for the first user.
pub fn insert_setup_link(conn: &mut Conn, link: &Digest, now: Instant) -> Result<(), Error> {
    diesel::insert_into(setup_link::table)
        .values((
            setup_link::link_digest.eq(link.as_str()),
            setup_link::created_at.eq(stored(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether a setup link is active.
pub fn is_setup_link(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(
        setup_link::table.filter(setup_link::link_digest.eq(link.as_str())),
    ))
    .get_result(conn)?)
}

/// Deletes all setup links; returns whether this one was among them. Of two concurrent calls the
/// second waits for the first, and returns `false`.
pub fn delete_setup_links(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    let ended: Vec<String> = diesel::delete(setup_link::table)
        .returning(setup_link::link_digest)
        .get_results(conn)?;
    Ok(ended.iter().any(|digest| digest == link.as_str()))
}
