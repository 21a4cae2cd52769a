//! Keeps the write-ahead log of SQLite short.
//!
//! SQLite copies the log into the database after a commit once it has 16 MiB, as far as no reader
//! needs it, and starts it anew when no reader needs any of it. Two things defeat that: a reader that
//! keeps its snapshot open, and many short ones, of which at any moment one needs the end of the log.
//! So beyond 32 MiB the writer itself, between two batches, waits for the readers and truncates the log.
//! New readers start behind its end meanwhile. The wait is short, and rare while it is in vain, so that
//! an open snapshot does not delay writes; when it has ended, the log shrinks.

use super::{Conn, Error};
use config::DatabaseUrl;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Size of the log, in bytes, from which on the writer truncates it.
const LIMIT: u64 = 32 << 20;

/// Pause after an attempt in vain, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// The log of a database.
pub struct Wal {
    path: PathBuf,
    /// No attempt before this time.
    next: Option<Instant>,
    pause: Duration,
}

impl Wal {
    /// The log of a database; `None` for PostgreSQL.
    pub fn of(url: &DatabaseUrl) -> Option<Self> {
        let DatabaseUrl::Sqlite(path) = url else {
            return None;
        };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Some(Self {
            path: log.into(),
            next: None,
            pause: PAUSE,
        })
    }

    /// Truncates the log if it is long and no reader needs it.
    pub fn keep_short(&mut self, conn: &mut Conn) {
        let length = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        if length <= LIMIT || self.next.is_some_and(|next| Instant::now() < next) {
            return;
        }
        match conn.shorten_wal() {
            Ok(()) => {
                self.next = None;
                self.pause = PAUSE;
            }
            Err(error) => {
                if !matches!(error, Error::Busy) {
                    tracing::warn!(?error, "the log of SQLite cannot be truncated");
                } else if self.pause == LONGEST_PAUSE {
                    tracing::warn!(
                        bytes = length,
                        "a reader keeps an old state of the database open, so that the log of \
                         SQLite grows: end the program that reads it"
                    );
                }
                self.next = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
