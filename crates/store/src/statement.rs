//! Helpers for statements and rows.

use super::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};
use domain::Instant;

/// A row, and what it stores.
pub(super) trait ReadRow {
    /// The value of the row.
    type Value;

    /// Reads the row. Fails with [`Error::Corrupt`] if it is invalid.
    fn read(self) -> Result<Self::Value, Error>;
}

impl ReadRow for NaiveDateTime {
    type Value = Instant;

    fn read(self) -> Result<Instant, Error> {
        Ok(self.and_utc())
    }
}

/// Rows of joined tables.
impl<A: ReadRow, B: ReadRow> ReadRow for (A, B) {
    type Value = (A::Value, B::Value);

    fn read(self) -> Result<Self::Value, Error> {
        Ok((self.0.read()?, self.1.read()?))
    }
}

/// Ways to run a statement.
pub(super) trait Statement: RunQueryDsl<Conn> + Sized {
    /// The first row of the result, if there is one.
    fn read_one<'query, R>(self, conn: &mut Conn) -> Result<Option<R::Value>, Error>
    where
        Self: LoadQuery<'query, Conn, R>,
        R: ReadRow,
    {
        let row = self.get_result(conn).optional()?;
        row.map(R::read).transpose()
    }

    /// The rows of the result.
    fn read_all<'query, R>(self, conn: &mut Conn) -> Result<Vec<R::Value>, Error>
    where
        Self: LoadQuery<'query, Conn, R>,
        R: ReadRow,
    {
        let rows = self.get_results(conn)?;
        rows.into_iter().map(R::read).collect()
    }

    /// Executes the statement.
    fn run(self, conn: &mut Conn) -> Result<(), Error>
    where
        Self: ExecuteDsl<Conn>,
    {
        self.execute(conn)?;
        Ok(())
    }

    /// Executes the statement; returns whether it changed exactly one row.
    fn changes_one(self, conn: &mut Conn) -> Result<bool, Error>
    where
        Self: ExecuteDsl<Conn>,
    {
        Ok(self.execute(conn)? == 1)
    }
}

impl<S: RunQueryDsl<Conn>> Statement for S {}

/// One page of a boxed query, plus one row if more follow: oldest or newest first by `created_at`,
/// then by id. A macro, since boxed queries share only method names.
macro_rules! one_page {
    ($query:expr, $page:expr, oldest($table:ident, $id:ident)) => {
        one_page!($query, $page, $table, $id, asc, gt)
    };
    ($query:expr, $page:expr, newest($table:ident, $id:ident)) => {
        one_page!($query, $page, $table, $id, desc, lt)
    };
    ($query:expr, $page:expr, $table:ident, $id:ident, $order:ident, $follows:ident) => {{
        let query = $query
            .order(($table::created_at.$order(), $table::$id.$order()))
            .limit($page.look_for());
        match $page.after() {
            Some((at, id)) => {
                let at = $crate::stored(at);
                let is_same = $table::created_at.eq(at);
                let follows = is_same.and($table::$id.$follows(id.to_owned()));
                query.filter($table::created_at.$follows(at).or(follows))
            }
            None => query,
        }
    }};
}
pub(super) use one_page;

/// Locks the row with an id against changes until the transaction ends. On SQLite the single
/// writer is the lock.
macro_rules! lock_row {
    ($conn:expr, $table:ident, $id:expr) => {
        if let Conn::Postgres(conn) = $conn {
            $table::table
                .find($id.as_str())
                .select($table::id)
                .for_update()
                .get_result::<String>(conn)
                .optional()?;
        }
    };
}
pub(super) use lock_row;

/// The table and the id of a row, for the error about an invalid value.
#[derive(Clone, Copy)]
pub(super) struct RowId<'a>(pub(super) &'static str, pub(super) &'a str);

impl RowId<'_> {
    /// Reads the value of a column.
    pub(super) fn read<T>(self, column: &'static str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| Error::Corrupt {
            table: self.0,
            column,
            id: self.1.to_owned(),
        })
    }

    /// Reads the value of a column that may be null.
    pub(super) fn read_nullable<T>(
        self,
        column: &'static str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        text.map(|text| self.read(column, parse(text))).transpose()
    }
}
