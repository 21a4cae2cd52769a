//! Connections to either database, and the pool of those to PostgreSQL.

use super::Error;
use config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2;

/// A connection to whichever database the configuration names. Queries are written once,
/// against this type.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// What a new connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading alone; SQLite then refuses to write.
    Read,
    /// Writing.
    Write,
}

impl Conn {
    /// Opens a connection. The derived `Conn::establish` is never used: it tries one database
    /// after the other, and can make an SQLite file named like an unreachable server.
    pub fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<Self, Error> {
        match url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(&with_connect_timeout(url))
                    .map_err(|error| Error::Unavailable(error.to_string()))?;
                // A row that somebody else holds, or a server that hangs, must not hold up
                // everything that waits behind it; nor must we, should this machine vanish in
                // the middle of a transaction.
                conn.batch_execute(
                    "SET lock_timeout = '1s'; SET statement_timeout = '10s'; \
                     SET idle_in_transaction_session_timeout = '5s'",
                )?;
                Ok(Self::Postgres(conn))
            }
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| {
                    Error::Unavailable("the path of the database is not UTF-8".into())
                })?;
                let mut conn = SqliteConnection::establish(path)
                    .map_err(|error| Error::Unavailable(format!("{path}: {error}")))?;
                // An acknowledged write survives a power cut (FULL), and a reader never waits
                // for the writer (WAL). Checkpoints are rarer than by default, which buys
                // half as many writes again.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA wal_autocheckpoint = 4000;",
                )
                .map_err(|error| Error::Unavailable(format!("{path}: {error}")))?;
                // A batch of uses changes many pages: without room for them each would be written
                // several times, and for what could undo a statement once more, to a file. What
                // is erased is written over, and not left in a page where a row was.
                conn.batch_execute(match purpose {
                    Purpose::Read => "PRAGMA query_only = ON",
                    Purpose::Write => {
                        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; \
                         PRAGMA secure_delete = ON"
                    }
                })?;
                Ok(Self::Sqlite(conn))
            }
        }
    }

    /// Empties the log of writes of SQLite into the tables.
    pub(super) fn wipe(&mut self) -> Result<(), Error> {
        let Self::Sqlite(conn) = self else {
            return Ok(());
        };
        // Nobody can write while this waits for somebody who reads.
        conn.batch_execute("PRAGMA busy_timeout = 500")?;
        let done: Truncated =
            diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
        match done.busy {
            0 => Ok(()),
            _ => Err(Error::Busy),
        }
    }

    /// Whether the server at the other end still answers.
    pub fn ping(&mut self) -> Result<(), Error> {
        diesel::sql_query("SELECT 1").execute(self)?;
        Ok(())
    }
}

/// What SQLite says of emptying its log of writes.
#[derive(QueryableByName)]
struct Truncated {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

/// How long a server may take to answer a new connection.
const CONNECT_SECONDS: u32 = 3;

/// Adds how long to wait for a server, unless the operator has said so.
fn with_connect_timeout(url: &str) -> String {
    if url.contains("connect_timeout=") {
        return url.to_owned();
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}connect_timeout={CONNECT_SECONDS}")
}

/// A pooled connection that remembers that it was lost: libpq tells that only at its next
/// use, and diesel's own check does not see it.
pub struct Pooled {
    /// The connection.
    pub conn: Conn,
    /// Whether it must not be used again.
    pub lost: bool,
}

/// Makes the pool's connections.
pub struct Manager(pub DatabaseUrl);

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled, Error> {
        Ok(Pooled {
            conn: Conn::open(&self.0, Purpose::Read)?,
            lost: false,
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Error> {
        pooled.conn.ping()
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.lost
    }
}
