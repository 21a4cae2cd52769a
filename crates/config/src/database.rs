//! `[database]`: the database.

use super::postgres::PostgresUrl;
use super::table::Table;
use std::fmt;
use std::path::PathBuf;

/// The database settings.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database URL.
    pub url: DatabaseUrl,
}

impl Database {
    pub(super) fn read(table: &mut Table) -> Self {
        let usual = DatabaseUrl::Sqlite("data/doorcode.db".into());
        Self {
            url: table.text("url", usual, DatabaseUrl::parse),
        }
    }
}

/// A database URL. `Display` and `Debug` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL as libpq reads it.
    Postgres(String),
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
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            sqlite_path(path).map(Self::Sqlite)
        } else if let Some(url) = PostgresUrl::split(text) {
            url.check()?;
            Ok(Self::Postgres(text.to_owned()))
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
            Self::Postgres(text) => match PostgresUrl::split(text) {
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
