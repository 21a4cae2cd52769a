//! Writes share commits.
//!
//! Callers queue their work; the writer thread takes the queued work, runs each piece in its own
//! savepoint of one transaction, commits, and replies after the commit. So a result is always
//! durable, and a busy server flushes to disk once for many writes. There is one writer: SQLite
//! allows no more, and on PostgreSQL several were no faster, while their shared transactions
//! blocked each other.

use super::conn::{Begin, Conn, Purpose};
use super::connector::Connector;
use super::figures::Counters;
use super::shift::Shift;
use super::turns::Turns;
use super::wal::Wal;
use super::workers::{After, Job, Plan, WorkOutcome, Workers};
use super::{Error, Fails};
use config::DatabaseUrl;
use crossbeam_channel::Receiver;
use diesel::connection::{Connection, TransactionManager};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most pieces of work in one commit.
const BATCH: usize = 128;

/// A commit follows after this time, even if work of its batch is left: callers wait for the whole
/// commit, and other servers for its locks.
const LONGEST: Duration = Duration::from_millis(200);

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

/// Runs the work in a savepoint. Returns what follows, and the database's error. `is_shared` tells
/// that other work is in the transaction.
fn run(job: &mut Job, conn: &mut Conn, is_shared: bool) -> (After, Option<Error>) {
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
    let after = match &error {
        // The savepoint is rolled back, and the rest of the batch may succeed. Alone, the work can
        // wait longer for a lock.
        Some(Error::Unknown(_)) if is_shared && job.failure.is_none() => After::Again,
        error => After::of(error.as_ref(), conn),
    };
    (after, error)
}

