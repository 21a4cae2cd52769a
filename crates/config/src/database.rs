//! `[database]`: the database.

use super::duration::SECOND;
use super::postgres::PostgresUrl;
use super::postgres_tls::PostgresTls;
use super::table::Table;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The database settings.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database URL.
    pub url: DatabaseUrl,
}

impl Database {
    pub(super) fn read(table: &mut Table) -> Self {
        let usual = DatabaseUrl::Sqlite("data/doorcode.db".into());
        let mut url = table.text("url", usual, DatabaseUrl::parse);
        let settings = PostgresSettings::read(table);
        if let DatabaseUrl::Postgres(postgres) = &mut url {
            postgres.settings = settings;
        }
        Self { url }
    }
}

/// How connections to PostgreSQL are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// The most connections for reading.
    pub readers: u8,
    /// The program between the server and the database.
    pub pooler: Pooler,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// How long a statement runs.
    pub statement_timeout: Duration,
}

/// A program that shares connections to PostgreSQL among its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// None, or one that gives each client a session of its own.
    None,
    /// PgBouncer in transaction mode: each transaction may have another session.
    Transaction,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            readers: 8,
            pooler: Pooler::None,
            lock_timeout: SECOND,
            statement_timeout: SECOND * 4,
        }
    }
}

impl PostgresSettings {
    fn read(table: &mut Table) -> Self {
        let usual = Self::default();
        // A request is answered within 10 seconds, and a connection without an answer for 5 seconds
        // is replaced.
        Self {
            readers: table.number("readers", usual.readers, 1..=64),
            pooler: table.choice(
                "pooler",
                [("none", Pooler::None), ("transaction", Pooler::Transaction)],
                "is neither none nor transaction",
            ),
            lock_timeout: table.duration("lock_timeout", usual.lock_timeout, SECOND..=SECOND * 3),
            statement_timeout: table.duration(
                "statement_timeout",
                usual.statement_timeout,
                SECOND..=SECOND * 4,
            ),
        }
    }
}

/// A PostgreSQL server, and how to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct Postgres {
    url: String,
    tls: Option<PostgresTls>,
    /// How connections are used.
    pub settings: PostgresSettings,
}

impl Postgres {
    /// The connection URL as libpq reads it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How connections are encrypted; `None` if they are not.
    pub fn tls(&self) -> Option<&PostgresTls> {
        self.tls.as_ref()
    }
}

/// A database URL. `Display` and `Debug` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Postgres),
}

impl DatabaseUrl {
    /// The kind of database, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// Parses a URL. The message never repeats it, since it may contain a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            sqlite_path(path).map(Self::Sqlite)
        } else if let Some(url) = PostgresUrl::split(text) {
            Ok(Self::Postgres(Postgres {
                tls: url.check()?.then(|| url.tls()).transpose()?,
                url: text.to_owned(),
                settings: PostgresSettings::default(),
            }))
        } else {
            Err(
                "write sqlite:data/doorcode.db or postgres://user:password@localhost/doorcode"
                    .to_owned(),
            )
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(postgres) => match PostgresUrl::split(&postgres.url) {
                Some(url) => f.write_str(&url.without_password()),
                None => f.write_str("postgres://***"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn sqlite_path(path: &str) -> Result<PathBuf, String> {
    let refuse = |reason: &str| Err(format!("{reason}; write sqlite:data/doorcode.db"));
    if path.starts_with(":memory:") {
        return refuse("a database in memory would lose all data when the server stops");
    }
    if path.starts_with("//") {
        return refuse("the path directly follows sqlite: without //");
    }
    if path.starts_with("file:") {
        return refuse("SQLite's file: addresses are not supported");
    }
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return refuse("sqlite: does not name a file");
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sqlite_names_a_file() {
        for path in ["data/doorcode.db", "/var/lib/doorcode.db", "ä b?c.db"] {
            let url = DatabaseUrl::parse(&format!("sqlite:{path}")).unwrap();
            assert_eq!(url, DatabaseUrl::Sqlite(path.into()));
            assert_eq!(url.to_string(), format!("sqlite:{path}"));
        }
        for (text, reason) in [
            ("sqlite:", "does not name a file"),
            ("sqlite:data/", "does not name a file"),
            ("sqlite:a\0b", "does not name a file"),
            ("sqlite::memory:", "in memory"),
            ("sqlite://data/doorcode.db", "without //"),
            ("sqlite:file:a?mode=memory", "file: addresses"),
            ("data/doorcode.db", "write sqlite:"),
            ("mysql://localhost/doorcode", "write sqlite:"),
            ("Postgres://localhost/doorcode", "write sqlite:"),
            ("", "write sqlite:"),
        ] {
            let message = DatabaseUrl::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            (
                "postgres://u:hunter2@localhost/d",
                "postgres://u:***@localhost/d",
            ),
            ("postgres://u:hunter2:x@/d", "postgres://u:***@/d"),
            (
                "postgres://u@localhost/d?password=hunter2&user=u",
                "postgres://u@localhost/d?password=***&user=u",
            ),
            (
                "postgres:///d?p%61ssword=hunter2&sslpassword=hunter2",
                "postgres:///d?password=***&sslpassword=***",
            ),
            ("postgres://localhost/d?", "postgres://localhost/d"),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(
                format!("{:?}", Database { url }),
                format!("Database {{ url: {shown} }}")
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_or_leaks(
            head in "(sqlite:|postgres://|postgresql://)?[a-z:,\\[\\]]{0,8}",
            tail in "[-a-z0-9%@:/?&=#,.\\[\\] é]{0,40}",
        ) {
            let text = format!("{head}:Hunter-2-Secret@{tail}");
            let shown = match DatabaseUrl::parse(&text) {
                Ok(DatabaseUrl::Sqlite(_)) => String::new(),
                Ok(url) => format!("{url:?}{url}"),
                Err(message) => message,
            };
            prop_assert!(!shown.contains("Hunter-2"), "{}", shown);
        }
    }
}
