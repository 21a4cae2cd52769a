//! Errors of the database.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a database operation failed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The database cannot be reached, or does not answer in time.
    Unavailable(String),
    /// The database accepts no writes.
    ReadOnly,
    /// The disk of the database is full.
    Full,
    /// The write queue is full.
    Busy,
    /// Concurrent writes of the same rows; the writer retries.
    Collision,
    /// A unique value already exists.
    Duplicate,
    /// A stored value is invalid.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
    },
    /// A newer version of this program made the schema; the version of its last migration.
    Newer(String),
    /// An error that the driver does not classify. On PostgreSQL this may be a state of the
    /// session or of the server, so that another connection may succeed: the driver hides the
    /// SQLSTATE, and the text is in the server's language.
    Unknown(String),
    /// Anything else.
    Other(String),
}

/// Why the database accepts no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It does not answer, or rejects writes for another reason than the following.
    Database,
    /// It is read-only, as a standby or a server with a full disk may be.
    ReadOnly,
    /// Its disk is full.
    Full,
}

impl Outage {
    /// The reason in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
        }
    }
}

impl Error {
    /// The error to report for work that must not run again: an unclassified one counts as an
    /// outage.
    pub(super) fn into_outage(self) -> Self {
        match self {
            Self::Unknown(why) => Self::Unavailable(why),
            error => error,
        }
    }

    /// The state of the database that this error shows. `None` for errors of the work itself.
    pub fn outage(&self) -> Option<Outage> {
        match self {
            Self::Unavailable(_) | Self::Busy | Self::Unknown(_) => Some(Outage::Database),
            Self::ReadOnly => Some(Outage::ReadOnly),
            Self::Full => Some(Outage::Full),
            Self::Collision
            | Self::Duplicate
            | Self::Corrupt { .. }
            | Self::Newer(_)
            | Self::Other(_) => None,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the database cannot be reached: {why}"),
            Self::ReadOnly => f.write_str("the database is read-only"),
            Self::Full => f.write_str("the disk of the database is full"),
            Self::Busy => f.write_str("too many writes are waiting"),
            Self::Collision => f.write_str("concurrent writes kept colliding"),
            Self::Duplicate => f.write_str("a unique value is there already"),
            Self::Corrupt { table, column, id } => {
                write!(f, "{table}.{column} of row {id} makes no sense")
            }
            Self::Newer(version) => write!(
                f,
                "the database was made by a newer Doorcode (schema version {version}). Start that \
                 one, or restore a backup."
            ),
            Self::Unknown(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let (kind, info) = match &error {
            DieselError::DatabaseError(kind, info) => (kind, info),
            // An earlier error has broken the transaction.
            DieselError::BrokenTransactionManager
            | DieselError::RollbackErrorOnCommit { .. }
            | DieselError::NotInTransaction
            | DieselError::AlreadyInTransaction => return Self::Unknown(error.to_string()),
            _ => return Self::Other(error.to_string()),
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Duplicate,
            // A referenced row was deleted concurrently: the retry finds it missing.
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ForeignKeyViolation => {
                Self::Collision
            }
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable(info.message().to_owned())
            }
            DatabaseErrorKind::ReadOnlyTransaction => Self::ReadOnly,
            DatabaseErrorKind::Unknown => unclassified(info.message()),
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The driver classifies few errors of SQLite; its texts are part of SQLite and in no other
/// language.
fn unclassified(message: &str) -> Error {
    match message {
        "database or disk is full" => Error::Full,
        "attempt to write a readonly database" => Error::ReadOnly,
        "disk I/O error" | "database is locked" => Error::Unavailable(message.to_owned()),
        _ => Error::Unknown(message.to_owned()),
    }
}

/// An error of database work: [`Error`], or one that wraps it.
pub trait Fails: From<Error> + Send + 'static {
    /// The database's error, if it is one.
    fn store_error(&self) -> Option<&Error>;
}

impl Fails for Error {
    fn store_error(&self) -> Option<&Error> {
        Some(self)
    }
}
