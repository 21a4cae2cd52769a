//! Connections and open files: idle connections of strangers must not use up the files that the
//! process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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
    fn idle_connections_stay_longer_behind_a_proxy() {
        assert_eq!(keep_alive(false).as_secs(), 15);
        assert_eq!(keep_alive(true).as_secs(), 75);
    }
}
