//! Copies a whole database into an empty one of the other kind, or of the same.
//!
//! The rows are read in one snapshot and written in one transaction, so the copy is complete or there
//! is none. They travel as arrays of JSON, in one form for both databases: a boolean is 0 or 1, and a
//! time is written as the driver of SQLite writes it. Before the commit the rows are read again from
//! the copy; the number and the hash of the rows of each table must be the same.

mod batch;
mod columns;

use super::Error;
use super::conn::{Begin, Conn, Purpose};
use super::migrate::{self, Schema};
use batch::{Batches, insert};
use columns::columns;
use config::DatabaseUrl;
use diesel::connection::{Connection, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use domain::audit::hash::Hash;

/// Tables that are not copied: those of running servers, and of the migrations, which the copy has
/// already.
const LEFT: [&str; 2] = ["heartbeat", "__diesel_schema_migrations"];

/// It follows the records: a trigger rejects records before the head.
const LAST: &str = "audit_head";

/// Rows that are read at once. Few of the uses of tokens: a row can have thousands of them.
fn rows_at_once(table: &str) -> i64 {
    match table {
        "token_use" => 16,
        "sealed_text" | "idempotency_record" => 100,
        _ => 1_000,
    }
}

/// Number and hash of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// Number of rows.
    pub rows: u64,
    /// Sum of the hashes of the rows, in hexadecimal, whatever their order.
    pub hash: String,
}

/// Progress of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The present table.
    pub table: &'a str,
    /// Rows that were copied or compared.
    pub done: u64,
    /// All rows, each of which is first copied and then compared.
    pub all: u64,
}

/// Copies a database into an empty one, whose schema is created. Fails with [`Error::Other`] in one line
/// if the databases are not as needed, and if the copy differs; then nothing was copied.
pub fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<TableSum>, Error> {
    let mut source = open_source(from)?;
    let mut target = open_target(to)?;
    source.begin_snapshot(&Begin::of(from))?;
    unlimited(&mut source)?;
    // On PostgreSQL there can be tables of other programs.
    let tables = match &target {
        Conn::Sqlite(_) => tables(&mut target)?,
        Conn::Postgres(_) => tables(&mut source)?,
    };
    let all = count_all(&mut source, &tables)? * 2;
    target.begin_write(&Begin::of(to))?;
    unlimited(&mut target)?;
    let mut done = 0;
    let mut note = |table: &str, rows| {
        done += rows;
        progress(Progress { table, done, all });
    };
    let mut copying = Copying {
        source: &mut source,
        target: &mut target,
        note: &mut note,
    };
    let copied = copying.fill(&tables);
    let ended = match &copied {
        Ok(_) => <Conn as Connection>::TransactionManager::commit_transaction(&mut target),
        Err(_) => <Conn as Connection>::TransactionManager::rollback_transaction(&mut target),
    };
    let copied = copied?;
    ended?;
    if let Conn::Postgres(conn) = &mut target {
        // The statistics of the planner.
        conn.batch_execute("ANALYZE")?;
    }
    Ok(copied)
}

/// A copy that runs.
struct Copying<'a> {
    source: &'a mut Conn,
    target: &'a mut Conn,
    note: &'a mut dyn FnMut(&str, u64),
}

impl Copying<'_> {
    /// Copies and compares all tables.
    fn fill(&mut self, tables: &[String]) -> Result<Vec<TableSum>, Error> {
        for table in tables {
            if is_any(self.target, table)? {
                return Err(Error::Other(format!(
                    "The target is not empty: the table {table} has rows. Name an empty database."
                )));
            }
        }
        let keys = defer(self.target)?;
        let mut sums = Vec::new();
        for table in tables {
            sums.push(self.copy(table)?);
        }
        undefer(self.target, &keys)?;
        for sum in &sums {
            if self.read(&sum.table)? != *sum {
                return Err(Error::Other(format!(
                    "The copy of the table {} differs from the original. Nothing was copied.",
                    sum.table
                )));
            }
        }
        Ok(sums)
    }

    /// Copies a table.
    fn copy(&mut self, table: &str) -> Result<TableSum, Error> {
        let columns = columns(self.source, table)?;
        let (mut sum, mut batches) = (
            Sum::default(),
            Batches::start(self.source, table, &columns)?,
        );
        while let Some(rows) = batches.next(self.source)? {
            sum.add(&rows)?;
            insert(self.target, table, &columns, &rows)?;
            (self.note)(table, rows.len() as u64);
        }
        batches.end(self.source)?;
        Ok(sum.of(table))
    }

    /// Reads the copy of a table.
    fn read(&mut self, table: &str) -> Result<TableSum, Error> {
        let columns = columns(self.target, table)?;
        let (mut sum, mut batches) = (
            Sum::default(),
            Batches::start(self.target, table, &columns)?,
        );
        while let Some(rows) = batches.next(self.target)? {
            sum.add(&rows)?;
            (self.note)(table, rows.len() as u64);
        }
        batches.end(self.target)?;
        Ok(sum.of(table))
    }
}

