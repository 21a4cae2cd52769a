//! The keys that belong to this database, and the running servers that share it.

use super::schema::{deployment, heartbeat};
use super::statement::{ReadRow, Statement};
use super::{Conn, Error, health};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// The id of the only row.
const ROW: i32 = 1;

/// Fingerprints of the keys of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints {
    /// Of the secret key.
    pub secret_key: String,
    /// Of the key that signs the audit log.
    pub audit_key: String,
}

#[derive(Queryable)]
struct Row {
    secret_key: String,
    audit_key: String,
}

impl ReadRow for Row {
    type Value = Fingerprints;

    fn read(self) -> Result<Fingerprints, Error> {
        Ok(Fingerprints {
            secret_key: self.secret_key,
            audit_key: self.audit_key,
        })
    }
}

/// The fingerprints of the keys of the database; `None` before its first start.
pub fn find(conn: &mut Conn) -> Result<Option<Fingerprints>, Error> {
    deployment::table
        .find(ROW)
        .select((deployment::secret_key, deployment::audit_key))
        .read_one::<Row>(conn)
}

/// Stores the fingerprints if there are none. Returns those of the database, locked on PostgreSQL,
/// so that servers that start at the same time see each other.
pub fn find_or_insert(conn: &mut Conn, own: &Fingerprints) -> Result<Fingerprints, Error> {
    diesel::sql_query(
        "INSERT INTO deployment (id, secret_key, audit_key) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind::<Text, _>(&own.secret_key)
    .bind::<Text, _>(&own.audit_key)
    .run(conn)?;
    if let Conn::Postgres(conn) = conn {
        deployment::table
            .find(ROW)
            .select(deployment::id)
            .for_update()
            .get_result::<i32>(conn)?;
    }
    Ok(find(conn)?.unwrap_or_else(|| own.clone()))
}

/// Replaces the fingerprints.
pub fn replace_fingerprints(conn: &mut Conn, new: &Fingerprints) -> Result<(), Error> {
    diesel::update(deployment::table.find(ROW))
        .set((
            deployment::secret_key.eq(&new.secret_key),
            deployment::audit_key.eq(&new.audit_key),
        ))
        .run(conn)
}

/// A running server, and what it must have in common with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningServer {
    /// The id of its heartbeats.
    pub id: String,
    /// Its public URL.
    pub public_url: String,
    /// Keyed digest of its operator token; `None` without one.
    pub operator_token: Option<String>,
}

/// The servers whose heartbeat is later than a time, in milliseconds since 1970, except the one
/// with this id.
pub fn list_live(conn: &mut Conn, but: &str, since: i64) -> Result<Vec<RunningServer>, Error> {
    let rows = heartbeat::table
        .filter(heartbeat::at.gt(since))
        .filter(heartbeat::server.ne(but))
        .select((
            heartbeat::server,
            heartbeat::public_url,
            heartbeat::operator_token,
        ))
        .rows::<(String, Option<String>, Option<String>)>(conn)?;
    let known = rows
        .into_iter()
        .filter_map(|(id, public_url, operator_token)| {
            Some(RunningServer {
                id,
                public_url: public_url?,
                operator_token,
            })
        });
    Ok(known.collect())
}

/// Stores a server with its heartbeat at a time, in milliseconds since 1970, and deletes those that
/// were killed long before.
pub fn register(conn: &mut Conn, server: &RunningServer, at: i64) -> Result<(), Error> {
    let old = at.saturating_sub(health::KEPT);
    diesel::delete(heartbeat::table.filter(heartbeat::at.lt(old))).run(conn)?;
    diesel::sql_query(
        "INSERT INTO heartbeat (server, at, public_url, operator_token) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (server) DO UPDATE SET at = excluded.at, \
         public_url = excluded.public_url, operator_token = excluded.operator_token",
    )
    .bind::<Text, _>(&server.id)
    .bind::<BigInt, _>(at)
    .bind::<Text, _>(&server.public_url)
    .bind::<Nullable<Text>, _>(&server.operator_token)
    .run(conn)
}

/// Deletes a server that stops.
pub fn deregister(conn: &mut Conn, id: &str) -> Result<(), Error> {
    diesel::delete(heartbeat::table.find(id)).run(conn)
}
