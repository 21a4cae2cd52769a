//! The clock of the database.

use super::{Conn, Error};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    at: i64,
}

/// The time by the clock of the database, in milliseconds since 1970. `None` on SQLite, which has the
/// clock of this machine.
pub fn read(conn: &mut Conn) -> Result<Option<i64>, Error> {
    let Conn::Postgres(conn) = conn else {
        return Ok(None);
    };
    let query = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at";
    let row: Row = diesel::sql_query(query).get_result(conn)?;
    Ok(Some(row.at))
}
