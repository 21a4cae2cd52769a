//! A database for one test, with access for the test itself.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use doorcode::store::Conn;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use url::Url;

/// The environment variable that names the PostgreSQL server to test on.
const SERVER: &str = "DOORCODE_TEST_DATABASE";

/// A database of one test: a file, or a database on the server.
#[derive(Clone)]
pub struct Database {
    /// URL as in the configuration.
    pub url: String,
    location: Location,
    /// Connection of the test itself, shared by all its queries.
    connection: Arc<Mutex<Option<Conn>>>,
}

/// Location of a database.
#[derive(Clone)]
enum Location {
    File(PathBuf),
    /// Database name on the server.
    Server(String),
}

/// A database that each test copies instead of creating its own.
pub enum Template {
    /// Content of its file.
    File(Vec<u8>),
    /// Database name on the server.
    Server(String),
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// All audit records, sealed and unsealed.
pub const AUDIT: &str = "(
    SELECT id, at, action, actor_kind, actor_id, target, organization_id, address, detail, method
    FROM audit_event
    UNION ALL
    SELECT id, at, action, actor_kind, actor_id, target, organization_id, address, detail, method
    FROM audit_record
) AS audit";

/// Every table that can hold input or responses.
const TABLES: [&str; 25] = [
    "users",
    "account_link",
    "identity",
    "used_assertion",
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
    "device_answer",
    "throttle",
    "idempotency_record",
    "sealed_text",
    "audit_event",
    "audit_record",
    "audit_head",
    "audit_checkpoint",
    "audit_shipping",
    "token_use",
];

/// Tables that a request without effect may write: its response, its form and the attempt.
const TRACES: [&str; 3] = ["idempotency_record", "sealed_text", "throttle"];

/// The PostgreSQL server to test on, version 15 or later, if there is one.
fn server() -> Option<Url> {
    let server = std::env::var(SERVER).ok()?;
    Some(server.parse().unwrap())
}

/// Creates, copies or drops databases on the server. Connections are reused, since each one costs
/// the server a process.
fn administer(statements: &[&str]) {
    static IDLE: Mutex<Vec<PgConnection>> = Mutex::new(Vec::new());
    let idle = IDLE.lock().unwrap().pop();
    let connect = || PgConnection::establish(server().unwrap().as_str()).unwrap();
    let mut conn = idle.unwrap_or_else(connect);
    for statement in statements {
        conn.batch_execute(statement).unwrap();
    }
    IDLE.lock().unwrap().push(conn);
}

impl Database {
    /// Whether the suite runs on PostgreSQL.
    pub fn is_postgres() -> bool {
        std::env::var_os(SERVER).is_some()
    }

    fn file(&self) -> &Path {
        match &self.location {
            Location::File(file) => file,
            Location::Server(name) => panic!("{name} is no file"),
        }
    }

    /// Creates a database for one test: empty, or a copy of a template.
    pub fn create(directory: &Path, template: Option<&Template>) -> Self {
        let Some(server) = server() else {
            let file = directory.join("doorcode.db");
            if let Some(Template::File(content)) = template {
                std::fs::write(&file, content).unwrap();
            }
            return Self::at(format!("sqlite:{}", file.display()), Location::File(file));
        };
        let name = format!("t{}", hex::encode(rand::random::<[u8; 10]>()));
        let template = match template {
            Some(Template::Server(template)) => template,
            _ => "template1",
        };
        // Copies the caches of the system tables too, which the first connection would build
        // otherwise.
        administer(&[&format!(
            "CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
        )]);
        let mut url = server;
        url.set_path(&name);
        Self::at(url.to_string(), Location::Server(name))
    }

    fn at(url: String, location: Location) -> Self {
        Self {
            url,
            location,
            connection: Arc::default(),
        }
    }

    /// Creates a template of the current content, once the server that used it has stopped. On a
    /// database server it replaces the template of an earlier run.
    pub fn template(&self, name: &str) -> Template {
        match &self.location {
            Location::File(file) => {
                self.execute("PRAGMA wal_checkpoint(TRUNCATE)");
                Template::File(std::fs::read(file).unwrap())
            }
            Location::Server(own) => {
                self.cut_connections();
                *self.connection.lock().unwrap() = None;
                administer(&[
                    &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                    &format!("CREATE DATABASE {name} TEMPLATE {own}"),
                ]);
                Template::Server(name.to_owned())
            }
        }
    }

    /// Drops the database and its open connections.
    pub fn remove(&self) {
        *self.connection.lock().unwrap() = None;
        if let Location::Server(name) = &self.location {
            administer(&[&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]);
        }
    }

    fn connect(&self) -> Conn {
        match &self.location {
            Location::Server(_) => Conn::Postgres(PgConnection::establish(&self.url).unwrap()),
            Location::File(file) => {
                let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                Conn::Sqlite(conn)
            }
        }
    }

    /// Runs a query on the connection of the test.
    fn with<T>(&self, query: impl FnOnce(&mut Conn) -> T) -> T {
        let mut connection = self.connection.lock().unwrap();
        query(connection.get_or_insert_with(|| self.connect()))
    }

    /// Changes the database without the server.
    pub fn execute(&self, sql: &str) {
        self.with(|conn| conn.batch_execute(sql)).unwrap();
    }