impl WriteQueue {
    /// Starts the writer thread.
    pub fn start(url: &DatabaseUrl, turns: Turns, counters: &Arc<Counters>) -> Result<Self, Error> {
        let plan = Plan {
            name: "writer",
            threads: 1,
            is_replaced: matches!(url, DatabaseUrl::Postgres(_)),
            make: {
                let (url, turns) = (url.clone(), Arc::new(turns));
                let counters = counters.clone();
                Box::new(move || {
                    let opened = crossbeam_channel::bounded(1);
                    let mut writer = Writer {
                        connector: Connector::new(&url, Purpose::Write, opened),
                        conn: None,
                        begin: Begin::of(&url),
                        turns: turns.clone(),
                        counters: counters.clone(),
                        wal: Wal::of(&url),
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

    /// Number of writes in the queue.
    pub fn waiting(&self) -> u64 {
        self.0.waiting()
    }

    /// Number of abandoned threads that still wait for the database.
    pub fn stalled(&self) -> u64 {
        self.0.stalled()
    }

    /// Accepts no more work, finishes the queue and ends the thread.
    pub fn stop(&self) {
        self.0.stop();
    }
}

struct Writer {
    connector: Connector,
    conn: Option<Conn>,
    begin: Begin,
    turns: Arc<Turns>,
    counters: Arc<Counters>,
    wal: Option<Wal>,
}

impl Writer {
    fn serve(&mut self, first: Job, queue: &Receiver<Job>, shift: &Arc<Shift>) {
        first.take(shift);
        let began = Instant::now();
        let mut batch = VecDeque::from([first]);
        while batch.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            job.take(shift);
            batch.push_back(job);
        }
        let turns = self.turns.clone();
        let _turn = turns.wait();
        if catch_unwind(AssertUnwindSafe(|| self.round(batch, shift))).is_err() {
            // The callers receive an error; the next batch uses a new connection.
            tracing::error!("work in the database panicked");
            self.conn = None;
        }
        self.counters.note_writing(began.elapsed());
        if let (Some(wal), Some(conn)) = (&mut self.wal, &mut self.conn) {
            wal.keep_short(conn);
        }
    }

    /// Commits a batch, in parts if it takes long. Work that collided, or whose part lost its
    /// connection, runs again, each piece in its own transaction.
    fn round(&mut self, mut batch: VecDeque<Job>, shift: &Shift) {
        while !batch.is_empty() {
            for job in self.commit(&mut batch, shift) {
                let mut again = vec![job];
                for _ in 0..RETRIES {
                    if !again.is_empty() {
                        again = self.commit(&mut again.into(), shift);
                    }
                }
                answer_all(again, &Err(Error::Collision));
            }
        }
    }

    /// Runs the next part of a batch in one transaction and replies; returns the work that must run
    /// again, and leaves the rest in the batch.
    fn commit(&mut self, batch: &mut VecDeque<Job>, shift: &Shift) -> Vec<Job> {
        let jobs = std::mem::take(batch).into_iter();
        let (late, in_time): (VecDeque<_>, _) = jobs.partition(Job::is_nearly_late);
        answer_all(late, &Err(too_late()));
        *batch = in_time;
        if shift.is_abandoned() {
            // The callers have an error already.
            batch.clear();
        }
        if batch.is_empty() {
            return Vec::new();
        }
        let counters = self.counters.clone();
        let conn = match self.begun(shift) {
            Ok(conn) => conn,
            Err(error) => {
                answer_all(batch.drain(..), &Err(error));
                return Vec::new();
            }
        };
        let (began, is_shared) = (Instant::now(), batch.len() > 1);
        let (mut done, mut again) = (Vec::new(), Vec::new());
        while began.elapsed() < LONGEST
            && let Some(mut job) = batch.pop_front()
        {
            // Until now the transaction held no lock that another server may wait for.
            let is_second = is_shared && done.len() + again.len() == 1;
            let (after, error) = match is_second.then(|| conn.limit_lock_waits()) {
                Some(Err(error)) => (After::Lost, Some(error)),
                _ => run(&mut job, conn, is_shared),
            };
            if shift.is_abandoned() {
                // The server rolls back.
                self.conn = None;
                return Vec::new();
            }
            match after {
                After::Done => done.push(job),
                After::Again => {
                    error.iter().for_each(|error| counters.note_rerun(error));
                    again.push(job);
                }
                After::Lost => {
                    // Nothing was committed, so that all of it can run again, on a new connection.
                    self.conn = None;
                    match error.clone().and_then(|error| job.lose(error)) {
                        Some(error) => job.answer(Err(error)),
                        None => {
                            error.iter().for_each(|error| counters.note_rerun(error));
                            again.push(job);
                        }
                    }
                    done.extend(again);
                    return done;
                }
            }
        }
        if done.iter().any(Job::is_late) {
            // Their callers have been told that they failed.
            if <Conn as Connection>::TransactionManager::rollback_transaction(conn).is_err() {
                self.conn = None;
            }
            done.extend(again);
            return done;
        }
        let committed = <Conn as Connection>::TransactionManager::commit_transaction(conn);
        match committed.map_err(Error::from) {
            Ok(()) => {
                counters.note_commit(done.len());
                answer_all(done, &Ok(()));
            }
            Err(error) => {
                // A new connection replaces the transaction, whatever its state.
                self.conn = None;
                match error {
                    Error::Collision => {
                        counters.note_rerun(&Error::Collision);
                        again.extend(done);
                    }
                    // The commit may have happened: the work must not run again.
                    error => answer_all(done, &Err(error.into_outage())),
                }
            }
        }
        again
    }

    /// A connection in a new transaction. A kept one may be lost, as after a restart of the
    /// database; a new one then replaces it.
    fn begun(&mut self, shift: &Shift) -> Result<&mut Conn, Error> {
        let kept = self
            .conn
            .take()
            .and_then(|mut conn| conn.begin_write(&self.begin).ok().map(|()| conn));
        let conn = match kept {
            Some(conn) => conn,
            None => {
                let mut conn = self.connector.connect(shift)?;
                conn.begin_write(&self.begin)?;
                conn
            }
        };
        Ok(self.conn.insert(conn))
    }
}

fn too_late() -> Error {
    Error::Unavailable("waited too long".into())
}

fn answer_all(jobs: impl IntoIterator<Item = Job>, outcome: &Result<(), Error>) {
    for job in jobs {
        job.answer(outcome.clone());
    }
}
