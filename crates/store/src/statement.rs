//! Helpers for statements and rows.

use super::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::serialize::ToSql;
use diesel::sql_types::Text;
use domain::Instant;
use std::marker::PhantomData;

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

/// The query language of both databases.
type Backend = <Conn as Connection>::Backend;

/// A query whose rows have the SQL type `ST`, without its own type. Code that runs a query is
/// generic over its type and is compiled for both databases; through this it is compiled once for
/// each type of row. Its text is built at each use, several times, so what every request needs goes
/// through [`on_connection`] instead.
pub(super) struct Erased<'q, ST> {
    query: &'q dyn QueryFragment<Backend>,
    row: PhantomData<ST>,
}

impl<'q, ST> Erased<'q, ST> {
    fn new(query: &'q dyn QueryFragment<Backend>) -> Self {
        let row = PhantomData;
        Self { query, row }
    }
}

impl<ST> QueryFragment<Backend> for Erased<'_, ST> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }
}

impl<ST> QueryId for Erased<'_, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Erased<'_, ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<Conn> for Erased<'_, ST> {}

/// Ways to run a statement.
pub(super) trait Statement: RunQueryDsl<Conn> + Sized {
    /// The first row of the result.
    fn row<R>(self, conn: &mut Conn) -> QueryResult<R>
    where
        Self: AsQuery<Query: QueryFragment<Backend>>,
        for<'q> Erased<'q, Self::SqlType>: LoadQuery<'q, Conn, R>,
    {
        Erased::new(&self.as_query()).get_result(conn)
    }

    /// The rows of the result.
    fn rows<R>(self, conn: &mut Conn) -> QueryResult<Vec<R>>
    where
        Self: AsQuery<Query: QueryFragment<Backend>>,
        for<'q> Erased<'q, Self::SqlType>: LoadQuery<'q, Conn, R>,
    {
        Erased::new(&self.as_query()).get_results(conn)
    }

    /// The value of the first row of the result, if there is one.
    fn read_one<R>(self, conn: &mut Conn) -> Result<Option<R::Value>, Error>
    where
        Self: AsQuery<Query: QueryFragment<Backend>>,
        for<'q> Erased<'q, Self::SqlType>: LoadQuery<'q, Conn, R>,
        R: ReadRow,
    {
        let row = self.row(conn).optional()?;
        row.map(R::read).transpose()
    }

    /// The values of the rows of the result.
    fn read_all<R>(self, conn: &mut Conn) -> Result<Vec<R::Value>, Error>
    where
        Self: AsQuery<Query: QueryFragment<Backend>>,
        for<'q> Erased<'q, Self::SqlType>: LoadQuery<'q, Conn, R>,
        R: ReadRow,
    {
        let rows = self.rows(conn)?;
        rows.into_iter().map(R::read).collect()
    }

    /// Executes the statement; returns how many rows it changed.
    fn changes(self, conn: &mut Conn) -> QueryResult<usize>
    where
        Self: QueryFragment<Backend>,
    {
        conn.execute_returning_count(&Erased::<()>::new(&self))
    }

    /// Executes the statement.
    fn run(self, conn: &mut Conn) -> Result<(), Error>
    where
        Self: QueryFragment<Backend>,
    {
        self.changes(conn)?;
        Ok(())
    }

    /// Executes the statement; returns whether it changed exactly one row.
    fn changes_one(self, conn: &mut Conn) -> Result<bool, Error>
    where
        Self: QueryFragment<Backend>,
    {
        Ok(self.changes(conn)? == 1)
    }
}

impl<S: RunQueryDsl<Conn>> Statement for S {}

/// Runs a query on the connection of the database itself, for what every request needs: its
/// prepared statement is found by its type, and its text is built only once. It is compiled for
/// each database.
macro_rules! on_connection {
    ($conn:expr, $own:ident => $query:expr) => {
        match $conn {
            $crate::Conn::Postgres($own) => $query,
            $crate::Conn::Sqlite($own) => $query,
        }
    };
}
pub(super) use on_connection;

/// A statement that is written as text, for what every request needs and the query builder cannot
/// cache or write. Its values are texts.
pub(super) trait Written {
    /// The text around the values.
    const TEXT: &'static [&'static str];

    /// The SQL types of the columns; `()` without any.
    type Columns;
}

/// A written statement with its values. Its prepared statement is found by its type.
pub(super) struct Fixed<'a, W, const VALUES: usize> {
    values: [&'a str; VALUES],
    written: PhantomData<W>,
}

impl<'a, W, const VALUES: usize> Fixed<'a, W, VALUES> {
    pub(super) fn new(values: [&'a str; VALUES]) -> Self {
        let written = PhantomData;
        Self { values, written }
    }
}

impl<DB, W: Written, const VALUES: usize> QueryFragment<DB> for Fixed<'_, W, VALUES>
where
    DB: diesel::backend::Backend,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for text in W::TEXT {
            pass.push_sql(text);
            if let Some(value) = values.next() {
                pass.push_bind_param::<Text, _>(*value)?;
            }
        }
        Ok(())
    }
}

impl<W: 'static, const VALUES: usize> QueryId for Fixed<'_, W, VALUES> {
    type QueryId = Fixed<'static, W, VALUES>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<W: Written, const VALUES: usize> Query for Fixed<'_, W, VALUES> {
    type SqlType = W::Columns;
}

impl<C, W, const VALUES: usize> RunQueryDsl<C> for Fixed<'_, W, VALUES> {}

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
