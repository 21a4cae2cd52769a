//! When people were last active: in a browser, or through a token of their own.

use super::schema::{session, token};
use super::{Conn, Error};
use diesel::dsl::max;
use diesel::prelude::*;
use domain::Instant;
use std::collections::BTreeMap;

/// The last sign of life of each of these accounts; nothing for one without any.
pub fn list_last_active(
    conn: &mut Conn,
    account_ids: &[String],
) -> Result<BTreeMap<String, Instant>, Error> {
    let mut last: BTreeMap<String, Instant> = BTreeMap::new();
    let seen = session::table
        .filter(session::account_id.eq_any(account_ids.to_vec()))
        .group_by(session::account_id)
        .select((session::account_id, max(session::last_seen_at)))
        .get_results::<(String, Option<chrono::NaiveDateTime>)>(conn)?;
    let used = token::table
        .filter(token::account_id.eq_any(account_ids.to_vec()))
        .group_by(token::account_id)
        .select((
            token::account_id.assume_not_null(),
            max(token::last_used_at),
        ))
        .get_results::<(String, Option<chrono::NaiveDateTime>)>(conn)?;
    for (id, at) in seen.into_iter().chain(used) {
        if let Some(at) = at {
            let last = last.entry(id).or_insert(at.and_utc());
            *last = at.and_utc().max(*last);
        }
    }
    Ok(last)
}
