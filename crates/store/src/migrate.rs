//! The schema: migrations, and the triggers that guard the audit log.
//!
//! A database whose schema is current is only read. So a start takes no lock that waits for a
//! long write, and needs no right to change the schema.

use super::conn::{Conn, Purpose};
use super::{Error, audit};
use config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// An arbitrary number that other programs do not use as an advisory lock in the same database.
const MIGRATION_LOCK: i64 = 0x646f_6f72_636f_6465;

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

/// Compares the schema with this program. Only reads. Fails with [`Error::Newer`] if a migration was
/// applied that this program does not know.
pub fn schema(conn: &mut Conn) -> Result<Schema, Error> {
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
    let applied = "SELECT version AS name FROM __diesel_schema_migrations ORDER BY version";
    let applied = names(conn, applied)?;
    let known = known()?;
    if let Some(newer) = applied.iter().rfind(|version| !known.contains(version)) {
        return Err(Error::Newer(newer.clone()));
    }
    if !known.iter().all(|version| applied.contains(version)) {
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

fn names(conn: &mut Conn, query: &str) -> Result<Vec<String>, Error> {
    let rows: Vec<Name> = diesel::sql_query(query).get_results(conn)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// The versions of all migrations of this program.
fn known() -> Result<Vec<String>, Error> {
    use diesel::migration::{Migration, MigrationSource};
    let migrations: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
        MIGRATIONS.migrations().map_err(failed)?;
    let version = |it: Box<dyn Migration<_>>| it.name().version().to_string();
    Ok(migrations.into_iter().map(version).collect())
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Other(format!("the database could not be migrated: {error}"))
}

/// Applies pending migrations; returns which ran. Several servers may start concurrently: one
/// migrates, the others wait.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, Error> {
    let names = |versions: Vec<diesel::migration::MigrationVersion<'_>>| {
        versions.iter().map(ToString::to_string).collect()
    };
    let mut conn = Conn::open(url, Purpose::Write)?;
    if schema(&mut conn)? == Schema::Current {
        return Ok(Vec::new());
    }
    match conn {
        Conn::Sqlite(mut conn) => conn.immediate_transaction(|conn| {
            let ran = conn.run_pending_migrations(MIGRATIONS);
            let ran = ran.map(names).map_err(failed)?;
            conn.batch_execute(audit::SQLITE_GUARD)?;
            Ok(ran)
        }),
        Conn::Postgres(mut conn) => conn.transaction(|conn| {
            conn.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")?;
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(MIGRATION_LOCK)
                .execute(conn)?;
            let ran = conn.run_pending_migrations(MIGRATIONS);
            let ran = ran.map(names).map_err(failed)?;
            conn.batch_execute(audit::POSTGRES_GUARD)?;
            Ok(ran)
        }),
    }
}
