//! Display names for the ids in records.

use crate::schema::{client, organization, project, token, users};
use crate::statement::Statement;
use crate::{Conn, Error, in_batches};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// The names for these ids of users, tokens, projects, organizations and clients. Deleted ones
/// have no name.
pub fn list_names(conn: &mut Conn, ids: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    macro_rules! look_into {
        ($($table:ident)+) => {
            $(names.extend(in_batches::<_, Vec<_>>(ids, |batch| {
                Ok($table::table
                    .filter($table::id.eq_any(batch))
                    .select(($table::id, $table::name))
                    .rows::<(String, String)>(conn)?)
            })?);)+
        };
    }
    look_into!(client users token project organization);
    Ok(names)
}
