//! Writes share commits.
//!
//! Callers queue their work; the writer thread takes the queued work, runs each piece in its own
//! savepoint of one transaction, commits, and replies after the commit. So a result is always
//! durable, and a busy server flushes to disk once for many writes. There is one writer: SQLite
//! allows no more, and on PostgreSQL several were no faster, while their shared transactions
//! blocked each other.

use super::conn::{Conn, Purpose};
use super::shift::Shift;
use super::workers::{After, Job, Plan, WorkOutcome, Workers};
use super::{Error, Fails};
use config::DatabaseUrl;
use crossbeam_channel::Receiver;
use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The most pieces of work in one commit.
const BATCH: usize = 128;

/// How often work is retried after a collision.
const RETRIES: usize = 5;

/// The queue, and the thread that empties it.
pub struct WriteQueue(Workers);

enum Rollback {
    Work(Option<Error>),
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for Rollback {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

/// Runs the work in a savepoint. Returns what follows, and the database's error.
fn run(job: &mut Job, conn: &mut Conn) -> (After, Option<Error>) {
    let result = conn.transaction(|conn| match (job.work)(conn) {
        WorkOutcome::Commit => Ok(()),
        WorkOutcome::RollBack(error) => Err(Rollback::Work(error)),
    });
    job.failure = None;
    let error = match result {
        Ok(()) => None,
        Err(Rollback::Work(error)) => error,
        Err(Rollback::Database(error)) => {
            let error = Error::from(error);
            job.failure = Some(error.clone());
            Some(error)
        }
    };
    (After::of(error.as_ref(), conn), error)
}

impl WriteQueue {
    /// Starts the writer thread.
    pub fn start(url: &DatabaseUrl) -> Result<Self, Error> {
        let plan = Plan {
            name: "writer",
            threads: 1,
            is_replaced: matches!(url, DatabaseUrl::Postgres(_)),
            make: {
                let url = url.clone();
                Box::new(move || {
                    let mut writer = Writer {
                        url: url.clone(),
                        conn: None,
                    };
                    Box::new(move |first, queue, shift| writer.serve(first, queue, shift))
                })
            },
        };
        Workers::start(plan).map(Self)
    }

    /// Queues work and waits until it is committed, or rolled back with its error.
    pub async fn write<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        self.0.call(work).await
    }

    /// Accepts no more work, finishes the queue and ends the thread.
    pub fn stop(&self) {
        self.0.stop();
    }
}

struct Writer {
    url: DatabaseUrl,
    conn: Option<Conn>,
}

impl Writer {
    fn serve(&mut self, first: Job, queue: &Receiver<Job>, shift: &Arc<Shift>) {
        first.take(shift);
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            job.take(shift);
            batch.push(job);
        }
        if catch_unwind(AssertUnwindSafe(|| self.round(batch, shift))).is_err() {
            // The callers receive an error; the next batch uses a new connection.
            tracing::error!("work in the database panicked");
            self.conn = None;
        }
    }

    /// Commits a batch. Work that collided, or whose batch lost its connection, runs again, each
    /// piece in its own transaction.
    fn round(&mut self, batch: Vec<Job>, shift: &Shift) {
        for job in self.commit(batch, shift) {
            let mut waiting = vec![job];
            for _ in 0..RETRIES {
                if !waiting.is_empty() {
                    waiting = self.commit(waiting, shift);
                }
            }
            answer_all(waiting, &Err(Error::Collision));
        }
    }

    /// Runs a batch in one transaction and replies; returns the work that must run again.
    fn commit(&mut self, batch: Vec<Job>, shift: &Shift) -> Vec<Job> {
        let (late, mut batch): (Vec<_>, _) = batch.into_iter().partition(Job::is_late);
        answer_all(late, &Err(Error::Unavailable("waited too long".into())));
        if batch.is_empty() || shift.is_abandoned() {
            return Vec::new();
        }
        let conn = match self.begun() {
            Ok(conn) => conn,
            Err(error) => {
                answer_all(batch, &Err(error));
                return Vec::new();
            }
        };
        let mut after = Vec::with_capacity(batch.len());
        let mut lost = None;
        for (n, job) in batch.iter_mut().enumerate() {
            if shift.is_abandoned() {
                break;
            }
            let (next, error) = run(job, conn);
            if next == After::Lost {
                lost = error.map(|error| (n, error));
                break;
            }
            after.push(next);
        }
        if shift.is_abandoned() {
            // The callers have an error already, and the server rolls back.
            self.conn = None;
            return Vec::new();
        }
        if let Some((n, error)) = lost {
            // Nothing was committed, so that all of it can run again, on a new connection.
            self.conn = None;
            if let Some(error) = batch[n].lose(error) {
                batch.remove(n).answer(Err(error));
            }
            return batch;
        }
        let committed = <Conn as Connection>::TransactionManager::commit_transaction(conn);
        if let Err(error) = committed.map_err(Error::from) {
            // A new connection replaces the transaction, whatever its state.
            self.conn = None;
            if matches!(error, Error::Collision) {
                return batch;
            }
            // The commit may have happened: the work must not run again.
            answer_all(batch, &Err(error.into_outage()));
            return Vec::new();
        }
        let mut again = Vec::new();
        for (job, after) in batch.into_iter().zip(after) {
            if after == After::Again {
                again.push(job);
            } else {
                job.answer(Ok(()));
            }
        }
        again
    }

    /// A connection in a new transaction. A kept one may be lost, as after a restart of the
    /// database; a new one then replaces it.
    fn begun(&mut self) -> Result<&mut Conn, Error> {
        let kept = self
            .conn
            .take()
            .and_then(|mut conn| begin(&mut conn).ok().map(|()| conn));
        let conn = match kept {
            Some(conn) => conn,
            None => {
                let mut conn = Conn::open(&self.url, Purpose::Write)?;
                begin(&mut conn)?;
                conn
            }
        };
        Ok(self.conn.insert(conn))
    }
}

fn answer_all(batch: Vec<Job>, outcome: &Result<(), Error>) {
    for job in batch {
        job.answer(outcome.clone());
    }
}

/// On SQLite a write transaction takes the lock immediately: one that reads first and then writes
/// would fail if another wrote in between.
fn begin(conn: &mut Conn) -> Result<(), Error> {
    match conn {
        Conn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
        }
        Conn::Postgres(_) => <Conn as Connection>::TransactionManager::begin_transaction(conn)?,
    }
    Ok(())
}
