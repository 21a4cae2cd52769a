//! Connections to either database, and the PostgreSQL pool.

use super::{Error, shift};
use config::DatabaseUrl;
use diesel::connection::{
    AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::prelude::*;

/// Parameters of each connection to PostgreSQL, unless the URL names them: a server that does not
/// respond to a connection within 2 seconds counts as down, a connection without a sign of life
/// for about 5 seconds as lost, and a server that accepts no writes as the wrong one.
const PARAMETERS: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "4000"),
    ("keepalives_idle", "2"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
    WRITABLE,
];

const WRITABLE: (&str, &str) = ("target_session_attrs", "read-write");

/// A lock of another transaction, or a server that hangs, must not block all queued work; nor must
/// this client's locks outlast it, if its machine disappears during a transaction. A commit is
/// flushed to disk before it is acknowledged, whatever the role or the database says; a stricter
/// setting stays.
const SETTINGS: &str = "SET lock_timeout = '1s'; SET statement_timeout = '4s'; \
     SET idle_in_transaction_session_timeout = '5s'; \
     SELECT set_config('synchronous_commit', \
         CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' \
         ELSE 'on' END, false)";

/// How long a statement waits for a lock in a transaction that holds locks of other work. Two such
/// transactions of two servers may each wait for the other one. PostgreSQL would detect that after
/// 1 second.
const LOCK_TIMEOUT_IN_BATCH: &str = "SET LOCAL lock_timeout = '100ms'";

/// A connection to the configured database. Queries are written once, against this type.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading only; SQLite then rejects writes.
    Read,
    /// Writing.
    Write,
}

impl Conn {
    /// Opens a connection. The derived `Conn::establish` is never used: it tries one database
    /// after the other, and can create an SQLite file named like an unreachable server.
    pub fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<Self, Error> {
        match url {
            DatabaseUrl::Postgres(url) => Self::open_postgres(url, purpose),
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| {
                    Error::Unavailable("the path of the database is not UTF-8".into())
                })?;
                let mut conn = SqliteConnection::establish(path)
                    .map_err(|error| Error::Unavailable(format!("{path}: {error}")))?;
                // FULL: a committed write survives a power cut. WAL: readers never wait for the
                // writer. Checkpoints are rarer than by default, which gives half as many writes
                // again.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA wal_autocheckpoint = 4000;",
                )
                .map_err(|error| Error::Unavailable(format!("{path}: {error}")))?;
                // A usage batch changes many pages: without enough cache each is written several
                // times, and the statement journal goes to a file. Erased data is overwritten
                // instead of left in free space of a page.
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

    fn open_postgres(url: &str, purpose: Purpose) -> Result<Self, Error> {
        let establish = |parameters: &[(&str, &str)]| {
            PgConnection::establish(&config::with_parameters(url, parameters))
        };
        let mut conn = establish(&PARAMETERS).map_err(|error| {
            // The text of the error does not say it reliably: a server that accepts only sessions
            // that may not write is read-only.
            let others: Vec<_> = PARAMETERS
                .into_iter()
                .filter(|it| *it != WRITABLE)
                .collect();
            match purpose == Purpose::Write && establish(&others).is_ok() {
                true => Error::ReadOnly,
                false => Error::Unavailable(error.to_string()),
            }
        })?;
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| shift::step());
        conn.batch_execute(SETTINGS)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self::Postgres(conn))
    }

    /// Whether the database is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Opens a connection for reading to a database that exists. Unlike [`Self::open`], it creates
    /// no file.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Self, Error> {
        if let DatabaseUrl::Sqlite(path) = url
            && !std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
        {
            let path = path.display();
            return Err(Error::Unavailable(format!("{path}: there is no database")));
        }
        Self::open(url, Purpose::Read)
    }

    /// Begins a snapshot: until it ends, all statements see the same state. Fails
    /// with [`Error::Unavailable`], since such a connection must be dropped.
    pub(super) fn begin_snapshot(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED")
            }
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
        }
        .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Ends a snapshot. Fails with [`Error::Unavailable`]: the connection must be dropped.
    pub(super) fn end_snapshot(&mut self) -> Result<(), Error> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// From now on until the end of the transaction, waits for locks are short on PostgreSQL. With
    /// SQLite there are none within a transaction.
    pub(super) fn limit_lock_waits(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(conn) => Ok(conn.batch_execute(LOCK_TIMEOUT_IN_BATCH)?),
        }
    }

    /// Checkpoints and truncates the WAL of SQLite.
    pub(super) fn wipe(&mut self) -> Result<(), Error> {
        let Self::Sqlite(conn) = self else {
            return Ok(());
        };
        // A slow reader would block all writes while this waits.
        conn.batch_execute("PRAGMA busy_timeout = 500")?;
        let done: Truncated =
            diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
        match done.busy {
            0 => Ok(()),
            _ => Err(Error::Busy),
        }
    }

    /// How many rows this connection has inserted, changed and deleted. `None` on PostgreSQL,
    /// which does not count them.
    pub fn count_changes(&mut self) -> Option<i64> {
        let Self::Sqlite(conn) = self else {
            return None;
        };
        let counted = diesel::sql_query("SELECT total_changes() AS count");
        let counted: Result<Counted, _> = counted.get_result(conn);
        counted.ok().map(|counted| counted.count)
    }
}

/// The result of a WAL checkpoint.
#[derive(QueryableByName)]
struct Truncated {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

/// A number of rows.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}
