//! The chain: its head, unsealed records, and sealed records.

use super::{ROWS, Row, columns, values};
use crate::schema::{audit_event, audit_head, audit_record};
use crate::statement::{ReadRow, RowId, Statement};
use crate::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::audit::canonical::Unreadable;
use domain::audit::chain::{Head, Sealed};
use domain::audit::hash::Hash;
use domain::audit::origin::Origin;
use domain::audit::record::Record;

/// The id of the only row of `audit_head`.
pub(super) const ONLY: i32 = 1;

/// The log, its head and its start.
#[derive(Debug, Clone)]
pub struct Log {
    /// The name of the log.
    pub origin: Origin,
    /// The head of the chain.
    pub head: Head,
    /// The pruned part; `None` if no record was pruned.
    pub pruned: Option<Pruned>,
}

/// How far a log has been pruned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The head at the last pruned record.
    pub head: Head,
    /// The signed note of that head.
    pub note: String,
}

impl Log {
    /// Head preceding the oldest stored record.
    pub fn start(&self) -> Head {
        let pruned = self.pruned.as_ref().map(|pruned| pruned.head);
        pruned.unwrap_or_else(|| Head::genesis(&self.origin))
    }
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = audit_head)]
struct HeadRow {
    origin: String,
    sequence: i64,
    hash: String,
    pruned_sequence: Option<i64>,
    pruned_hash: Option<String>,
    pruned_note: Option<String>,
}

impl ReadRow for HeadRow {
    type Value = Log;

