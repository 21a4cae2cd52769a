//! The schema: migrations, and the triggers that guard the audit log.
//!
//! A database whose schema is current is only read. So a start takes no lock that waits for a
//! long write, and needs no right to change the schema.

use super::conn::{Begin, Conn, Purpose};
use super::{Error, audit};
use config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Text};
use std::time::Duration;

/// Version and SQL of each migration, in order.
const MIGRATIONS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The table of the migrations that were applied.
const APPLIED: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)";

/// An arbitrary number that other programs do not use as an advisory lock in the same database.
const MIGRATION_LOCK: i64 = 0x646f_6f72_636f_6465;

/// No limit while another server migrates. A lock on a table is waited for only shortly, since the
/// work of running servers queues behind the waiting migration.
const SERVER_MIGRATES: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = '5s'";
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// How often a migration is tried that other sessions block.
const ATTEMPTS: u32 = 5;

/// The time between two attempts, for the work that has queued behind the migration.
const PAUSE: Duration = Duration::from_secs(1);

/// The session that has held a lock on a table of the schema for the longest time.
const BLOCKER: &str = "
    SELECT concat('process ', a.pid, ' (', coalesce(nullif(a.application_name, ''), a.usename), ')')
        AS name
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
    WHERE l.granted AND l.pid <> pg_backend_pid()
    ORDER BY a.xact_start LIMIT 1";

/// How the schema of a database compares with this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There is none.
    Empty,
    /// Migrations are pending.
    Outdated,
    /// Triggers that guard the audit log are missing.
    Unguarded,
    /// Nothing is pending.
    Current,
}

