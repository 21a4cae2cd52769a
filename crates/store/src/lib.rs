//! Storage in SQLite or PostgreSQL, with one set of queries.
//!
//! A revocation takes effect immediately: rows are kept in memory only while nothing is committed
//! ([`cache`]). Writes go through [`writer`]. Each module has the rows and queries of one noun. A failed query is an error,
//! never "not found".

pub mod account_link;
pub mod activity;
pub mod audit;
pub mod backup;
mod cache;
pub mod client;
pub mod clock;
mod conn;
mod connector;
pub mod deadline;
pub mod deployment;
pub mod descendants;
pub mod device;
pub mod erasure;
mod error;
pub mod factor;
mod figures;
mod health;
pub mod idempotency;
pub mod identity;
pub mod invitation;
mod limits;
mod long_read;
mod migrate;
pub mod org;
pub mod passkey;
pub mod policy;
pub mod project;
mod readers;
mod schema;
pub mod sealed_text;
pub mod session;
mod shift;
pub mod single_org;
mod statement;
pub mod throttle;
pub mod timing;
mod tls;
pub mod token;
pub mod token_access;
pub mod token_block;
pub mod token_facts;
pub mod token_filter;
pub mod transfer;
mod turns;
pub mod user;
mod wal;
mod wal_index;
mod workers;
mod writer;

use cache::{Cache, Lookup};
use config::DatabaseUrl;
pub use conn::Conn;
use conn::{Begin, Purpose};
use domain::Instant;
pub use error::{Error, Fails, Outage};
use figures::Counters;
pub use figures::{ByKind, ErrorKind, Figures, Pool};
use health::Health;
pub use health::Heartbeat;
pub use migrate::Schema;
use readers::Readers;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thread_local::ThreadLocal;
use tokio::sync::Semaphore;
pub use turns::{LockRefusal, Turns};
use writer::WriteQueue;

/// The database.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    begin: Begin,
    reads: Reads,
    writes: WriteQueue,
    health: Health,
    counters: Arc<Counters>,
    is_beside_server: bool,
    /// Bounds the threads of [`Store::read_long`].
    long_reads: Arc<Semaphore>,
}

enum Reads {
    /// One connection for each reading thread: queries run in the caller's thread, without a
    /// hand-over.
    Sqlite(Box<ThreadLocal<RefCell<Option<Reader>>>>),
    Postgres(Readers),
}

/// The connection of one reading thread. The cache is dropped first: it needs the connection.
struct Reader {
    cache: Option<Cache>,
    conn: Conn,
}

impl Reader {
    fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        let mut conn = Conn::open(url, Purpose::Read)?;
        let cache = match url {
            DatabaseUrl::Sqlite(path) => Cache::of(&mut conn, path),
            DatabaseUrl::Postgres(_) => None,
        };
        Ok(Self { cache, conn })
    }
}

