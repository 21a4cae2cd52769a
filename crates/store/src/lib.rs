//! Storage in SQLite or PostgreSQL, with one set of queries.
//!
//! Reads are not cached, so that a revocation takes effect immediately; writes go through
//! [`writer`]. Each module has the rows and queries of one noun. A failed query is an error,
//! never "not found".

pub mod account_link;
pub mod activity;
pub mod audit;
pub mod client;
mod conn;
pub mod descendants;
pub mod device;
pub mod erasure;
pub mod idempotency;
pub mod invitation;
mod limits;
pub mod org;
pub mod policy;
pub mod project;
mod schema;
pub mod session;
pub mod single_org;
mod statement;
pub mod throttle;
pub mod token;
pub mod token_filter;
pub mod user;
mod writer;

use config::DatabaseUrl;
pub use conn::Conn;
use conn::{Manager, Pooled, Purpose};
use diesel::connection::SimpleConnection;
use diesel::r2d2::Pool;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{Connection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::Instant;
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use thread_local::ThreadLocal;
use writer::{WriteQueue, lock};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Reading connections to PostgreSQL.
const POOL_SIZE: u32 = 8;

/// How long a request waits for a connection to PostgreSQL.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);

/// An arbitrary number that other programs do not use as an advisory lock in the same database.
const MIGRATION_LOCK: i64 = 0x646f_6f72_636f_6465;

/// Why a database operation failed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The database cannot be reached.
    Unavailable(String),
    /// The write queue is full.
    Busy,
    /// Concurrent writes of the same rows; the writer retries.
    Collision,
    /// A unique value already exists.
    Duplicate,
    /// A stored value is invalid.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
    },
    /// Anything else.
    Other(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the database cannot be reached: {why}"),
            Self::Busy => f.write_str("too many writes are waiting"),
            Self::Collision => f.write_str("concurrent writes kept colliding"),
            Self::Duplicate => f.write_str("a unique value is there already"),
            Self::Corrupt { table, column, id } => {
                write!(f, "{table}.{column} of row {id} makes no sense")
            }
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            return Self::Other(error.to_string());
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Duplicate,
            // A referenced row was deleted concurrently: the retry finds it missing.
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ForeignKeyViolation => {
                Self::Collision
            }
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable(info.message().to_owned())
            }
            _ => {
                let message = info.message();
                let is = |part: &str| message.contains(part);
                if is("deadlock detected") || is("due to lock timeout") {
                    Self::Collision
                } else if is("server closed the connection")
                    || is("terminating connection")
                    || is("no connection to the server")
                    || is("disk I/O error")
                    || is("database or disk is full")
                    || is("database is locked")
                {
                    Self::Unavailable(message.to_owned())
                } else {
                    Self::Other(error.to_string())
                }
            }
        }
    }
}

/// An error of database work: [`Error`], or one that wraps it.
pub trait Fails: From<Error> + Send + 'static {
    /// The database's error, if it is one.
    fn store_error(&self) -> Option<&Error>;
}

impl Fails for Error {
    fn store_error(&self) -> Option<&Error> {
        Some(self)
    }
}

/// The database.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    readers: Readers,
    writes: WriteQueue,
}

enum Readers {
    /// One connection for each reading thread: queries run in the caller's thread, without a
    /// hand-over.
    Sqlite(Box<ThreadLocal<RefCell<Option<Conn>>>>),
    Postgres(Pool<Manager>),
}