/// One name.
#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Why a migration failed.
enum Failure {
    /// Other sessions hold locks.
    Locked,
    /// The role lacks a right, in the words of the server.
    NoRight(String),
    /// Another error.
    Other(Error),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Other(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Compares the schema with this program. Only reads. Fails with [`Error::Newer`] if a migration was
/// applied that this program does not know.
pub fn schema(conn: &mut Conn, begin: &Begin) -> Result<Schema, Error> {
    conn.begin_snapshot(begin)?;
    let schema = compare(conn);
    let ended = conn.end_snapshot();
    let schema = schema?;
    ended?;
    Ok(schema)
}

fn compare(conn: &mut Conn) -> Result<Schema, Error> {
    let (tables, triggers) = match conn {
        Conn::Postgres(_) => (
            "SELECT tablename::text AS name FROM pg_tables
             WHERE schemaname = current_schema() AND tablename = '__diesel_schema_migrations'",
            "SELECT tgname::text AS name FROM pg_trigger
             WHERE tgrelid = 'audit_record'::regclass AND NOT tgisinternal AND tgenabled <> 'D'",
        ),
        Conn::Sqlite(_) => (
            "SELECT name FROM sqlite_schema
             WHERE type = 'table' AND name = '__diesel_schema_migrations'",
            "SELECT name FROM sqlite_schema
             WHERE type = 'trigger' AND tbl_name = 'audit_record'",
        ),
    };
    if names(conn, tables)?.is_empty() {
        return Ok(Schema::Empty);
    }
    require_rights(conn)?;
    let applied = applied(conn)?;
    let is_known = |version: &&String| MIGRATIONS.iter().any(|(known, _)| known == version);
    if let Some(newer) = applied.iter().rfind(|version| !is_known(version)) {
        return Err(Error::Newer(newer.clone()));
    }
    if pending(&applied).next().is_some() {
        return Ok(Schema::Outdated);
    }
    let present = names(conn, triggers)?;
    let guards: &[&str] = match conn {
        Conn::Postgres(_) => &audit::POSTGRES_GUARDS,
        Conn::Sqlite(_) => &audit::SQLITE_GUARDS,
    };
    let is_there = |guard: &&str| present.iter().any(|name| name == guard);
    Ok(match guards.iter().all(is_there) {
        true => Schema::Current,
        false => Schema::Unguarded,
    })
}

/// Fails if the role may not use a table. Otherwise only the requests that use it would fail.
fn require_rights(conn: &mut Conn) -> Result<(), Error> {
    if !conn.is_postgres() {
        return Ok(());
    }
    let created = MIGRATIONS.iter().flat_map(|(_, sql)| sql.lines());
    let created = created.filter_map(|line| line.strip_prefix("CREATE TABLE "));
    let created = created.filter_map(|line| line.split([' ', '(']).next());
    let tables: Vec<_> = created.map(|table| format!("'{table}'")).collect();
    let refused = format!(
        "SELECT c.relname::text AS name FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
         WHERE c.relname = '__diesel_schema_migrations' AND NOT has_table_privilege(c.oid, 'SELECT')
            OR c.relname IN ({}) AND NOT (
                has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
         ORDER BY c.relname LIMIT 1",
        tables.join(", ")
    );
    match names(conn, &refused)?.first() {
        None => Ok(()),
        Some(table) => Err(Error::Other(format!(
            "the role of the database URL may not use the table {table}. Grant it SELECT, INSERT, \
             UPDATE and DELETE on all tables, or connect with the role that owns them."
        ))),
    }
}

fn names(conn: &mut Conn, query: &str) -> Result<Vec<String>, Error> {
    let rows: Vec<Name> = diesel::sql_query(query).get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// The versions of the migrations that were applied.
fn applied(conn: &mut Conn) -> Result<Vec<String>, Error> {
    names(
        conn,
        "SELECT version AS name FROM __diesel_schema_migrations ORDER BY version",
    )
}

fn pending(applied: &[String]) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    MIGRATIONS
        .iter()
        .filter(|(version, _)| !applied.iter().any(|it| it == version))
}

/// Applies pending migrations; returns which ran. Several servers may start concurrently: one
/// migrates, the others wait.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, Error> {
    let mut conn = Conn::open(url, Purpose::Write)?;
    if schema(&mut conn, &Begin::of(url))? == Schema::Current {
        return Ok(Vec::new());
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let why = match migrate_once(&mut conn) {
            Ok(ran) => return Ok(ran),
            Err(Failure::Locked) => blockers(&mut conn)?,
            Err(Failure::NoRight(why)) => {
                return Err(Error::Other(format!(
                    "the role of the database URL may not change the schema: {why}. Run `doorcode \
                     migrate` with the role that owns the database or its tables, and start again."
                )));
            }
            Err(Failure::Other(error)) => {
                return Err(match error {
                    Error::Unknown(why) | Error::Other(why) => {
                        Error::Other(format!("the database could not be migrated: {why}"))
                    }
                    error => error,
                });
            }
        };
        if attempt >= ATTEMPTS {
            return Err(Error::Other(format!(
                "the database could not be migrated: other sessions lock its tables{why}. End them, \
                 or wait for them, and start again."
            )));
        }
        tracing::warn!(
            attempt,
            "the migration waits: other sessions lock the tables of the database{why}"
        );
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no event tells that a lock of another session is free, except a lock that others wait for"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// The session that blocks, as the end of a clause.
fn blockers(conn: &mut Conn) -> Result<String, Error> {
    let found = conn.transaction(|conn| names(conn, BLOCKER))?;
    Ok(found
        .first()
        .map_or(String::new(), |name| format!("; the oldest is {name}")))
}

fn migrate_once(conn: &mut Conn) -> Result<Vec<String>, Failure> {
    match conn {
        Conn::Sqlite(_) => {
            conn.batch_execute("BEGIN IMMEDIATE")?;
            let ran = apply(conn, audit::SQLITE_GUARD);
            conn.batch_execute(if ran.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            ran
        }
        Conn::Postgres(_) => conn.transaction(|conn| {
            conn.batch_execute(SERVER_MIGRATES)?;
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(MIGRATION_LOCK)
                .execute(conn)?;
            conn.batch_execute(LOCK_TIMEOUT)?;
            apply(conn, audit::POSTGRES_GUARD)
        }),
    }
}

/// Runs the pending migrations, then creates the triggers.
fn apply(conn: &mut Conn, guard: &str) -> Result<Vec<String>, Failure> {
    run(conn, APPLIED)?;
    let applied = applied(conn)?;
    let mut ran = Vec::new();
    for (version, sql) in pending(&applied) {
        run(conn, sql)?;
        diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ($1)")
            .bind::<Text, _>(*version)
            .execute(conn)?;
        ran.push((*version).to_owned());
    }
    run(conn, guard)?;
    Ok(ran)
}

/// Runs statements. The driver does not classify the errors that count here, and their texts are in
/// the language of the server; so a block on the server raises errors of other kinds instead.
fn run(conn: &mut Conn, sql: &str) -> Result<(), Failure> {
    if !conn.is_postgres() {
        return Ok(conn.batch_execute(sql)?);
    }
    let block = format!(
        "DO $block$ BEGIN
            EXECUTE $sql${sql}$sql$;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'locked';
            WHEN insufficient_privilege OR invalid_schema_name THEN
                RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', MESSAGE = SQLERRM;
        END $block$"
    );
    conn.batch_execute(&block).map_err(|error| match error {
        DieselError::DatabaseError(DatabaseErrorKind::RestrictViolation, _) => Failure::Locked,
        DieselError::DatabaseError(DatabaseErrorKind::ExclusionViolation, info) => {
            Failure::NoRight(info.message().to_owned())
        }
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_in_order_and_have_the_versions_of_their_folders() {
        assert_eq!(MIGRATIONS[0].0, "20261128000000");
        assert!(MIGRATIONS.is_sorted_by(|one, next| one.0 < next.0));
        assert!(MIGRATIONS.iter().all(|(_, sql)| !sql.contains("$sql$")));
    }
}
