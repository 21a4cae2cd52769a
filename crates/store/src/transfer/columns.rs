//! The columns of a table, and the form of their values.

use crate::{Conn, Error};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The type of a column. The migrations have no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    Timestamp,
}

impl Kind {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "TEXT" => Self::Text,
            "INTEGER" | "BIGINT" => Self::Integer,
            "BOOLEAN" => Self::Boolean,
            "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => Self::Timestamp,
            _ => return None,
        })
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// The columns of a table, by their names.
pub(super) fn columns(conn: &mut Conn, table: &str) -> Result<Vec<Column>, Error> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT name, upper(type) AS kind FROM pragma_table_info($1) ORDER BY name"
        }
        Conn::Postgres(_) => {
            "SELECT column_name::text AS name, upper(data_type)::text AS kind
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1
             ORDER BY column_name COLLATE \"C\""
        }
    };
    let rows: Vec<Row> = diesel::sql_query(query)
        .bind::<Text, _>(table)
        .get_results(conn)?;
    let columns = rows
        .into_iter()
        .map(|Row { name, kind }| match Kind::read(&kind) {
            Some(kind) => Ok(Column { name, kind }),
            None => Err(Error::Other(format!("{table}.{name} has the type {kind}"))),
        });
    columns.collect()
}

impl Column {
    /// The name in a statement.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.name)
    }

    /// The value of the column in an array of JSON, as PostgreSQL computes it.
    pub(super) fn of_postgres(&self) -> String {
        match self.kind {
            Kind::Text | Kind::Integer => self.quoted(),
            Kind::Boolean => format!("{}::int", self.quoted()),
            Kind::Timestamp => format!("{}::text", self.quoted()),
        }
    }

    /// The value of the column from the array of JSON `r`, for PostgreSQL.
    pub(super) fn to_postgres(&self, position: usize) -> String {
        let cast = match self.kind {
            Kind::Text => "",
            Kind::Integer => "::bigint",
            Kind::Boolean => "::boolean",
            Kind::Timestamp => "::timestamp",
        };
        format!("(r->>{position}){cast}")
    }

    /// A value in the form of both databases.
    pub(super) fn uniform(&self, value: Value) -> Value {
        match (self.kind, value) {
            (Kind::Timestamp, Value::String(text)) => Value::String(uniform_time(&text)),
            (_, value) => value,
        }
    }
}

/// A time with as many digits of its fraction as the driver of SQLite writes: 0, 3, 6 or 9.
fn uniform_time(text: &str) -> String {
    let Some((seconds, fraction)) = text.split_once('.') else {
        return text.to_owned();
    };
    let digits = fraction.trim_end_matches('0');
    match digits.len().div_ceil(3) * 3 {
        0 => seconds.to_owned(),
        width => format!("{seconds}.{digits:0<width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_databases_have_one_form() {
        for (text, uniform) in [
            ("2026-11-28 10:00:00", "2026-11-28 10:00:00"),
            ("2026-11-28 10:00:00.000", "2026-11-28 10:00:00"),
            ("2026-11-28 10:00:00.12", "2026-11-28 10:00:00.120"),
            ("2026-11-28 10:00:00.120", "2026-11-28 10:00:00.120"),
            ("2026-11-28 10:00:00.1234", "2026-11-28 10:00:00.123400"),
        ] {
            assert_eq!(uniform_time(text), uniform);
        }
    }
}
