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

/// The records of the audit log, those that have their place in the chain and those that wait.
pub const AUDIT: &str = "(
    SELECT id, at, action, actor_kind, actor_id, target, organization_id, address, detail
    FROM audit_event
    UNION ALL
    SELECT id, at, action, actor_kind, actor_id, target, organization_id, address, detail
    FROM audit_record
) AS audit";

/// Every table that can hold what somebody typed or was told.
const TABLES: [&str; 20] = [
    "account",
    "setup_link",
    "organization",
    "membership",
    "invitation",
    "project",
    "project_member",
    "policy_grace",
    "session",
    "client",
    "token",
    "device_grant",
    "throttle",
    "idempotency",
    "audit_event",
    "audit_record",
    "audit_head",
    "audit_checkpoint",
    "audit_shipping",
    "token_use",
];

/// Tables that a call which changes nothing may write: what it was answered, and that it was
/// tried.
const TRACES: [&str; 2] = ["idempotency", "throttle"];

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
                format!(
                    "{server}{separator}application_name={schema}\
                     &options=-csearch_path%3D{schema}"
                )
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

    /// The same; whether the database let it.
    pub fn try_execute(&self, sql: &str) -> bool {
        match Self::is_postgres() {
            true => self.postgres().batch_execute(sql).is_ok(),
            false => self.sqlite().batch_execute(sql).is_ok(),
        }
    }

    /// Takes away what protects sealed records from whoever has the database.
    pub fn disarm(&self) {
        let triggers = [
            "kept",
            "stays",
            "is_fixed",
            "loses_texts",
            "is_new",
            "follows",
        ];
        for trigger in triggers.map(|name| format!("audit_record_{name}")) {
            self.execute(&match Self::is_postgres() {
                true => format!("DROP TRIGGER IF EXISTS {trigger} ON audit_record"),
                false => format!("DROP TRIGGER IF EXISTS {trigger}"),
            });
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

    /// Every row of every table, as text; nothing where no server was yet.
    pub fn dump(&self) -> String {
        let tables = match Self::is_postgres() {
            true => {
                "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()"
            }
            false if !self.file.exists() => return String::new(),
            false => "SELECT name AS line FROM sqlite_schema WHERE type = 'table'",
        };
        let tables = self.lines(tables);
        self.rows(tables.iter().map(String::as_str)).join("\n")
    }

    /// Every row of every table, but for the traces of calls that changed nothing.
    pub fn content(&self) -> Vec<String> {
        let mut rows = self.rows(TABLES.into_iter().filter(|table| !TRACES.contains(table)));
        rows.sort_unstable();
        rows
    }

    /// The rows of tables, each with the name of its table.
    fn rows<'a>(&self, tables: impl Iterator<Item = &'a str>) -> Vec<String> {
        let queries: Vec<_> = if Self::is_postgres() {
            tables
                .map(|table| format!("SELECT '{table} ' || t::text AS line FROM {table} t"))
                .collect()
        } else {
            let mut conn = self.sqlite();
            let mut query = |table| {
                let columns = format!(
                    "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') AS line
                     FROM pragma_table_info('{table}')"
                );
                let columns: Line = diesel::sql_query(columns).get_result(&mut conn).unwrap();
                format!("SELECT '{table} ' || {} AS line FROM {table}", columns.line)
            };
            tables.map(&mut query).collect()
        };
        match queries.is_empty() {
            true => Vec::new(),
            false => self.lines(&queries.join(" UNION ALL ")),
        }
    }

    /// The column `line` of what a query finds.
    fn lines(&self, sql: &str) -> Vec<String> {
        let query = diesel::sql_query(sql);
        let lines: Vec<Line> = match Self::is_postgres() {
            true => query.get_results(&mut self.postgres()).unwrap(),
            false => query.get_results(&mut self.sqlite()).unwrap(),
        };
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Does something in a transaction that stays open, with all its locks, until what is
    /// returned is dropped.
    pub fn hold(&self, sql: &str) -> Box<dyn std::any::Any> {
        if Self::is_postgres() {
            let mut conn = self.postgres();
            conn.batch_execute(&format!("BEGIN; {sql}")).unwrap();
            Box::new(conn)
        } else {
            let mut conn = self.sqlite();
            conn.batch_execute(&format!("BEGIN IMMEDIATE; {sql}"))
                .unwrap();
            Box::new(conn)
        }
    }

    /// The first column of the first row that a query finds, as text.
    pub fn text(&self, sql: &str) -> String {
        let query = diesel::sql_query(format!("SELECT CAST(({sql}) AS TEXT) AS line"));
        let line: Line = match Self::is_postgres() {
            true => query.get_result(&mut self.postgres()).unwrap(),
            false => query.get_result(&mut self.sqlite()).unwrap(),
        };
        line.line
    }

    /// Makes the database unreachable for servers that use [`Outage::url`].
    pub fn outage(&self) -> Outage<'_> {
        if Self::is_postgres() {
            let role = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
            self.execute(&format!("CREATE ROLE {role} SUPERUSER NOLOGIN"));
            let mut url = url::Url::parse(&self.url).unwrap();
            url.set_username(&role).unwrap();
            return Outage(self, url.to_string());
        }
        let moved = self.file.with_extension("away");
        std::fs::create_dir(&moved).unwrap();
        let link = moved.join("link");
        Outage(self, format!("sqlite:{}/doorcode.db", link.display()))
    }

    /// Cuts every connection of the servers that use this database; tells how many.
    pub fn cut_connections(&self) -> usize {
        let (_, schema) = self.url.split_once("search_path%3D").unwrap();
        diesel::sql_query(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid <> pg_backend_pid() AND application_name = '{schema}'"
        ))
        .execute(&mut self.postgres())
        .unwrap()
    }
}

/// A database that cannot be reached, until the outage ends.
pub struct Outage<'a>(&'a Database, String);

impl Outage<'_> {
    /// The address at which it cannot be reached.
    pub fn url(&self) -> &str {
        &self.1
    }

    /// Lets it be reached again.
    pub fn end(self) {
        if Database::is_postgres() {
            let role = url::Url::parse(&self.1).unwrap().username().to_owned();
            return self.0.execute(&format!("ALTER ROLE {role} LOGIN"));
        }
        let link = self.0.file.with_extension("away").join("link");
        std::os::unix::fs::symlink(self.0.file.parent().unwrap(), link).unwrap();
    }
}
