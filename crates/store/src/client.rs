//! Registered clients.

use super::cache::Lookup;
use super::schema::client;
use super::statement::{ReadRow, RowId, Statement, lock_row, on_connection};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::client::{Client, ClientSecret, Credential, PreviousSecret, Standing};
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
    previous_secret_digest: Option<String>,
    previous_secret_ends_at: Option<NaiveDateTime>,
    follows_settings: bool,
}

/// The stored standing of an active client.
pub(super) const ACTIVE: &str = "active";

fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => ACTIVE,
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
                Some(digest) => Credential::Confidential(ClientSecret {
                    current: Digest::from_stored(digest),
                    previous: self
                        .previous_secret_digest
                        .zip(self.previous_secret_ends_at)
                        .map(|(digest, ends_at)| PreviousSecret {
                            digest: Digest::from_stored(digest),
                            ends_at: ends_at.and_utc(),
                        }),
                }),
                None => Credential::Public,
            },
            follows_settings: self.follows_settings,
        })
    }
}

impl Row {
    fn of(client: &Client, created_at: Instant) -> Self {
        let secret = match &client.credential {
            Credential::Confidential(secret) => Some(secret),
            Credential::Public => None,
        };
        let previous = secret.and_then(|secret| secret.previous.as_ref());
        let text = |digest: &Digest| digest.as_str().to_owned();
        Self {
            id: client.id.clone(),
            name: client.name.clone(),
            secret_digest: secret.map(|secret| text(&secret.current)),
            scopes: client.scopes.to_string(),
            default_scopes: client.default_scopes.to_string(),
            state: standing_text(client.standing).to_owned(),
            created_at: stored(created_at),
            previous_secret_digest: previous.map(|previous| text(&previous.digest)),
            previous_secret_ends_at: previous.map(|previous| stored(previous.ends_at)),
            follows_settings: client.follows_settings,
        }
    }
}

/// Inserts a client. [`Error::Duplicate`] if its id is taken.
pub fn insert_client(conn: &mut Conn, new: &Client, now: Instant) -> Result<(), Error> {
    diesel::insert_into(client::table)
        .values(Row::of(new, now))
        .run(conn)
}

/// The client with this id.
pub fn find_client(conn: &mut Conn, id: &str) -> Result<Option<Client>, Error> {
    let query = client::table.find(id);
    let row = on_connection!(conn, own => query.get_result::<Row>(own));
    row.optional()?.map(ReadRow::read).transpose()
}

/// The same, locked against changes until the transaction ends.
pub fn lock_client(conn: &mut Conn, id: &str) -> Result<Option<Client>, Error> {
    lock_row!(conn, client, id.to_owned());
    find_client(conn, id)
}

impl Lookup for Client {
    type Key = String;

    const MOST: usize = 1_000;

    fn find(conn: &mut Conn, id: &String) -> Result<Option<Self>, Error> {
        find_client(conn, id)
    }
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

/// The ids of the clients with this name.
pub fn find_ids_by_name(conn: &mut Conn, name: &str) -> Result<Vec<String>, Error> {
    let query = client::table.filter(client::name.eq(name));
    let ids = query.order(client::id.asc()).select(client::id);
    Ok(ids.rows::<String>(conn)?)
}

/// Changes all attributes of a client but its id and its time of registration.
pub fn update_client(conn: &mut Conn, changed: &Client) -> Result<(), Error> {
    let row = Row::of(changed, Instant::UNIX_EPOCH);
    diesel::update(client::table.find(&changed.id))
        .set((
            client::name.eq(row.name),
            client::secret_digest.eq(row.secret_digest),
            client::scopes.eq(row.scopes),
            client::default_scopes.eq(row.default_scopes),
            client::state.eq(row.state),
            client::previous_secret_digest.eq(row.previous_secret_digest),
            client::previous_secret_ends_at.eq(row.previous_secret_ends_at),
            client::follows_settings.eq(row.follows_settings),
        ))
        .run(conn)
}

/// Deletes a client. Its tokens and device grants stay, under its id.
pub fn delete_client(conn: &mut Conn, id: &str) -> Result<(), Error> {
    diesel::delete(client::table.find(id)).run(conn)
}
