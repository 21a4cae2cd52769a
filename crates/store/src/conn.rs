//! Connections to either database, and the PostgreSQL pool.

use super::tls::Forwarder;
use super::{Error, shift};
use config::{DatabaseUrl, Pooler, Postgres, PostgresSettings};
use diesel::connection::{
    AnsiTransactionManager, CacheSize, InstrumentationEvent, SimpleConnection, TransactionManager,
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

/// Settings of a session or a transaction. A lock of another transaction, or a server that hangs,
/// must not block all queued work; nor must this client's locks outlast it, if its machine
/// disappears during a transaction. A commit is flushed to disk before it is acknowledged, whatever
/// the role or the database says; a stricter setting stays.
fn session(settings: &PostgresSettings) -> String {
    let (set, is_local) = match settings.pooler {
        Pooler::None => ("SET", false),
        Pooler::Transaction => ("SET LOCAL", true),
    };
    let (lock, statement) = (
        settings.lock_timeout.as_millis(),
        settings.statement_timeout.as_millis(),
    );
    format!(
        "{set} lock_timeout = {lock}; {set} statement_timeout = {statement}; \
         {set} idle_in_transaction_session_timeout = '5s'; \
         SELECT set_config('synchronous_commit', \
             CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' \
             ELSE 'on' END, {is_local})"
    )
}

/// How often a connection through a pooler is tried again. The driver prepares and executes its
/// first statements without a transaction, so that a pooler may give them to different servers.
const POOLED_ATTEMPTS: usize = 5;

/// How long a statement waits for a lock in a transaction that holds locks of other work. Two such
/// transactions of two servers may each wait for the other one. PostgreSQL would detect that after
/// 1 second.
const LOCK_TIMEOUT_IN_BATCH: &str = "SET LOCAL lock_timeout = '100ms'";

/// The statements that begin a transaction. On SQLite a write transaction takes the lock
/// immediately: one that reads first and then writes would fail if another wrote in between. Behind
/// a pooler each transaction may have another session, which it must configure itself.
#[derive(Clone)]
pub struct Begin {
    write: String,
    snapshot: String,
    is_pooled: bool,
}

impl Begin {
    /// The statements for a database.
    pub fn of(url: &DatabaseUrl) -> Self {
        let DatabaseUrl::Postgres(postgres) = url else {
            return Self {
                write: "BEGIN IMMEDIATE".to_owned(),
                snapshot: "BEGIN DEFERRED".to_owned(),
                is_pooled: false,
            };
        };
        let is_pooled = postgres.settings.pooler == Pooler::Transaction;
        let settings = match is_pooled {
            true => format!("; {}", session(&postgres.settings)),
            false => String::new(),
        };
        Self {
            write: format!("BEGIN{settings}"),
            snapshot: format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{settings}"),
            is_pooled,
        }
    }

    /// Whether even a single statement needs a transaction.
    pub fn is_always_needed(&self) -> bool {
        self.is_pooled
    }
}

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
            DatabaseUrl::Postgres(postgres) => Self::open_postgres(postgres, purpose),
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| {
                    Error::Unavailable("the path of the database is not UTF-8".into())
                })?;
                let mut conn = SqliteConnection::establish(path)
                    .map_err(|error| Error::Unavailable(format!("{path}: {error}")))?;
                // FULL: a committed write survives a power cut. WAL: readers never wait for the
                // writer. Checkpoints are rarer than by default, which gives half as many writes
                // again; the file of the log shrinks to the limit when it starts anew (see `wal`).
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432;",
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

    fn open_postgres(postgres: &Postgres, purpose: Purpose) -> Result<Self, Error> {
        let is_pooled = postgres.settings.pooler == Pooler::Transaction;
        let mut conn = establish(postgres, &PARAMETERS).map_err(|error| {
            // The text of the error does not say it reliably: a server that accepts only sessions
            // that may not write is read-only.
            let others: Vec<_> = PARAMETERS
                .into_iter()
                .filter(|it| *it != WRITABLE)
                .collect();
            match purpose == Purpose::Write && establish(postgres, &others).is_ok() {
                true => Error::ReadOnly,
                false => error,
            }
        })?;
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| shift::step());
        if is_pooled {
            // A prepared statement would stay in one of the sessions.
            conn.set_prepared_statement_cache_size(CacheSize::Disabled);
        } else {
            conn.batch_execute(&session(&postgres.settings))
                .map_err(|error| Error::Unavailable(error.to_string()))?;
        }
        Ok(Self::Postgres(conn))
    }

    /// Whether the database is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Opens a connection to a database that exists, in a snapshot. Unlike [`Self::open`], it creates
    /// no file.
    pub fn open_existing(url: &DatabaseUrl) -> Result<Self, Error> {
        if let DatabaseUrl::Sqlite(path) = url
            && !std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
        {
            let path = path.display();
            return Err(Error::Unavailable(format!("{path}: there is no database")));
        }
        let mut conn = Self::open(url, Purpose::Read)?;
        conn.begin_snapshot(&Begin::of(url))?;
        Ok(conn)
    }

    /// Begins a snapshot: until it ends, all statements see the same state. Fails
    /// with [`Error::Unavailable`], since such a connection must be dropped.
    pub(super) fn begin_snapshot(&mut self, begin: &Begin) -> Result<(), Error> {
        self.begin(&begin.snapshot)
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Begins a transaction that writes.
    pub(super) fn begin_write(&mut self, begin: &Begin) -> Result<(), Error> {
        Ok(self.begin(&begin.write)?)
    }

    fn begin(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, sql),
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, sql),
        }
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
        truncate(conn, "PRAGMA busy_timeout = 500")
    }

    /// The same for the connection of the writer, with a short wait for readers.
    pub(super) fn shorten_wal(&mut self) -> Result<(), Error> {
        let Self::Sqlite(conn) = self else {
            return Ok(());
        };
        let shortened = truncate(conn, "PRAGMA busy_timeout = 100");
        conn.batch_execute("PRAGMA busy_timeout = 5000")?;
        shortened
    }

    /// Leaves the file of SQLite without a WAL. No other connection may use it.
    pub(super) fn into_one_file(mut self) -> Result<(), Error> {
        match &mut self {
            Self::Sqlite(conn) => Ok(conn.batch_execute("PRAGMA journal_mode = DELETE")?),
            Self::Postgres(_) => Ok(()),
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

/// Connects with these parameters, unless the URL names them.
fn establish(postgres: &Postgres, parameters: &[(&str, &str)]) -> Result<PgConnection, Error> {
    let attempts = match postgres.settings.pooler {
        Pooler::None => 1,
        Pooler::Transaction => POOLED_ATTEMPTS,
    };
    let mut attempt = 1;
    loop {
        match establish_once(postgres, parameters) {
            Ok(conn) => return Ok(conn),
            Err((_, true)) if attempt < attempts => attempt += 1,
            Err((why, _)) => return Err(Error::Unavailable(why)),
        }
    }
}

/// Fails with the reason, and whether the connection was there and its session could not be
/// configured.
fn establish_once(
    postgres: &Postgres,
    parameters: &[(&str, &str)],
) -> Result<PgConnection, (String, bool)> {
    let is_setup =
        |error: &ConnectionError| matches!(error, ConnectionError::CouldntSetupConfiguration(_));
    let Some(tls) = postgres.tls() else {
        let url = config::with_parameters(postgres.url(), parameters);
        return PgConnection::establish(&url).map_err(|error| {
            let is_setup = is_setup(&error);
            (one_line(&error.to_string()), is_setup)
        });
    };
    let forwarder =
        Forwarder::start(tls, postgres.url(), parameters).map_err(|why| (why, false))?;
    PgConnection::establish(forwarder.url()).map_err(|error| {
        let text = one_line(&error.to_string());
        (forwarder.explain(&text), is_setup(&error))
    })
}

/// A text of libpq, which has a line for each host, without its questions about the server.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.ends_with('?'));
    lines.collect::<Vec<_>>().join("; ")
}

/// Checkpoints and truncates the WAL. Fails with [`Error::Busy`] if a reader needs it.
fn truncate(conn: &mut SqliteConnection, patience: &str) -> Result<(), Error> {
    conn.batch_execute(patience)?;
    let done: Truncated = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
    match done.busy {
        0 => Ok(()),
        _ => Err(Error::Busy),
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