impl Store {
    /// Prepares to use a database, which may be unreachable still.
    pub fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        let readers = match url {
            DatabaseUrl::Sqlite(_) => Readers::Sqlite(Box::default()),
            DatabaseUrl::Postgres(_) => Readers::Postgres(
                Pool::builder()
                    .max_size(POOL_SIZE)
                    .min_idle(Some(1))
                    .connection_timeout(POOL_TIMEOUT)
                    // A query on a lost connection is repeated on another instead.
                    .test_on_check_out(false)
                    .build_unchecked(Manager(url.clone())),
            ),
        };
        Ok(Self(Arc::new(Inner {
            url: url.clone(),
            readers,
            writes: WriteQueue::start(url)?,
        })))
    }

    /// Applies pending migrations; returns which ran. Several servers may start concurrently: one
    /// migrates, the others wait.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::Other(format!("the database could not be migrated: {error}"))
        };
        let names = |versions: Vec<diesel::migration::MigrationVersion<'_>>| {
            versions.iter().map(ToString::to_string).collect()
        };
        match Conn::open(&self.0.url, Purpose::Write)? {
            Conn::Sqlite(mut conn) => conn.immediate_transaction(|conn| {
                let ran = conn.run_pending_migrations(MIGRATIONS);
                let ran = ran.map(names).map_err(failed)?;
                conn.batch_execute(audit::SQLITE_GUARD)?;
                Ok(ran)
            }),
            Conn::Postgres(mut conn) => conn.transaction(|conn| {
                conn.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")?;
                diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                    .bind::<diesel::sql_types::BigInt, _>(MIGRATION_LOCK)
                    .execute(conn)?;
                let ran = conn.run_pending_migrations(MIGRATIONS);
                let ran = ran.map(names).map_err(failed)?;
                conn.batch_execute(audit::POSTGRES_GUARD)?;
                Ok(ran)
            }),
        }
    }

    /// Reads in one snapshot, however many statements the work has. The work may run again if the
    /// connection is lost.
    pub async fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        self.read_one(move |conn| {
            conn.begin_snapshot()?;
            let result = work(conn);
            let ended = conn.end_snapshot();
            let value = result?;
            ended?;
            Ok(value)
        })
        .await
    }

    /// Runs one statement, which is a snapshot by itself. The work may run again if the connection
    /// is lost.
    pub async fn read_one<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        match &self.0.readers {
            Readers::Sqlite(connections) => {
                let mut slot = connections.get_or_default().borrow_mut();
                // If the work panics or its connection fails, the connection is dropped with its
                // snapshot.
                let mut conn = match slot.take() {
                    Some(conn) => conn,
                    None => Conn::open(&self.0.url, Purpose::Read)?,
                };
                let result = work(&mut conn);
                if !is_lost(&result) {
                    *slot = Some(conn);
                }
                result
            }
            Readers::Postgres(pool) => {
                let result = Arc::new(Mutex::new(None));
                let kept = result.clone();
                let work = Box::new(move |conn: &mut Conn| {
                    let result = work(conn);
                    let is_lost = is_lost(&result);
                    *lock(&kept) = Some(result);
                    is_lost
                });
                read_pooled(pool.clone(), work).await?;
                let result = lock(&result).take();
                result.unwrap_or_else(|| Err(Error::Unavailable("nothing was read".into()).into()))
            }
        }
    }

    /// Runs work in one transaction, and returns after the commit. The work may run several
    /// times, so time and random bytes must come from outside.
    pub async fn write<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        self.0.writes.write(work).await
    }

    /// Removes deleted data from the WAL of SQLite. PostgreSQL needs no such step.
    ///
    /// Fails with [`Error::Busy`] if a long read or another call prevents that.
    pub async fn wipe(&self) -> Result<(), Error> {
        let url = self.0.url.clone();
        tokio::task::spawn_blocking(move || Conn::open(&url, Purpose::Write)?.wipe())
            .await
            .unwrap_or_else(|error| Err(Error::Other(error.to_string())))
    }

    /// Whether a write can be committed now.
    pub async fn is_writable(&self) -> Result<(), Error> {
        self.write(Conn::ping).await
    }

    /// Finishes queued writes and accepts no more. Blocks until then.
    pub fn stop(&self) {
        self.0.writes.stop();
    }

    /// Whether several servers may share the database.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.url, DatabaseUrl::Postgres(_))
    }
}

fn is_lost<T, E: Fails>(result: &Result<T, E>) -> bool {
    let error = result.as_ref().err().and_then(Fails::store_error);
    matches!(error, Some(Error::Unavailable(_)))
}

/// Work that stores its own result and returns whether the connection was lost. It is not generic
/// over the result: generic code would be compiled again for each use case.
type PooledWork = Box<dyn Fn(&mut Conn) -> bool + Send>;

/// Runs the work on a blocking thread, and repeats it for each lost connection.
async fn read_pooled(pool: Pool<Manager>, work: PooledWork) -> Result<(), Error> {
    let read = move || {
        let mut attempts = 0;
        loop {
            let mut pooled = pool
                .get()
                .map_err(|error| Error::Unavailable(error.to_string()))?;
            let Pooled { conn, lost } = &mut *pooled;
            // A panic leaves the snapshot open: the connection counts as lost until the work
            // returns.
            *lost = true;
            *lost = work(conn);
            attempts += 1;
            // After a restart of the database every pooled connection may be lost; one more
            // attempt than there are connections reaches a new one.
            if !*lost || attempts > POOL_SIZE {
                return Ok(());
            }
        }
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| Err(Error::Other(error.to_string())))
}

/// Converts a time to its stored form.
fn stored(at: Instant) -> chrono::NaiveDateTime {
    at.min(domain::last_moment()).naive_utc()
}

/// The most values in one statement; SQLite accepts 32,766.
const BATCH: usize = 10_000;

/// Runs a query for any number of ids, in batches.
fn in_batches<T, C: Default + Extend<T>>(
    ids: &[String],
    mut find: impl FnMut(&[String]) -> Result<Vec<T>, Error>,
) -> Result<C, Error> {
    let mut found = C::default();
    for batch in ids.chunks(BATCH) {
        found.extend(find(batch)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_queried_in_batches() {
        let ids: Vec<_> = (0..25_000).map(|n| n.to_string()).collect();
        let mut sizes = Vec::new();
        let found: Vec<String> = in_batches(&ids, |batch| {
            sizes.push(batch.len());
            Ok(batch.to_vec())
        })
        .unwrap();
        assert_eq!(found, ids);
        assert_eq!(sizes, [BATCH, BATCH, 5_000]);
        let none: Vec<String> = in_batches(&[], |_| Err(Error::Busy)).unwrap();
        assert!(none.is_empty());
    }
}