    /// The same. Returns whether the database accepted the change.
    pub fn try_execute(&self, sql: &str) -> bool {
        self.with(|conn| conn.batch_execute(sql)).is_ok()
    }

    /// Drops the triggers that protect sealed records from attackers with write access.
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

    /// Number of rows of a table that meet a condition.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        let query = diesel::sql_query(format!(
            "SELECT count(*) AS count FROM {table} WHERE {condition}"
        ));
        let count: Count = self.with(|conn| query.get_result(conn)).unwrap();
        count.count
    }

    /// Every row of every table, as text. Empty if no server has created the database yet.
    pub fn dump(&self) -> String {
        let tables = match Self::is_postgres() {
            true => {
                "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()"
            }
            false if !self.file().exists() => return String::new(),
            false => "SELECT name AS line FROM sqlite_schema WHERE type = 'table'",
        };
        let tables = self.lines(tables);
        self.rows(tables.iter().map(String::as_str)).join("\n")
    }

    /// Every row of every table, without the traces of requests that changed nothing.
    pub fn content(&self) -> Vec<String> {
        let mut rows = self.rows(TABLES.into_iter().filter(|table| !TRACES.contains(table)));
        rows.sort_unstable();
        rows
    }

    /// Rows of tables, each with the name of its table.
    fn rows<'a>(&self, tables: impl Iterator<Item = &'a str>) -> Vec<String> {
        let queries: Vec<_> = if Self::is_postgres() {
            tables
                .map(|table| format!("SELECT '{table} ' || t::text AS line FROM {table} t"))
                .collect()
        } else {
            let query = |table| {
                let columns = self.lines(&format!(
                    "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') AS line
                     FROM pragma_table_info('{table}')"
                ));
                format!("SELECT '{table} ' || {} AS line FROM {table}", columns[0])
            };
            tables.map(query).collect()
        };
        match queries.is_empty() {
            true => Vec::new(),
            false => self.lines(&queries.join(" UNION ALL ")),
        }
    }

    /// The column `line` of a query result.
    fn lines(&self, sql: &str) -> Vec<String> {
        let query = diesel::sql_query(sql);
        let lines: Vec<Line> = self.with(|conn| query.get_results(conn)).unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Runs a statement in a transaction that stays open, with all its locks, until the result is
    /// dropped.
    pub fn hold(&self, sql: &str) -> Conn {
        let begin = match Self::is_postgres() {
            true => "BEGIN",
            false => "BEGIN IMMEDIATE",
        };
        let mut conn = self.connect();
        conn.batch_execute(&format!("{begin}; {sql}")).unwrap();
        conn
    }

    /// The same for a reader, which lets others write.
    pub fn hold_read(&self, query: &str) -> Conn {
        let mut conn = self.connect();
        conn.batch_execute(&format!("BEGIN; {query}")).unwrap();
        conn
    }

    /// First column of the first row of a query result, as text.
    pub fn text(&self, sql: &str) -> String {
        let query = diesel::sql_query(format!("SELECT CAST(({sql}) AS TEXT) AS line"));
        let line: Line = self.with(|conn| query.get_result(conn)).unwrap();
        line.line
    }

    /// The plan of a query, one step a line. PostgreSQL plans as for large tables.
    pub fn plan(&self, sql: &str) -> String {
        let mut conn = self.connect();
        let steps: Vec<_> = match Self::is_postgres() {
            true => {
                conn.batch_execute("SET enable_seqscan = off").unwrap();
                let query = diesel::sql_query(format!("EXPLAIN {sql}"));
                let steps = query.load::<PostgresStep>(&mut conn).unwrap();
                steps.into_iter().map(|step| step.detail).collect()
            }
            false => {
                let query = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
                let steps = query.load::<Step>(&mut conn).unwrap();
                steps.into_iter().map(|step| step.detail).collect()
            }
        };
        steps.join("\n")
    }

    /// Makes the database unreachable for servers that use [`Outage::url`].
    pub fn outage(&self) -> Outage<'_> {
        if Self::is_postgres() {
            let role = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
            self.execute(&format!("CREATE ROLE {role} SUPERUSER NOLOGIN"));
            let mut url = Url::parse(&self.url).unwrap();
            url.set_username(&role).unwrap();
            return Outage(self, url.to_string());
        }
        let moved = self.file().with_extension("away");
        std::fs::create_dir(&moved).unwrap();
        let link = moved.join("link");
        Outage(self, format!("sqlite:{}/doorcode.db", link.display()))
    }

    /// Closes every connection of the servers that use this database. Returns their number.
    pub fn cut_connections(&self) -> usize {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE pid <> pg_backend_pid() AND datname = current_database()";
        self.with(|conn| diesel::sql_query(cut).execute(conn))
            .unwrap()
    }
}

/// A database that is unreachable until the outage ends.
pub struct Outage<'a>(&'a Database, String);

impl Outage<'_> {
    /// The URL at which it is unreachable.
    pub fn url(&self) -> &str {
        &self.1
    }

    /// Makes it reachable again.
    pub fn end(self) {
        if Database::is_postgres() {
            let role = Url::parse(&self.1).unwrap().username().to_owned();
            return self.0.execute(&format!("ALTER ROLE {role} LOGIN"));
        }
        let file = self.0.file();
        let link = file.with_extension("away").join("link");
        std::os::unix::fs::symlink(file.parent().unwrap(), link).unwrap();
    }
}
