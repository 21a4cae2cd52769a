//! One-time links of users. A used link is deleted.

use super::schema::account_link;
use super::statement::{ReadRow, RowId, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::account_link::{AccountLink, LinkPurpose};
use domain::id::UserId;
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = account_link)]
struct Row {
    link_digest: String,
    user_id: String,
    purpose: String,
    email: String,
    created_by: String,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
}

impl ReadRow for Row {
    type Value = AccountLink;

    fn read(self) -> Result<AccountLink, Error> {
        let row = RowId("account_link", &self.link_digest);
        Ok(AccountLink {
            user_id: row.read("user_id", UserId::parse(&self.user_id))?,
            purpose: row.read("purpose", LinkPurpose::parse(&self.purpose))?,
            email: self.email,
            created_by: self.created_by,
            created_at: self.created_at.and_utc(),
            expires_at: self.expires_at.and_utc(),
        })
    }
}

/// Inserts a link with its digest.
pub fn insert_link(conn: &mut Conn, new: &AccountLink, link: &Digest) -> Result<(), Error> {
    let row = Row {
        link_digest: link.as_str().to_owned(),
        user_id: new.user_id.to_string(),
        purpose: new.purpose.as_str().to_owned(),
        email: new.email.clone(),
        created_by: new.created_by.clone(),
        created_at: stored(new.created_at),
        expires_at: stored(new.expires_at),
    };
    diesel::insert_into(account_link::table)
        .values(row)
        .run(conn)
}

/// The unexpired link with this digest and purpose, which stays usable.
pub fn find_link(
    conn: &mut Conn,
    link: &Digest,
    purpose: LinkPurpose,
    now: Instant,
) -> Result<Option<AccountLink>, Error> {
    account_link::table
        .find(link.as_str())
        .filter(account_link::purpose.eq(purpose.as_str()))
        .filter(account_link::expires_at.gt(stored(now)))
        .read_one::<Row>(conn)
}

/// Deletes and returns the unexpired link with this digest and purpose. Of concurrent calls, only
/// one gets it.
pub fn take_link(
    conn: &mut Conn,
    link: &Digest,
    purpose: LinkPurpose,
    now: Instant,
) -> Result<Option<AccountLink>, Error> {
    diesel::delete(account_link::table.find(link.as_str()))
        .filter(account_link::purpose.eq(purpose.as_str()))
        .filter(account_link::expires_at.gt(stored(now)))
        .returning(account_link::all_columns)
        .read_one::<Row>(conn)
}

/// Deletes the links of a user, all or those for one purpose.
pub fn delete_links(
    conn: &mut Conn,
    user_id: &UserId,
    purpose: Option<LinkPurpose>,
) -> Result<(), Error> {
    let mut statement = diesel::delete(account_link::table)
        .into_boxed()
        .filter(account_link::user_id.eq(user_id.as_str()));
    if let Some(purpose) = purpose {
        statement = statement.filter(account_link::purpose.eq(purpose.as_str()));
    }
    statement.run(conn)
}

/// Deletes the links of a user for one purpose that this actor created.
pub fn delete_links_of(
    conn: &mut Conn,
    user_id: &UserId,
    purpose: LinkPurpose,
    created_by: &str,
) -> Result<(), Error> {
    diesel::delete(account_link::table)
        .filter(account_link::user_id.eq(user_id.as_str()))
        .filter(account_link::purpose.eq(purpose.as_str()))
        .filter(account_link::created_by.eq(created_by))
        .run(conn)
}

/// Deletes expired links.
pub fn delete_over_links(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::delete(account_link::table)
        .filter(account_link::expires_at.le(stored(now)))
        .run(conn)
}
