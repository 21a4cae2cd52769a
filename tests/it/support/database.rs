//! A database for one test, and a look into it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::{Path, PathBuf};

/// The environment variable that names the PostgreSQL server to test on.
const SERVER: &str = "DOORCODE_TEST_DATABASE";

/// A database of a test's own: a file, or a schema of the server.
#[derive(Clone)]
pub struct Database {
    /// As the configuration names it.
    pub url: String,
    file: PathBuf,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every table that can hold what somebody typed or was told.
const TABLES: [&str; 10] = [
    "account",
    "setup_link",
    "organization",
    "membership",
    "session",
    "client",
    "token",
    "device_grant",
    "throttle",
    "audit_event",
];

impl Database {
    /// Whether the suite runs on PostgreSQL.
    pub fn is_postgres() -> bool {
        std::env::var_os(SERVER).is_some()
    }

    /// Makes a database for one test.
    pub fn create(directory: &Path) -> Self {
        let file = directory.join("doorcode.db");
        let url = match std::env::var(SERVER) {
            Err(_) => format!("sqlite:{}", file.display()),
            Ok(server) => {
                let schema = format!("t{}", hex::encode(rand::random::<[u8; 10]>()));
                let mut conn = PgConnection::establish(&server).unwrap();
                conn.batch_execute(&format!("CREATE SCHEMA {schema}"))
                    .unwrap();
                let separator = if server.contains('?') { '&' } else { '?' };
                format!("{server}{separator}options=-csearch_path%3D{schema}")
            }
        };
        Self { url, file }
    }

    fn postgres(&self) -> PgConnection {
        PgConnection::establish(&self.url).unwrap()
    }

    fn sqlite(&self) -> SqliteConnection {
        let mut conn = SqliteConnection::establish(self.file.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        conn
    }

    /// Changes the database behind the server's back.
    pub fn execute(&self, sql: &str) {
        match Self::is_postgres() {
            true => self.postgres().batch_execute(sql).unwrap(),
            false => self.sqlite().batch_execute(sql).unwrap(),
        }
    }

    /// How many rows of a table meet a condition.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        let query = diesel::sql_query(format!(
            "SELECT count(*) AS count FROM {table} WHERE {condition}"
        ));
        let count: Count = match Self::is_postgres() {
            true => query.get_result(&mut self.postgres()).unwrap(),
            false => query.get_result(&mut self.sqlite()).unwrap(),
        };
        count.count
    }

    /// Everything in the database, as text.
    pub fn dump(&self) -> String {
        if Self::is_postgres() {
            let mut conn = self.postgres();
            let rows = TABLES.iter().flat_map(|table| {
                diesel::sql_query(format!("SELECT t::text AS line FROM {table} t"))
                    .get_results::<Line>(&mut conn)
                    .unwrap()
            });
            return rows.map(|row| row.line + "\n").collect();
        }
        let beside = |suffix| PathBuf::from(format!("{}{suffix}", self.file.display()));
        [self.file.clone(), beside("-wal")]
            .iter()
            .filter_map(|file| std::fs::read(file).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }
}
