//! Threads that run database work, each replaced if the database stops answering it.
//!
//! libpq blocks in the kernel. A peer that acknowledges packets and never answers would block a
//! thread, and all work behind it, for ever. Nothing can interrupt such a thread; instead callers
//! have a deadline, and a thread that makes no progress is *abandoned*: another one with a new
//! connection continues with the queue. An abandoned thread that wakes up runs and commits
//! nothing more.

use super::conn::Conn;
use super::shift::Shift;
use super::{Error, Fails, deadline, lock};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The size of a queue. When it is full, work fails with [`Error::Busy`].
const QUEUE: usize = 4096;

/// How often a waiting caller looks for stalled threads.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The most abandoned threads. Beyond it, work waits for one of them to wake up.
const MOST_ABANDONED: usize = 64;

/// How often work that lost its connection runs again: once more, on a new connection. An error
/// that comes back belongs to the work.
const RERUNS: u32 = 1;

/// The same after an error that the driver does not classify. It may be a deadlock or a wait for a
/// lock of another server, which can happen several times in a row.
const RERUNS_OF_UNKNOWN: u32 = 4;

/// Work is not begun with less time than this for its caller: what a whole batch usually takes.
const TIME_TO_RUN: Duration = Duration::from_millis(500);

/// How long stopping waits for the work in progress.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Whether to keep the writes of the work. The work stores its result itself.
pub enum WorkOutcome {
    /// Commit it.
    Commit,
    /// Roll it back. Holds the database's error, if it is one.
    RollBack(Option<Error>),
}

/// What follows the end of some work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The work is done, or has failed for good.
    Done,
    /// The work collided with a concurrent one and must run again.
    Again,
    /// The connection is lost or must not be trusted, and with it the transaction.
    Lost,
}

impl After {
    /// What follows work that ended with this error on this connection.
    pub fn of(error: Option<&Error>, conn: &Conn) -> Self {
        match error {
            Some(Error::Collision) => Self::Again,
            Some(Error::Unavailable(_) | Error::Full) => Self::Lost,
            Some(Error::ReadOnly | Error::Unknown(_)) if conn.is_postgres() => Self::Lost,
            _ => Self::Done,
        }
    }
}

/// Work that stores its own result. It is not generic over the result: generic code would be
/// compiled again for each use case.
pub type Work = Box<dyn FnMut(&mut Conn) -> WorkOutcome + Send>;

/// Queued work.
pub struct Job {
    /// The work.
    pub work: Work,
    /// The error of its savepoint.
    pub failure: Option<Error>,
    losses: u32,
    deadline: Instant,
    taken: Arc<OnceLock<Arc<Shift>>>,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Job {
    /// Notes which thread runs it.
    pub fn take(&self, shift: &Arc<Shift>) {
        let _ = self.taken.set(shift.clone());
    }

    /// Notes that the connection was lost with this error while the work ran on it. Returns the
    /// error if it must not run again.
    pub fn lose(&mut self, error: Error) -> Option<Error> {
        self.losses += 1;
        let reruns = match error {
            Error::Unknown(_) => RERUNS_OF_UNKNOWN,
            _ => RERUNS,
        };
        (self.losses > reruns).then(|| error.into_outage())
    }

    /// Whether its caller has been told that it failed.
    pub fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Whether its caller may be told that it failed before it is committed.
    pub fn is_nearly_late(&self) -> bool {
        Instant::now() + TIME_TO_RUN >= self.deadline
    }

    /// Reports the end of the work, or its error, to the caller.
    pub fn answer(self, done: Result<(), Error>) {
        let done = done.and(self.failure.map_or(Ok(()), Err));
        // The caller may no longer wait for a reply; the work is done regardless.
        let _ = self.reply.send(done);
    }
}

/// Runs one job, and more that it takes from the queue itself.
type Run = Box<dyn FnMut(Job, &Receiver<Job>, &Arc<Shift>) + Send>;

/// How to start workers.
pub struct Plan {
    /// Name of the threads.
    pub name: &'static str,
    /// Number of threads.
    pub threads: usize,
    /// Whether a stalled thread is replaced. With SQLite another thread would wait for the same
    /// lock.
    pub is_replaced: bool,
    /// Makes the state of one thread.
    pub make: Box<dyn Fn() -> Run + Send + Sync>,
}

/// A queue, and the threads that empty it.
pub struct Workers {
    plan: Plan,
    queue: Mutex<Option<Sender<Job>>>,
    jobs: Receiver<Job>,
    current: Mutex<Vec<Arc<Shift>>>,
    abandoned: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts the threads.
    pub fn start(plan: Plan) -> Result<Self, Error> {
        let (queue, jobs) = crossbeam_channel::bounded(QUEUE);
        let workers = Self {
            plan,
            queue: Mutex::new(Some(queue)),
            jobs,
            current: Mutex::default(),
            abandoned: Arc::default(),
        };
        for _ in 0..workers.plan.threads {
            let shift = workers.start_thread()?;
            lock(&workers.current).push(shift);
        }
        Ok(workers)
    }