    fn read(self) -> Result<Log, Error> {
        let row = RowId("audit_head", "1");
        let head = |sequence: i64, hash: &str| {
            let sequence = row.read("sequence", sequence.try_into().ok())?;
            let hash = row.read("hash", Hash::parse(hash))?;
            Ok::<_, Error>(Head { sequence, hash })
        };
        let pruned = match (self.pruned_sequence, self.pruned_hash) {
            (Some(sequence), Some(hash)) => Some(Pruned {
                head: head(sequence, &hash)?,
                note: self.pruned_note.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Log {
            origin: row.read("origin", Origin::parse(&self.origin))?,
            head: head(self.sequence, &self.hash)?,
            pruned,
        })
    }
}

/// Creates the log. Fails with [`Error::Duplicate`] if there is one.
pub fn insert_head(conn: &mut Conn, log: &Log) -> Result<(), Error> {
    diesel::insert_into(audit_head::table)
        .values((
            audit_head::id.eq(ONLY),
            audit_head::origin.eq(log.origin.as_str()),
            audit_head::sequence.eq(number(log.head.sequence)),
            audit_head::hash.eq(log.head.hash.to_string()),
        ))
        .run(conn)
}

/// The log, once created.
pub fn find_head(conn: &mut Conn) -> Result<Option<Log>, Error> {
    audit_head::table
        .find(ONLY)
        .select(HeadRow::as_select())
        .read_one::<HeadRow>(conn)
}

/// Locks the log against other sealers until the transaction ends; `None` if another server is
/// sealing. Waiting is unnecessary, and the lock of a crashed server ends with its connection.
pub fn lock_head(conn: &mut Conn) -> Result<Option<Log>, Error> {
    let Conn::Postgres(postgres) = conn else {
        // SQLite has one writer.
        return find_head(conn);
    };
    diesel::sql_query(
        "SELECT origin, sequence, hash, pruned_sequence, pruned_hash, pruned_note
         FROM audit_head WHERE id = 1 FOR UPDATE SKIP LOCKED",
    )
    .get_result::<HeadRow>(postgres)
    .optional()?
    .map(HeadRow::read)
    .transpose()
}

/// When the event of the last sealed record happened.
pub fn find_last_moment(conn: &mut Conn) -> Result<Option<Instant>, Error> {
    audit_record::table
        .order(audit_record::sequence.desc())
        .limit(1)
        .select(audit_record::at)
        .read_one::<NaiveDateTime>(conn)
}

/// The oldest unsealed records, with the sequence 0.
pub fn list_unsealed(conn: &mut Conn, limit: i64) -> Result<Vec<Record>, Error> {
    let rows = audit_event::table
        .order(audit_event::id)
        .limit(limit)
        .select(columns!(audit_event))
        .rows::<Row>(conn)?;
    rows.into_iter()
        .map(|row| {
            let id = row.id.clone();
            RowId("audit_event", &id).read("detail", row.record(0))
        })
        .collect()
}

/// Whether there are unsealed records.
pub fn is_any_unsealed(conn: &mut Conn) -> Result<bool, Error> {
    let any = audit_event::table.select(audit_event::id).limit(1);
    Ok(!any.rows::<String>(conn)?.is_empty())
}

/// The id of the unsealed record that would be sealed last.
pub fn find_last_unsealed(conn: &mut Conn) -> Result<Option<String>, Error> {
    let last = audit_event::table.select(diesel::dsl::max(audit_event::id));
    Ok(last.row(conn)?)
}

/// Appends sealed records to the log that the transaction has locked.
pub fn append(conn: &mut Conn, lines: &[Sealed]) -> Result<(), Error> {
    let Some(last) = lines.last() else {
        return Ok(());
    };
    for lines in lines.chunks(ROWS) {
        let rows: Vec<_> = lines
            .iter()
            .map(|Sealed { record, hash }| {
                (
                    audit_record::sequence.eq(number(record.sequence)),
                    audit_record::hash.eq(hash.to_string()),
                    values!(audit_record, record),
                )
            })
            .collect();
        match conn {
            Conn::Postgres(conn) => diesel::insert_into(audit_record::table)
                .values(rows)
                .execute(conn)?,
            Conn::Sqlite(conn) => diesel::insert_into(audit_record::table)
                .values(rows)
                .execute(conn)?,
        };
    }
    let ids: Vec<_> = lines.iter().map(|line| line.record.id.as_str()).collect();
    diesel::delete(audit_event::table.filter(audit_event::id.eq_any(ids))).changes(conn)?;
    diesel::update(audit_head::table.find(ONLY))
        .set((
            audit_head::sequence.eq(number(last.record.sequence)),
            audit_head::hash.eq(last.hash.to_string()),
        ))
        .run(conn)
}

/// A stored line: its sequence, and its contents if they can be parsed.
pub type Stored = (u64, Result<Sealed, Unreadable>);

/// The lines after a sequence. Whether they are unchanged is for the verifier to decide.
pub fn list_lines(conn: &mut Conn, after: u64, limit: i64) -> Result<Vec<Stored>, Error> {
    let rows = audit_record::table
        .filter(audit_record::sequence.gt(number(after)))
        .order(audit_record::sequence)
        .limit(limit)
        .select(columns!(audit_record, sequence, hash))
        .rows::<(i64, String, Row)>(conn)?;
    Ok(rows
        .into_iter()
        .map(|(sequence, hash, row)| (sequence.unsigned_abs(), line(sequence, &hash, row)))
        .collect())
}

/// The lines with these sequences that are unchanged.
pub(super) fn list_lines_at(conn: &mut Conn, sequences: &[u64]) -> Result<Vec<Sealed>, Error> {
    let sequences: Vec<_> = sequences.iter().map(|sequence| number(*sequence)).collect();
    let rows = audit_record::table
        .filter(audit_record::sequence.eq_any(sequences))
        .select(columns!(audit_record, sequence, hash))
        .rows::<(i64, String, Row)>(conn)?;
    let lines = rows
        .into_iter()
        .filter_map(|(sequence, hash, row)| line(sequence, &hash, row).ok());
    Ok(lines.collect())
}

/// Whether a line has a sequence below 1, which no record has.
pub fn is_any_misplaced(conn: &mut Conn) -> Result<bool, Error> {
    let found = audit_record::table
        .filter(audit_record::sequence.lt(1))
        .select(audit_record::sequence)
        .limit(1)
        .rows::<i64>(conn)?;
    Ok(!found.is_empty())
}

/// The records of an action, the oldest first. Unreadable records are skipped; the verifier
/// reports them.
pub fn list_of_action(conn: &mut Conn, action: &str) -> Result<Vec<Record>, Error> {
    let rows = audit_record::table
        .filter(audit_record::action.eq(action))
        .order(audit_record::sequence)
        .select(columns!(audit_record, sequence))
        .rows::<(i64, Row)>(conn)?;
    let records = rows.into_iter();
    Ok(records
        .filter_map(|(sequence, row)| row.record(sequence.try_into().ok()?))
        .collect())
}

/// The hash of a record of the log, which may be the one before its start.
pub fn find_hash(conn: &mut Conn, log: &Log, sequence: u64) -> Result<Option<Hash>, Error> {
    let start = log.start();
    if sequence == start.sequence {
        return Ok(Some(start.hash));
    }
    let hash: Option<String> = audit_record::table
        .find(number(sequence))
        .select(audit_record::hash)
        .row(conn)
        .optional()?;
    Ok(hash.and_then(|hash| Hash::parse(&hash)))
}

/// Parses a stored line.
pub(super) fn line(sequence: i64, hash: &str, row: Row) -> Result<Sealed, Unreadable> {
    let read = || {
        Some(Sealed {
            record: row.record(sequence.try_into().ok()?)?,
            hash: Hash::parse(hash)?,
        })
    };
    read().ok_or(Unreadable::NotCanonical)
}

/// A sequence as stored. There are never more than `i64` can count.
pub(super) fn number(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