/// Adds up hashes of rows.
#[derive(Default)]
struct Sum {
    rows: u64,
    lanes: [u64; 4],
}

impl Sum {
    fn add(&mut self, rows: &[Vec<serde_json::Value>]) -> Result<(), Error> {
        for row in rows {
            let text = serde_json::to_vec(row).map_err(|error| Error::Other(error.to_string()))?;
            let hash = Hash::of(&[&text]);
            let (parts, _) = hash.as_bytes().as_chunks::<8>();
            for (lane, part) in self.lanes.iter_mut().zip(parts) {
                *lane = lane.wrapping_add(u64::from_be_bytes(*part));
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn of(&self, table: &str) -> TableSum {
        let hash = self.lanes.map(|lane| format!("{lane:016x}")).concat();
        TableSum {
            table: table.to_owned(),
            rows: self.rows,
            hash,
        }
    }
}

fn open_source(url: &DatabaseUrl) -> Result<Conn, Error> {
    let mut conn = Conn::open_existing(url)?;
    // The comparison has a snapshot of its own.
    conn.end_snapshot()?;
    match migrate::schema(&mut conn, &Begin::of(url))? {
        Schema::Current | Schema::Unguarded => {}
        Schema::Empty => return Err(Error::Other("The database has no tables.".into())),
        Schema::Outdated => {
            return Err(Error::Other(
                "The database is of an older version. Run `doorcode migrate` first.".into(),
            ));
        }
    }
    Ok(conn)
}

fn open_target(url: &DatabaseUrl) -> Result<Conn, Error> {
    let mut conn = Conn::open(url, Purpose::Write)?;
    if migrate::schema(&mut conn, &Begin::of(url))? != Schema::Current {
        migrate::migrate(url)?;
    }
    Ok(conn)
}

/// Lets the statements of the transaction take their time, and rows reference rows that follow.
fn unlimited(conn: &mut Conn) -> Result<(), Error> {
    let settings = match conn {
        Conn::Sqlite(_) => "PRAGMA defer_foreign_keys = ON",
        Conn::Postgres(_) => {
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL datestyle = 'ISO'"
        }
    };
    Ok(conn.batch_execute(settings)?)
}

/// A foreign key.
#[derive(QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    place: String,
}

/// Lets rows reference rows that follow. Returns the foreign keys.
fn defer(conn: &mut Conn) -> Result<Vec<ForeignKey>, Error> {
    let Conn::Postgres(conn) = conn else {
        return Ok(Vec::new());
    };
    let keys: Vec<ForeignKey> = diesel::sql_query(
        "SELECT conname::text AS name, conrelid::regclass::text AS place FROM pg_constraint
         WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0
           AND connamespace = current_schema()::regnamespace",
    )
    .get_results(conn)?;
    for ForeignKey { name, place } in &keys {
        conn.batch_execute(&format!(
            "ALTER TABLE {place} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED"
        ))?;
    }
    Ok(keys)
}

/// Checks them, and makes them immediate again.
fn undefer(conn: &mut Conn, keys: &[ForeignKey]) -> Result<(), Error> {
    let Conn::Postgres(conn) = conn else {
        return Ok(());
    };
    conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
    for ForeignKey { name, place } in keys {
        conn.batch_execute(&format!(
            "ALTER TABLE {place} ALTER CONSTRAINT {name} NOT DEFERRABLE"
        ))?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables that are copied.
fn tables(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
        }
        Conn::Postgres(_) => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()"
        }
    };
    let names: Vec<Name> = diesel::sql_query(query).get_results(conn)?;
    let names = names.into_iter().map(|row| row.name);
    let mut names: Vec<String> = names
        .filter(|name| !LEFT.contains(&name.as_str()))
        .collect();
    names.sort_by_key(|name| (name == LAST, name.clone()));
    Ok(names)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn is_any(conn: &mut Conn, table: &str) -> Result<bool, Error> {
    let query = format!("SELECT count(*) AS count FROM (SELECT 1 FROM {table} LIMIT 1) AS rows");
    Ok(diesel::sql_query(query).get_result::<Count>(conn)?.count > 0)
}

fn count_all(conn: &mut Conn, tables: &[String]) -> Result<u64, Error> {
    let mut all = 0;
    for table in tables {
        let query = format!("SELECT count(*) AS count FROM {table}");
        let found: Count = diesel::sql_query(query).get_result(conn)?;
        all += u64::try_from(found.count).unwrap_or_default();
    }
    Ok(all)
}
