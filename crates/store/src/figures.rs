//! Counts of the database work of this server, for metrics. They are kept in memory, so that reading
//! them asks nothing of the database.

use super::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Kinds of database errors, as far as the driver tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The database cannot be reached, or does not answer in time.
    Unavailable,
    /// It accepts no writes.
    ReadOnly,
    /// Its disk is full.
    Full,
    /// The queue is full.
    Busy,
    /// Concurrent changes of the same rows.
    Collision,
    /// The driver hides the SQLSTATE.
    Unknown,
    /// A fault of a statement or of a stored value.
    Other,
}

impl ErrorKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Unavailable,
        Self::ReadOnly,
        Self::Full,
        Self::Busy,
        Self::Collision,
        Self::Unknown,
        Self::Other,
    ];

    /// The kind of an error. `None` for a duplicate, which is an answer like any other.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Unavailable(_) => Some(Self::Unavailable),
            Error::ReadOnly => Some(Self::ReadOnly),
            Error::Full => Some(Self::Full),
            Error::Busy => Some(Self::Busy),
            Error::Collision => Some(Self::Collision),
            Error::Unknown(_) => Some(Self::Unknown),
            Error::Corrupt { .. } | Error::Newer(_) | Error::Other(_) => Some(Self::Other),
            Error::Duplicate => None,
        }
    }

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::ReadOnly => "read_only",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Collision => "collision",
            Self::Unknown => "unknown",
            Self::Other => "other",
        }
    }

    /// The class of its SQLSTATE: the first two characters. Empty if it has none, or several.
    pub fn sqlstate_class(self) -> &'static str {
        match self {
            Self::Unavailable => "08",
            Self::ReadOnly => "25",
            Self::Full => "53",
            Self::Collision => "40",
            Self::Busy | Self::Unknown | Self::Other => "",
        }
    }
}

/// Counts for each kind of error.
pub type ByKind = [(ErrorKind, u64); ErrorKind::ALL.len()];

/// What is counted.
#[derive(Default)]
pub struct Counters {
    errors: [AtomicU64; ErrorKind::ALL.len()],
    reruns: [AtomicU64; ErrorKind::ALL.len()],
    commits: AtomicU64,
    writes: AtomicU64,
    writing_micros: AtomicU64,
}

impl Counters {
    /// Counts the error of work that has ended.
    pub fn note(&self, error: &Error) {
        add(&self.errors, error);
    }

    /// Counts work that runs again after this error.
    pub fn note_rerun(&self, error: &Error) {
        add(&self.reruns, error);
    }

    /// Counts a commit of several writes.
    pub fn note_commit(&self, writes: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
    }

    /// Adds the time that the writer has worked.
    pub fn note_writing(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or_default();
        self.writing_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The counts now, without what other parts know.
    pub fn read(&self) -> Figures {
        Figures {
            errors: read(&self.errors),
            reruns: read(&self.reruns),
            commits: self.commits.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            writing: Duration::from_micros(self.writing_micros.load(Ordering::Relaxed)),
            waiting: 0,
            stalled: 0,
            pool: None,
        }
    }
}

fn add(counts: &[AtomicU64], error: &Error) {
    if let Some(count) = ErrorKind::of(error).and_then(|kind| counts.get(kind as usize)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(counts: &[AtomicU64; ErrorKind::ALL.len()]) -> ByKind {
    ErrorKind::ALL.map(|kind| (kind, counts[kind as usize].load(Ordering::Relaxed)))
}

/// The connections that read on PostgreSQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pool {
    /// Those in use.
    pub in_use: u64,
    /// Open ones without work.
    pub idle: u64,
    /// The most that can be open.
    pub most: u64,
}

/// The state of the database work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Errors that callers received.
    pub errors: ByKind,
    /// Work that ran once more, by the error before.
    pub reruns: ByKind,
    /// Commits of the writer.
    pub commits: u64,
    /// Writes in these commits.
    pub writes: u64,
    /// Time for which the writer has worked.
    pub writing: Duration,
    /// Writes in the queue.
    pub waiting: u64,
    /// Threads that wait for an answer of the database without hope.
    pub stalled: u64,
    /// The connections that read; `None` on SQLite, where each thread has its own.
    pub pool: Option<Pool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_reruns_are_counted_by_kind() {
        let counters = Counters::default();
        for error in [Error::Duplicate, Error::Full, Error::ReadOnly, Error::Full] {
            counters.note(&error);
        }
        counters.note_rerun(&Error::Collision);
        counters.note_commit(3);
        counters.note_writing(Duration::from_millis(1500));
        let figures = counters.read();
        let counted = |counts: ByKind| -> Vec<_> {
            let counted = counts.into_iter().filter(|(_, count)| *count > 0);
            counted.map(|(kind, n)| (kind.as_str(), n)).collect()
        };
        assert_eq!(counted(figures.errors), [("read_only", 1), ("full", 2)]);
        assert_eq!(counted(figures.reruns), [("collision", 1)]);
        assert_eq!((figures.commits, figures.writes), (1, 3));
        assert_eq!(figures.writing.as_secs_f64(), 1.5);
    }
}
