//! Writes share commits.
//!
//! Callers queue their work; the writer thread takes the queued work, runs each piece in its own
//! savepoint of one transaction, commits, and replies after the commit. So a result is always
//! durable, and a busy server flushes to disk once for many writes. There is one writer: SQLite
//! allows no more, and on PostgreSQL several were no faster, while their shared transactions
//! blocked each other.

use super::conn::{Conn, Purpose};
use super::{Error, Fails};
use config::DatabaseUrl;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The size of the queue. When it is full, writes fail with [`Error::Busy`].
const QUEUE: usize = 4096;

/// The most pieces of work in one commit.
const BATCH: usize = 128;

/// How often work is retried after a collision.
const RETRIES: usize = 5;

/// The queue, and the thread that empties it.
pub struct WriteQueue {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Work that waits for its commit. It is not generic over the result: generic code would be
/// compiled again for each use case.
struct Job {
    work: Box<dyn FnMut(&mut Conn) -> WorkOutcome + Send>,
    /// The error of its savepoint.
    failure: Option<Error>,
    reply: oneshot::Sender<Result<(), Error>>,
}

/// Whether to keep the writes of the work. The work stores its result itself.
enum WorkOutcome {
    /// Commit it.
    Commit,
    /// Roll it back.
    RollBack(After),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Done,
    /// The work collided with a concurrent one and must run again.
    Again,
    /// The connection is lost, and with it the transaction.
    Lost,
}

impl After {
    fn of(error: Option<&Error>) -> Self {
        match error {
            Some(Error::Collision) => Self::Again,
            Some(Error::Unavailable(_)) => Self::Lost,
            _ => Self::Done,
        }
    }
}

enum Rollback {
    Work(After),
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for Rollback {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

impl Job {
    /// Runs the work in a savepoint.
    fn run(&mut self, conn: &mut Conn) -> After {
        let result = conn.transaction(|conn| match (self.work)(conn) {
            WorkOutcome::Commit => Ok(()),
            WorkOutcome::RollBack(after) => Err(Rollback::Work(after)),
        });
        self.failure = None;
        match result {
            Ok(()) => After::Done,
            Err(Rollback::Work(after)) => after,
            Err(Rollback::Database(error)) => {
                let error = Error::from(error);
                let after = After::of(Some(&error));
                self.failure = Some(error);
                after
            }
        }
    }

    /// Reports the commit or its error to the caller.
    fn answer(self, committed: Result<(), Error>) {
        let committed = committed.and(self.failure.map_or(Ok(()), Err));
        // The caller may no longer wait for a reply; the work is done regardless.
        let _ = self.reply.send(committed);
    }
}

impl WriteQueue {
    /// Starts the writer thread.
    pub fn start(url: &DatabaseUrl) -> Result<Self, Error> {
        let (jobs, receiver) = crossbeam_channel::bounded(QUEUE);
        let mut writer = Writer {
            url: url.clone(),
            conn: None,
        };
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || writer.serve(&receiver))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues work and waits until it is committed, or rolled back with its error.
    pub async fn write<F, T, E>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        let result = Arc::new(Mutex::new(None));
        let kept = result.clone();
        let work = Box::new(move |conn: &mut Conn| {
            let result = work(conn);
            let outcome = match &result {
                Ok(_) => WorkOutcome::Commit,
                Err(error) => WorkOutcome::RollBack(After::of(error.store_error())),
            };
            *lock(&kept) = Some(result);
            outcome
        });
        self.commit(work).await?;
        let result = lock(&result).take();
        result.unwrap_or_else(|| Err(Error::Unavailable("the writer did not run".into()).into()))
    }

    /// Queues work that stores its own result, and waits until it is committed or rolled back.
    async fn commit(
        &self,
        work: Box<dyn FnMut(&mut Conn) -> WorkOutcome + Send>,
    ) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            work,
            failure: None,
            reply,
        };
        let jobs = lock(&self.jobs).clone();
        let stopped = || Error::Unavailable("the server is stopping".into());
        // The sender is dropped before the wait: the writer ends when all are dropped, even if
        // this future is never polled again.
        let sent = jobs.ok_or_else(stopped)?.try_send(job);
        match sent {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(stopped())),
            Err(TrySendError::Full(_)) => Err(Error::Busy),
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }

    /// Accepts no more work, finishes the queue and ends the thread.
    pub fn stop(&self) {
        drop(lock(&self.jobs).take());
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl Drop for WriteQueue {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    url: DatabaseUrl,
    conn: Option<Conn>,
}

impl Writer {
    fn serve(&mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(job) = queue.try_recv()
            {
                batch.push(job);
            }
            if catch_unwind(AssertUnwindSafe(|| self.round(batch))).is_err() {
                // The callers receive an error; the next batch uses a new connection.
                tracing::error!("work in the database panicked");
                self.conn = None;
            }
        }
    }

    /// Commits a batch. Collided work runs again, each piece in its own transaction, apart from
    /// the rest of its batch.
    fn round(&mut self, batch: Vec<Job>) {
        for job in self.commit(batch) {
            let mut waiting = vec![job];
            for _ in 0..RETRIES {
                if !waiting.is_empty() {
                    waiting = self.commit(waiting);
                }
            }
            answer_all(waiting, &Err(Error::Collision));
        }
    }

    /// Runs a batch in one transaction and replies; returns the work that must run again.
    fn commit(&mut self, mut batch: Vec<Job>) -> Vec<Job> {
        let conn = match self.begun() {
            Ok(conn) => conn,
            Err(error) => {
                answer_all(batch, &Err(error));
                return Vec::new();
            }
        };
        let mut after = Vec::with_capacity(batch.len());
        for job in &mut batch {
            after.push(job.run(conn));
            if after.last() == Some(&After::Lost) {
                break;
            }
        }
        let committed = match after.last() {
            Some(After::Lost) => Err(Error::Unavailable("the database went away".into())),
            _ => <Conn as Connection>::TransactionManager::commit_transaction(conn)
                .map_err(Error::from),
        };
        if let Err(error) = &committed {
            // A new connection replaces the transaction, whatever its state.
            self.conn = None;
            if matches!(error, Error::Collision) {
                return batch;
            }
            answer_all(batch, &committed);
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
