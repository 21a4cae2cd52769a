//! Stored tokens and the records of their creation.

use crate::schema::{audit_event, audit_record, token};
use crate::statement::Statement;
use crate::{Conn, Error};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::audit::Action;

/// Ids and creation times of the unrevoked tokens after an id, in the order of their ids.
pub fn list_created_tokens(
    conn: &mut Conn,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Instant)>, Error> {
    let rows = token::table
        .filter(token::id.gt(after.to_owned()))
        .filter(token::revoked_at.is_null())
        .select((token::id, token::created_at))
        .order(token::id)
        .limit(limit)
        .rows::<(String, NaiveDateTime)>(conn)?;
    let read = |(id, at): (String, NaiveDateTime)| (id, at.and_utc());
    Ok(rows.into_iter().map(read).collect())
}

/// Which of these tokens have a record of their creation, sealed or not.
pub fn list_recorded_tokens(conn: &mut Conn, ids: &[String]) -> Result<Vec<String>, Error> {
    let action = Action::TokenCreated.as_str();
    // Before the sealed ones: a record that is sealed in between is found twice rather than never.
    let target = audit_event::target.assume_not_null();
    let mut recorded = audit_event::table
        .filter(target.eq_any(ids))
        .filter(audit_event::action.eq(action))
        .select(target)
        .rows::<String>(conn)?;
    let target = audit_record::target.assume_not_null();
    let sealed = audit_record::table
        .filter(target.eq_any(ids))
        .filter(audit_record::action.eq(action))
        .select(target)
        .rows::<String>(conn)?;
    recorded.extend(sealed);
    Ok(recorded)
}
