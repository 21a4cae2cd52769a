//! When users were last active: in a browser, or through a personal token.

use super::schema::{session, token};
use super::{Conn, Error};
use crate::statement::Statement;
use chrono::NaiveDateTime;
use diesel::dsl::max;
use diesel::prelude::*;
use domain::Instant;
use std::collections::BTreeMap;

/// The last activity of each of these users, if any.
pub fn list_last_active(
    conn: &mut Conn,
    user_ids: &[String],
) -> Result<BTreeMap<String, Instant>, Error> {
    let mut last: BTreeMap<String, Instant> = BTreeMap::new();
    let seen = session::table
        .filter(session::user_id.eq_any(user_ids.to_vec()))
        .group_by(session::user_id)
        .select((session::user_id, max(session::last_seen_at)))
        .rows::<(String, Option<NaiveDateTime>)>(conn)?;
    let used = token::table
        .filter(token::user_id.eq_any(user_ids.to_vec()))
        .group_by(token::user_id)
        .select((token::user_id.assume_not_null(), max(token::last_used_at)))
        .rows::<(String, Option<NaiveDateTime>)>(conn)?;
    for (id, at) in seen.into_iter().chain(used) {
        if let Some(at) = at {
            let last = last.entry(id).or_insert(at.and_utc());
            *last = at.and_utc().max(*last);
        }
    }
    Ok(last)
}
