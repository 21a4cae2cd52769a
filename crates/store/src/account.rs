//! Accounts and the links that let the first person in.

use super::schema::{account, setup_link};
use super::{Conn, Error, in_batches, read_value, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::account::{Account, Standing};
use domain::id::AccountId;
use domain::secret::Digest;
use std::collections::BTreeMap;

#[derive(Queryable, Insertable)]
#[diesel(table_name = account)]
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

impl TryFrom<Row> for Account {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let standing = [Standing::Active, Standing::Deactivated]
            .into_iter()
            .find(|standing| standing_text(*standing) == row.state);
        Ok(Self {
            standing: read_value(standing, "account", "state", &row.id)?,
            id: read_value(AccountId::parse(&row.id), "account", "id", &row.id)?,
            email: row.email,
            name: row.name,
            password_hash: row.password_hash,
            created_at: row.created_at.and_utc(),
        })
    }
}

/// The names of accounts, by their ids. What is no id of an account has none.
pub fn list_names(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, String>, Error> {
    in_batches(ids, |batch| {
        Ok(account::table
            .filter(account::id.eq_any(batch))
            .select((account::id, account::name))
            .get_results::<(String, String)>(conn)?)
    })
}

/// Remembers a new account. [`Error::Duplicate`] if its email address is taken.
pub fn insert_account(conn: &mut Conn, new: &Account) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        email: new.email.clone(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        state: standing_text(new.standing).to_owned(),
        created_at: stored(new.created_at),
    };
    diesel::insert_into(account::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The account with this id.
pub fn find_account(conn: &mut Conn, id: &AccountId) -> Result<Option<Account>, Error> {
    account::table
        .filter(account::id.eq(id.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(Account::try_from)
        .transpose()
}

/// The account with this email address, in its normal form.
pub fn find_account_by_email(conn: &mut Conn, email: &str) -> Result<Option<Account>, Error> {
    account::table
        .filter(account::email.eq(email))
        .get_result::<Row>(conn)
        .optional()?
        .map(Account::try_from)
        .transpose()
}

/// The account, held so that it cannot be deactivated before this transaction ends. On
/// SQLite there is one writer, which holds everything.
pub fn hold_account(conn: &mut Conn, id: &AccountId) -> Result<Option<Account>, Error> {
    let row = match conn {
        Conn::Postgres(conn) => account::table
            .filter(account::id.eq(id.as_str()))
            .for_share()
            .get_result::<Row>(conn)
            .optional()?,
        Conn::Sqlite(conn) => account::table
            .filter(account::id.eq(id.as_str()))
            .get_result::<Row>(conn)
            .optional()?,
    };
    row.map(Account::try_from).transpose()
}

/// Holds an account so that nobody else may even [`hold_account`] it before this transaction
/// ends: for changes of what the account's tokens depend on.
pub fn lock_account(conn: &mut Conn, id: &AccountId) -> Result<(), Error> {
    if let Conn::Postgres(conn) = conn {
        account::table
            .filter(account::id.eq(id.as_str()))
            .select(account::id)
            .for_update()
            .get_result::<String>(conn)
            .optional()?;
    }
    Ok(())
}

/// Accounts, the oldest first, after the one at this place in the order.
pub fn list_accounts(
    conn: &mut Conn,
    after: Option<(Instant, &str)>,
    limit: i64,
) -> Result<Vec<Account>, Error> {
    let mut query = account::table
        .order((account::created_at.asc(), account::id.asc()))
        .limit(limit)
        .into_boxed();
    if let Some((at, id)) = after {
        let at = stored(at);
        query = query.filter(
            account::created_at.gt(at).or(account::created_at
                .eq(at)
                .and(account::id.gt(id.to_owned()))),
        );
    }
    let rows = query.get_results::<Row>(conn)?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Whether any account was ever made.
pub fn is_any_account(conn: &mut Conn) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(account::table.select(account::id))).get_result(conn)?)
}

/// Renames an account.
pub fn update_name(conn: &mut Conn, id: &AccountId, name: &str) -> Result<(), Error> {
    diesel::update(account::table.filter(account::id.eq(id.as_str())))
        .set(account::name.eq(name))
        .execute(conn)?;
    Ok(())
}

/// Replaces a password hash, if it is still the one that was verified.
pub fn update_password_hash(
    conn: &mut Conn,
    id: &AccountId,
    old: &str,
    new: &str,
) -> Result<bool, Error> {
    let changed = diesel::update(
        account::table
            .filter(account::id.eq(id.as_str()))
            .filter(account::password_hash.eq(old)),
    )
    .set(account::password_hash.eq(new))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Deactivates an account; `false` if it was so before.
pub fn mark_deactivated(conn: &mut Conn, id: &AccountId) -> Result<bool, Error> {
    let changed = diesel::update(
        account::table
            .filter(account::id.eq(id.as_str()))
            .filter(account::state.eq(standing_text(Standing::Active))),
    )
    .set(account::state.eq(standing_text(Standing::Deactivated)))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Remembers a link to the first account.
pub fn insert_setup_link(conn: &mut Conn, link: &Digest, now: Instant) -> Result<(), Error> {
    diesel::insert_into(setup_link::table)
        .values((
            setup_link::link_digest.eq(link.as_str()),
            setup_link::created_at.eq(stored(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether a link to the first account still works.
pub fn is_setup_link(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(
        setup_link::table.filter(setup_link::link_digest.eq(link.as_str())),
    ))
    .get_result(conn)?)
}

/// Ends all links to the first account; tells whether this one was among them. Of two that
/// try at once the second waits for the first, and then finds none.
pub fn delete_setup_links(conn: &mut Conn, link: &Digest) -> Result<bool, Error> {
    let ended: Vec<String> = diesel::delete(setup_link::table)
        .returning(setup_link::link_digest)
        .get_results(conn)?;
    Ok(ended.iter().any(|digest| digest == link.as_str()))
}
