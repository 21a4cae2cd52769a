//! Registered clients.

use super::schema::client;
use super::statement::{ReadRow, RowId, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::client::{Client, Credential, Standing};
use domain::page::Page;
use domain::scope::ScopeSet;
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = client)]
struct Row {
    id: String,
    name: String,
    secret_digest: Option<String>,
    scopes: String,
    default_scopes: String,
    state: String,
    created_at: NaiveDateTime,
}

fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Disabled => "disabled",
    }
}

impl ReadRow for Row {
    type Value = Client;

    fn read(self) -> Result<Client, Error> {
        let row = RowId("client", &self.id);
        let standing = [Standing::Active, Standing::Disabled]
            .into_iter()
            .find(|standing| standing_text(*standing) == self.state);
        let scopes = |column, text: &str| row.read(column, ScopeSet::parse(text).ok());
        Ok(Client {
            scopes: scopes("scopes", &self.scopes)?,
            default_scopes: scopes("default_scopes", &self.default_scopes)?,
            standing: row.read("state", standing)?,
            id: self.id,
            name: self.name,
            credential: match self.secret_digest {
                Some(digest) => Credential::Confidential(Digest::from_stored(digest)),
                None => Credential::Public,
            },
        })
    }
}

/// Inserts a client. [`Error::Duplicate`] if its id is taken.
pub fn insert_client(conn: &mut Conn, new: &Client, now: Instant) -> Result<(), Error> {
    let row = Row {
        id: new.id.clone(),
        name: new.name.clone(),
        secret_digest: match &new.credential {
            Credential::Confidential(digest) => Some(digest.as_str().to_owned()),
            Credential::Public => None,
        },
        scopes: new.scopes.to_string(),
        default_scopes: new.default_scopes.to_string(),
        state: standing_text(new.standing).to_owned(),
        created_at: stored(now),
    };
    diesel::insert_into(client::table).values(row).run(conn)
}

/// The client with this id.
pub fn find_client(conn: &mut Conn, id: &str) -> Result<Option<Client>, Error> {
    client::table.find(id).read_one_typed::<Row>(conn)
}

/// Clients in the order of their ids: one page plus one row if more follow.
pub fn list_clients(conn: &mut Conn, page: &Page) -> Result<Vec<Client>, Error> {
    let mut query = client::table
        .order(client::id.asc())
        .limit(page.look_for())
        .into_boxed();
    if let Some((_, id)) = page.after() {
        query = query.filter(client::id.gt(id.to_owned()));
    }
    query.read_all::<Row>(conn)
}

/// Enables or disables a client.
pub fn update_standing(conn: &mut Conn, id: &str, standing: Standing) -> Result<(), Error> {
    diesel::update(client::table.find(id))
        .set(client::state.eq(standing_text(standing)))
        .run(conn)
}

/// Changes a client's name and allowed scopes.
pub fn update_client(conn: &mut Conn, changed: &Client) -> Result<(), Error> {
    diesel::update(client::table.find(&changed.id))
        .set((
            client::name.eq(&changed.name),
            client::scopes.eq(changed.scopes.to_string()),
            client::default_scopes.eq(changed.default_scopes.to_string()),
        ))
        .run(conn)
}
