//! Connections and open files: idle connections of strangers must not use up the files that the
//! process may open.

use actix_web::dev::Extensions;
use rustix::net::listen;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::any::Any;
use std::cell::Cell;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long an idle connection stays open if clients connect directly.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// How long an idle connection stays open behind a proxy. A shorter time than the usual keep-alive
/// of proxies would break their connections; a longer one has no use.
const PROXY_IDLE_TIME: Duration = Duration::from_secs(75);

/// Open files that no connection may take: the database, the log, the mail server and the metrics.
const RESERVE: u64 = 256;

/// Maximum connections of one worker, whatever the limit of open files is.
const WORKER_CONNECTIONS: u64 = 25_600;

/// New connections that the system completes before a worker takes them. The standard library asks
/// for 128, which a burst exceeds. The system lowers it to a limit of its own (`somaxconn`).
const BACKLOG: i32 = 4096;

thread_local! {
    /// Open connections of this worker, each of which is a thread.
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

/// An open connection of this worker.
struct OpenConnection;

impl OpenConnection {
    fn new() -> Self {
        OPEN.set(OPEN.get() + 1);
        Self
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
    }
}

/// Counts a connection until its data is dropped.
pub(super) fn count_connection(_: &dyn Any, data: &mut Extensions) {
    data.insert(OpenConnection::new());
}

/// Maximum connections of each worker.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimit(pub(super) usize);

impl ConnectionLimit {
    /// Whether so many connections of this worker are open that none should stay open without a
    /// request. actix-web cannot close the idle connections of others, so a last quarter is never
    /// used for idle ones: clients still get an answer there while strangers hold the rest.
    pub fn is_near(self) -> bool {
        OPEN.get() > self.0 - self.0 / 4
    }
}

/// Lets more new connections wait than the standard library does.
pub(super) fn widen_backlog(listener: impl AsFd) -> std::io::Result<()> {
    Ok(listen(listener, BACKLOG)?)
}

/// The limit of open files before and after the start raised it; `u64::MAX` if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    /// The soft limit that the process was started with.
    pub before: u64,
    /// The limit in force.
    pub now: u64,
}

/// Raises the soft limit of open files to the hard one. Fails if the system refuses that; the
/// limit then stays.
pub fn raise_open_files() -> std::io::Result<OpenFiles> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?;
    Ok(OpenFiles {
        before: limit.current.unwrap_or(u64::MAX),
        now: open_files(),
    })
}

/// The limit of open files in force.
pub(super) fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Maximum connections of each worker, so that all together leave files for everything else.
/// Further ones wait until others end.
pub(super) fn connections_per_worker(open_files: u64, workers: usize) -> usize {
    let reserve = RESERVE.min(open_files / 2);
    let workers = u64::try_from(workers).unwrap_or(u64::MAX).max(1);
    let connections = ((open_files - reserve) / workers).clamp(1, WORKER_CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// How long an idle connection stays open.
pub(super) fn keep_alive(has_trusted_proxies: bool) -> Duration {
    match has_trusted_proxies {
        true => PROXY_IDLE_TIME,
        false => IDLE_TIME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_leave_open_files_for_the_rest() {
        for (open_files, workers, connections) in [
            (1024, 1, 768),
            (1024, 2, 384),
            (1024, 1024, 1),
            (256, 2, 64),
            (0, 1, 1),
            (8192, 2, 3968),
            (20_000, 1, 19_744),
            (1_048_576, 2, 25_600),
            (u64::MAX, 1, 25_600),
        ] {
            assert_eq!(
                connections_per_worker(open_files, workers),
                connections,
                "{open_files} open files, {workers} workers"
            );
        }
    }

    #[test]
    fn last_quarter_of_the_connections_is_not_for_idle_ones() {
        let limit = ConnectionLimit(8);
        let mut data: Vec<_> = (0..6).map(|_| OpenConnection::new()).collect();
        assert!(!limit.is_near());
        data.push(OpenConnection::new());
        assert!(limit.is_near());
        data.clear();
        assert!(!limit.is_near() && !ConnectionLimit(1).is_near());
    }

    #[test]
    fn burst_of_connections_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        widen_backlog(&listener).unwrap();
        let address = listener.local_addr().unwrap();
        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
        let most: usize = most.map_or(128, |most| most.trim().parse().unwrap());
        // None is accepted. One that finds the queue full waits a second and longer.
        let waiting: Vec<_> = (0..most.min(300))
            .map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(900)))
            .collect();
        assert!(waiting.iter().all(Result::is_ok));
    }

    #[test]
    fn idle_connections_stay_longer_behind_a_proxy() {
        assert_eq!(keep_alive(false).as_secs(), 15);
        assert_eq!(keep_alive(true).as_secs(), 75);
    }
}