    fn start_thread(&self) -> Result<Arc<Shift>, Error> {
        let (ended, running) = crossbeam_channel::bounded(0);
        let shift = Arc::new(Shift::new(running));
        let (own, jobs, abandoned) = (shift.clone(), self.jobs.clone(), self.abandoned.clone());
        let mut run = (self.plan.make)();
        let serve = move || {
            own.begin();
            while !own.is_abandoned()
                && let Ok(job) = jobs.recv()
            {
                own.step();
                run(job, &jobs, &own);
                own.rest();
            }
            if own.is_abandoned() {
                abandoned.fetch_sub(1, Ordering::Relaxed);
            }
            drop(run);
            drop(ended);
        };
        std::thread::Builder::new()
            .name(self.plan.name.into())
            .spawn(serve)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(shift)
    }

    /// Queues work and waits for its result. Fails with [`Error::Unavailable`] at the caller's
    /// deadline; the work may then still be done if it had begun.
    pub async fn call<F, T, E>(&self, mut work: F) -> Result<T, E>
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
                Err(error) => WorkOutcome::RollBack(error.store_error().cloned()),
            };
            *lock(&kept) = Some(result);
            outcome
        });
        self.run(work).await?;
        let result = lock(&result).take();
        result.unwrap_or_else(|| Err(Error::Unavailable("the work did not run".into()).into()))
    }

    /// Queues work that stores its own result, and waits until it is done.
    async fn run(&self, work: Work) -> Result<(), Error> {
        let (reply, mut answer) = oneshot::channel();
        let taken = Arc::new(OnceLock::new());
        let deadline = deadline::current();
        let job = Job {
            work,
            failure: None,
            losses: 0,
            deadline,
            taken: taken.clone(),
            reply,
        };
        let stopped = || Error::Unavailable("the server is stopping".into());
        // The sender is dropped before the wait: the threads end when all are dropped, even if
        // this future is never polled again.
        let sent = lock(&self.queue).clone().ok_or_else(stopped)?.try_send(job);
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(Error::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(stopped()),
        }
        loop {
            let look = deadline.min(Instant::now() + LOOK_EVERY);
            match tokio::time::timeout_at(look.into(), &mut answer).await {
                Ok(done) => {
                    let lost = || Error::Unavailable("the work was not completed".into());
                    return done.unwrap_or_else(|_| Err(lost()));
                }
                Err(_) => self.replace_stalled(),
            }
            let is_abandoned = taken.get().is_some_and(|shift| shift.is_abandoned());
            if is_abandoned || Instant::now() >= deadline {
                return Err(Error::Unavailable("no answer in time".into()));
            }
        }
    }

    fn replace_stalled(&self) {
        if !self.plan.is_replaced || lock(&self.queue).is_none() {
            return;
        }
        for shift in lock(&self.current).iter_mut() {
            if !shift.is_abandoned() {
                // Counted first: the thread uncounts itself as soon as it wakes up.
                let abandoned = self.abandoned.fetch_add(1, Ordering::Relaxed) + 1;
                if abandoned > MOST_ABANDONED || !shift.abandon_if_stalled() {
                    self.abandoned.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                tracing::error!(
                    abandoned,
                    "the database accepts work and does not answer: a new connection replaces that \
                     of a {}",
                    self.plan.name
                );
            }
            match self.start_thread() {
                Ok(fresh) => *shift = fresh,
                // The next caller that looks tries again.
                Err(error) => tracing::error!(?error, "cannot start a thread"),
            }
        }
    }

    /// Number of jobs in the queue.
    pub fn waiting(&self) -> u64 {
        self.jobs.len() as u64
    }

    /// Number of abandoned threads that still wait for the database.
    pub fn stalled(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed) as u64
    }

    /// Accepts no more work, finishes the queue and ends the threads, unless the database does not
    /// answer them.
    pub fn stop(&self) {
        drop(lock(&self.queue).take());
        let until = Instant::now() + STOP_WITHIN;
        for shift in lock(&self.current).drain(..) {
            // The last owner of the store may have been a piece of its work.
            if !shift.is_own() && !shift.ends_before(until) {
                tracing::error!("a {} did not end in time", self.plan.name);
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}
