//! Whether the database accepts writes, known without a write for each question.
//!
//! On PostgreSQL the server writes a *heartbeat* each second. On SQLite this server is the only
//! writer, so its own writes are the evidence: an idle one leaves the disk alone, and a heartbeat
//! is written only after a write has failed.

use super::conn::Conn;
use super::{Error, Outage, lock};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Text};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A heartbeat counts for this long.
const FRESH: Duration = Duration::from_secs(3);

/// Two failed writes count as an outage for this time, even if heartbeats succeed: each may have
/// waited for locks twice.
const RECENT: Duration = Duration::from_secs(3);

/// After one failed write, the next heartbeat decides. Without one in this time, it counts as an
/// outage.
const UNDECIDED: Duration = Duration::from_millis(1500);

/// Heartbeats of servers that have ended are deleted after this time, in milliseconds.
pub(super) const KEPT: i64 = 60_000;

/// What is known about writing.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    beat: Option<(Instant, Result<(), Outage>)>,
    /// The last two failed writes.
    failures: [Option<Instant>; 2],
    /// When the first write failed that no successful heartbeat has followed.
    suspect_since: Option<Instant>,
}

impl Health {
    /// Notes the end of a write, with its error.
    pub fn note(&self, error: Option<&Error>) {
        if error.and_then(Error::outage).is_some() {
            let mut state = lock(&self.0);
            let now = Instant::now();
            state.failures = [state.failures[1], Some(now)];
            state.suspect_since.get_or_insert(now);
        }
    }

    /// Whether a write has failed, and no successful heartbeat has followed.
    pub fn is_suspect(&self) -> bool {
        lock(&self.0).suspect_since.is_some()
    }

    /// Notes the end of a heartbeat, and whether a write had failed before it began.
    pub fn beat(&self, result: Result<(), Outage>, was_suspect: bool) {
        let mut state = lock(&self.0);
        let now = Instant::now();
        match result {
            Ok(()) if was_suspect => state.suspect_since = None,
            // A write may have failed since; a heartbeat that follows it decides.
            Ok(()) => {}
            Err(_) => drop(state.suspect_since.get_or_insert(now)),
        }
        state.beat = Some((now, result));
    }

    /// Succeeds if the database accepted the last heartbeat, and the writes since then.
    pub fn check(&self) -> Result<(), Outage> {
        let state = lock(&self.0);
        let (at, result) = state.beat.ok_or(Outage::Database)?;
        result?;
        let is_failing = state
            .suspect_since
            .is_some_and(|at| at.elapsed() > UNDECIDED)
            || state.failures[0].is_some_and(|at| at.elapsed() < RECENT);
        match at.elapsed() > FRESH || is_failing {
            true => Err(Outage::Database),
            false => Ok(()),
        }
    }
}

/// A heartbeat.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// Identifies the running server; hexadecimal digits.
    pub server: String,
    /// The time, in milliseconds since 1970.
    pub at: i64,
}

/// Writes a heartbeat. `grow` makes PostgreSQL write a file too, since on a full disk small updates
/// may still find room.
pub fn write(conn: &mut Conn, beat: &Heartbeat, grow: bool) -> Result<(), Error> {
    match conn {
        Conn::Postgres(conn) => write_postgres(conn, beat, grow),
        Conn::Sqlite(conn) => {
            let updated = diesel::sql_query("UPDATE heartbeat SET at = $1 WHERE server = $2")
                .bind::<BigInt, _>(beat.at)
                .bind::<Text, _>(&beat.server)
                .execute(conn)?;
            if updated == 0 {
                diesel::sql_query("DELETE FROM heartbeat").execute(conn)?;
                diesel::sql_query("INSERT INTO heartbeat (at, server) VALUES ($1, $2)")
                    .bind::<BigInt, _>(beat.at)
                    .bind::<Text, _>(&beat.server)
                    .execute(conn)?;
            }
            Ok(())
        }
    }
}

/// Sorts a megabyte with little memory, which takes a file on the disk of the database, and no right
/// to create anything.
const GROW: &str = "
    DECLARE memory text := current_setting('work_mem');
    BEGIN
        SET LOCAL work_mem = '64kB';
        PERFORM count(*) FROM (
            SELECT repeat('x', 1000) || n AS text FROM generate_series(1, 1000) AS n ORDER BY text
        ) AS sorted;
        PERFORM set_config('work_mem', memory, true);
    END;";

/// One block on the server, which can tell a full disk: the driver cannot, so the block raises
/// another kind of error instead.
fn write_postgres(conn: &mut PgConnection, beat: &Heartbeat, grow: bool) -> Result<(), Error> {
    let Heartbeat { server, at } = beat;
    if !server.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Other(
            "the id of this server is not hexadecimal".into(),
        ));
    }
    let grow = if grow { GROW } else { "" };
    let old = at.saturating_sub(KEPT);
    let block = format!(
        "DO $$ BEGIN
            UPDATE heartbeat SET at = {at} WHERE server = '{server}';
            IF NOT FOUND THEN
                DELETE FROM heartbeat WHERE at < {old};
                INSERT INTO heartbeat (server, at) VALUES ('{server}', {at});
            END IF;
            {grow}
        EXCEPTION WHEN disk_full THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'full';
        END $$"
    );
    match diesel::sql_query(block).execute(conn) {
        Err(DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, _)) => Err(Error::Full),
        result => Ok(result.map(drop)?),
    }
}