impl Store {
    /// Prepares to use a database, which may be unreachable still.
    pub fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        Self::open_by(url, Turns::alone())
    }

    /// The same, beside other processes that write to the database.
    pub fn open_by(url: &DatabaseUrl, turns: Turns) -> Result<Self, Error> {
        let counters = Arc::<Counters>::default();
        let reads = match url {
            DatabaseUrl::Sqlite(_) => Reads::Sqlite(Box::default()),
            DatabaseUrl::Postgres(postgres) => {
                let threads = postgres.settings.readers;
                Reads::Postgres(Readers::start(url, threads, &counters)?)
            }
        };
        Ok(Self(Arc::new(Inner {
            is_beside_server: turns.is_beside_server(),
            url: url.clone(),
            begin: Begin::of(url),
            reads,
            writes: WriteQueue::start(url, turns, &counters)?,
            health: Health::default(),
            counters,
            long_reads: Arc::new(Semaphore::new(long_read::AT_ONCE)),
        })))
    }

    /// Applies pending migrations; returns which ran. Several servers may start concurrently: one
    /// migrates, the others wait. Changes and locks nothing if none is pending.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        migrate::migrate(&self.0.url)
    }

    /// Compares the schema with this program. Only reads. Fails with [`Error::Newer`] if a newer
    /// version of this program made it.
    pub fn schema(&self) -> Result<Schema, Error> {
        migrate::schema(&mut Conn::open(&self.0.url, Purpose::Write)?, &self.0.begin)
    }

    /// Reads in one snapshot, however many statements the work has. The work may run again if the
    /// connection is lost.
    pub async fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        let begin = self.0.begin.clone();
        self.read_outside(move |conn| in_snapshot(&begin, conn, &work))
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
        match self.0.begin.is_always_needed() {
            true => self.read(work).await,
            false => self.read_outside(work).await,
        }
    }

    /// Runs work that begins its own transaction, or is one statement.
    async fn read_outside<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        let began = timing::begin();
        let result = match &self.0.reads {
            Reads::Sqlite(readers) => self.read_inline(readers, |reader| work(&mut reader.conn)),
            Reads::Postgres(readers) => readers.read(work).await,
        };
        self.0.note(began, false, store_error(&result));
        result
    }

    /// Finds a value in one statement, or in memory if nothing changed since it was found there.
    pub async fn find<L: Lookup>(&self, key: L::Key) -> Result<Option<L>, Error> {
        let Reads::Sqlite(readers) = &self.0.reads else {
            return self.read_one(move |conn| L::find(conn, &key)).await;
        };
        let began = timing::begin();
        let result = self.read_inline(readers, |Reader { cache, conn }| match cache {
            Some(cache) => cache.find(conn, key),
            None => L::find(conn, &key),
        });
        self.0.note(began, false, store_error(&result));
        result
    }

    /// Reads in the caller's thread. If the work panics or its connection fails, the connection is
    /// dropped with its snapshot.
    fn read_inline<T, E: Fails>(
        &self,
        readers: &ThreadLocal<RefCell<Option<Reader>>>,
        work: impl FnOnce(&mut Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut slot = readers.get_or_default().borrow_mut();
        let mut reader = match slot.take() {
            Some(reader) => reader,
            None => Reader::open(&self.0.url)?,
        };
        let result = work(&mut reader);
        let error = result.as_ref().err().and_then(Fails::store_error);
        if !matches!(error, Some(Error::Unavailable(_))) {
            *slot = Some(reader);
        }
        result
    }

    /// Runs work in one transaction, and returns after the commit. The work may run several
    /// times, so time and random bytes must come from outside.
    pub async fn write<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        let began = timing::begin();
        let result = self.0.writes.write(work).await;
        self.0.note(began, true, store_error(&result));
        result
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

    /// Checks that a write can be committed, for [`Self::check_writable`]. To be called each
    /// second.
    pub async fn beat(&self, beat: Heartbeat) -> Result<(), Error> {
        let is_suspect = self.0.health.is_suspect();
        let result = match is_suspect || self.is_shared() {
            true => {
                let write = move |conn: &mut Conn| health::write(conn, &beat, is_suspect);
                self.0.writes.write(write).await
            }
            false => Ok(()),
        };
        let outage = |error: &Error| error.outage().unwrap_or(Outage::Database);
        let noted = result.as_ref().copied().map_err(outage);
        self.0.health.beat(noted, is_suspect);
        if let Err(error) = &result {
            self.0.counters.note(error);
        }
        result
    }

    /// Succeeds if the database accepts writes, by the last heartbeat and the last writes.
    pub fn check_writable(&self) -> Result<(), Outage> {
        self.0.health.check()
    }

    /// The state of the work since the start, for metrics. Asks nothing of the database.
    pub fn figures(&self) -> Figures {
        let (writes, reads) = (&self.0.writes, &self.0.reads);
        let (pool, stalled) = match reads {
            Reads::Sqlite(_) => (None, 0),
            Reads::Postgres(readers) => (Some(readers.pool()), readers.stalled()),
        };
        Figures {
            waiting: writes.waiting(),
            stalled: writes.stalled() + stalled,
            pool,
            ..self.0.counters.read()
        }
    }

    /// Finishes queued writes and accepts no more. Blocks until then.
    pub fn stop(&self) {
        self.0.writes.stop();
    }

    /// Whether a server on this machine runs on the same SQLite file.
    pub fn is_beside_server(&self) -> bool {
        self.0.is_beside_server
    }

    /// Whether several servers may share the database.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.url, DatabaseUrl::Postgres(_))
    }
}

/// Runs work in one snapshot.
fn in_snapshot<T, E: Fails>(
    begin: &Begin,
    conn: &mut Conn,
    work: &impl Fn(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    conn.begin_snapshot(begin)?;
    let result = work(conn);
    let ended = conn.end_snapshot();
    let value = result?;
    ended?;
    Ok(value)
}

/// The database's error of some work, if it has one.
fn store_error<T, E: Fails>(result: &Result<T, E>) -> Option<&Error> {
    result.as_ref().err().and_then(Fails::store_error)
}

impl Inner {
    /// Notes the end of an operation. It is not generic, since generic code would be compiled again
    /// for each use case.
    fn note(&self, began: Option<std::time::Instant>, writes: bool, error: Option<&Error>) {
        timing::end(began, writes, error);
        if writes {
            self.health.note(error);
        }
        if let Some(error) = error {
            self.counters.note(error);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
