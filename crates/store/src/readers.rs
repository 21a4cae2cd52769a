//! Reads on PostgreSQL: a few threads, and the connections that they share.

use super::conn::{Conn, Purpose};
use super::connector::Connector;
use super::figures::{Counters, Pool};
use super::shift::Shift;
use super::workers::{After, Job, Plan, WorkOutcome, Workers};
use super::{Error, Fails};
use config::DatabaseUrl;
use crossbeam_channel::Receiver;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a thread that cannot open a connection waits for one that is in use.
const WAIT: Duration = Duration::from_secs(2);

/// The queue, and the threads that empty it.
pub struct Readers {
    workers: Workers,
    idle: Receiver<Conn>,
    in_use: Arc<AtomicUsize>,
    most: u8,
}

impl Readers {
    /// Starts this many threads, which have as many connections at most. Connections are opened when
    /// they are needed.
    pub fn start(url: &DatabaseUrl, threads: u8, counters: &Arc<Counters>) -> Result<Self, Error> {
        let idle = crossbeam_channel::bounded(threads.into());
        let in_use = Arc::<AtomicUsize>::default();
        let (unused, used) = (idle.1.clone(), in_use.clone());
        let (url, counters) = (url.clone(), counters.clone());
        let plan = Plan {
            name: "reader",
            threads: threads.into(),
            is_replaced: true,
            make: Box::new(move || {
                let mut reader = Reader {
                    connector: Connector::new(&url, Purpose::Read, idle.clone()),
                    in_use: in_use.clone(),
                    counters: counters.clone(),
                };
                Box::new(move |job, _, shift| reader.serve(job, shift))
            }),
        };
        Ok(Self {
            workers: Workers::start(plan)?,
            idle: unused,
            in_use: used,
            most: threads,
        })
    }

    /// The state of the connections.
    pub fn pool(&self) -> Pool {
        Pool {
            in_use: self.in_use.load(Ordering::Relaxed) as u64,
            idle: self.idle.len() as u64,
            most: self.most.into(),
        }
    }

    /// Number of abandoned threads that still wait for the database.
    pub fn stalled(&self) -> u64 {
        self.workers.stalled()
    }

    /// Queues work that reads, and waits for its result. It may run again if its connection is
    /// lost.
    pub async fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        self.workers.call(work).await
    }
}

/// One thread. Threads share their connections, so that few threads at work open few of them.
struct Reader {
    connector: Connector,
    in_use: Arc<AtomicUsize>,
    counters: Arc<Counters>,
}

impl Reader {
    fn serve(&mut self, job: Job, shift: &Arc<Shift>) {
        job.take(shift);
        if catch_unwind(AssertUnwindSafe(|| self.run(job, shift))).is_err() {
            // The caller receives an error, and the connection is gone.
            tracing::error!("work in the database panicked");
        }
    }

    fn run(&mut self, mut job: Job, shift: &Shift) {
        while !shift.is_abandoned() {
            if job.is_late() {
                return job.answer(Err(Error::Unavailable("waited too long".into())));
            }
            let mut conn = match self.connection(shift) {
                Ok(conn) => conn,
                Err(error) => return job.answer(Err(error)),
            };
            // Ends after the connection is back.
            let _in_use = Use::begin(&self.in_use);
            let outcome = (job.work)(&mut conn);
            let WorkOutcome::RollBack(Some(error)) = outcome else {
                self.connector.give_back(conn);
                return job.answer(Ok(()));
            };
            if After::of(Some(&error), &conn) != After::Lost {
                self.connector.give_back(conn);
                return job.answer(Ok(()));
            }
            drop(conn);
            // After a restart of the database, or a failure of the path to it, all are lost.
            self.connector.close_idle();
            if let Some(error) = job.lose(error.clone()) {
                return job.answer(Err(error));
            }
            self.counters.note_rerun(&error);
        }
    }

    fn connection(&mut self, shift: &Shift) -> Result<Conn, Error> {
        // The server may allow no more connections than there are.
        match self.connector.connect(shift) {
            Err(error) if self.in_use.load(Ordering::Relaxed) > 0 => {
                self.connector.wait_for_idle(WAIT).ok_or(error)
            }
            opened => opened,
        }
    }
}

/// The use of one connection.
struct Use<'a>(&'a AtomicUsize);

impl<'a> Use<'a> {
    fn begin(in_use: &'a AtomicUsize) -> Self {
        in_use.fetch_add(1, Ordering::Relaxed);
        Self(in_use)
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
