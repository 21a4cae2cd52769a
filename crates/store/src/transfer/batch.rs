//! Reading and writing rows in batches.

use super::columns::Column;
use crate::{Conn, Error};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::Value;

/// The cursor on PostgreSQL.
const CURSOR: &str = "doorcode_transfer";

/// A row, as its values.
pub(super) type RowValues = Vec<Value>;

/// The rows of a table, some at a time.
pub(super) struct Batches<'a> {
    columns: &'a [Column],
    query: String,
    at_once: i64,
    /// The last row on SQLite.
    after: i64,
}

#[derive(QueryableByName)]
struct Lines {
    #[diesel(sql_type = Text)]
    lines: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl<'a> Batches<'a> {
    pub(super) fn start(
        conn: &mut Conn,
        table: &str,
        columns: &'a [Column],
    ) -> Result<Self, Error> {
        let at_once = super::rows_at_once(table);
        let query = match conn {
            Conn::Sqlite(_) => {
                let values = joined(columns.iter().map(Column::quoted));
                format!(
                    "SELECT json_group_array(json_array({values})) AS lines, max(place) AS last \
                     FROM (SELECT rowid AS place, * FROM {table} WHERE rowid > $1 \
                           ORDER BY rowid LIMIT $2)"
                )
            }
            Conn::Postgres(conn) => {
                let values = joined(columns.iter().map(Column::of_postgres));
                conn.batch_execute(&format!(
                    "DECLARE {CURSOR} NO SCROLL CURSOR FOR \
                     SELECT json_build_array({values})::text AS line FROM {table}"
                ))?;
                format!("FETCH {at_once} FROM {CURSOR}")
            }
        };
        Ok(Self {
            columns,
            query,
            at_once,
            after: i64::MIN,
        })
    }

    /// The next rows; `None` after the last.
    pub(super) fn next(&mut self, conn: &mut Conn) -> Result<Option<Vec<RowValues>>, Error> {
        let rows: Vec<RowValues> = match conn {
            Conn::Sqlite(conn) => {
                let found: Lines = diesel::sql_query(&self.query)
                    .bind::<BigInt, _>(self.after)
                    .bind::<BigInt, _>(self.at_once)
                    .get_result(conn)?;
                self.after = found.last.unwrap_or(self.after);
                serde_json::from_str(&found.lines).map_err(failed)?
            }
            Conn::Postgres(conn) => {
                let found: Vec<Line> = diesel::sql_query(&self.query).get_results(conn)?;
                let lines = found.iter().map(|line| serde_json::from_str(&line.line));
                lines.collect::<Result<_, _>>().map_err(failed)?
            }
        };
        let uniform = |row: RowValues| {
            let values = self.columns.iter().zip(row);
            values
                .map(|(column, value)| column.uniform(value))
                .collect()
        };
        let rows: Vec<RowValues> = rows.into_iter().map(uniform).collect();
        Ok((!rows.is_empty()).then_some(rows))
    }

    pub(super) fn end(self, conn: &mut Conn) -> Result<(), Error> {
        match conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(conn) => Ok(conn.batch_execute(&format!("CLOSE {CURSOR}"))?),
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn failed(error: serde_json::Error) -> Error {
    Error::Other(error.to_string())
}

/// Inserts rows with these columns.
pub(super) fn insert(
    conn: &mut Conn,
    table: &str,
    columns: &[Column],
    rows: &[RowValues],
) -> Result<(), Error> {
    let names = joined(columns.iter().map(Column::quoted));
    let numbered = columns.iter().enumerate();
    let query = match conn {
        Conn::Sqlite(_) => {
            let values = joined(numbered.map(|(n, _)| format!("json_extract(value, '$[{n}]')")));
            format!("INSERT INTO {table} ({names}) SELECT {values} FROM json_each($1)")
        }
        Conn::Postgres(_) => {
            let values = joined(numbered.map(|(n, column)| column.to_postgres(n)));
            format!(
                "INSERT INTO {table} ({names}) SELECT {values} \
                 FROM jsonb_array_elements($1::jsonb) AS r"
            )
        }
    };
    let rows = serde_json::to_string(rows).map_err(failed)?;
    diesel::sql_query(query)
        .bind::<Text, _>(rows)
        .execute(conn)?;
    Ok(())
}
