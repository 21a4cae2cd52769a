//! Token uses, in batches whose roots are in the chain.

use super::ROWS;
use crate::schema::{audit_event, audit_record, token, token_use};
use crate::statement::{ReadRow, Statement};
use crate::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use domain::Instant;
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};

/// Uses of one token in one organization on one day, from one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageBatch {
    /// The id of the record with the root of the batch.
    pub event_id: String,
    /// The index of the first of these uses among the leaves of the batch.
    pub position: u32,
    /// The token.
    pub token_id: String,
    /// The organization in which it was used.
    pub organization_id: Option<String>,
    /// The day, as `YYYY-MM-DD`.
    pub day: String,
    /// The first use.
    pub first_at: Instant,
    /// The last use.
    pub last_at: Instant,
    /// How many leaves of the batch.
    pub leaves: u32,
    /// How many uses; a leaf may stand for several.
    pub count: u32,
    /// The leaves in canonical form, one a line.
    pub uses: String,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = token_use, treat_none_as_default_value = false)]
struct Row {
    event_id: String,
    position: i32,
    token_id: String,
    organization_id: Option<String>,
    day: String,
    first_at: NaiveDateTime,
    last_at: NaiveDateTime,
    leaves: i32,
    count: i32,
    uses: String,
}

impl From<&UsageBatch> for Row {
    fn from(usage_batch: &UsageBatch) -> Self {
        Self {
            event_id: usage_batch.event_id.clone(),
            position: i32::try_from(usage_batch.position).unwrap_or(i32::MAX),
            token_id: usage_batch.token_id.clone(),
            organization_id: usage_batch.organization_id.clone(),
            day: usage_batch.day.clone(),
            first_at: stored(usage_batch.first_at),
            last_at: stored(usage_batch.last_at),
            leaves: i32::try_from(usage_batch.leaves).unwrap_or(i32::MAX),
            count: i32::try_from(usage_batch.count).unwrap_or(i32::MAX),
            uses: usage_batch.uses.clone(),
        }
    }
}

impl ReadRow for Row {
    type Value = UsageBatch;

    fn read(self) -> Result<UsageBatch, Error> {
        Ok(UsageBatch {
            event_id: self.event_id,
            position: self.position.unsigned_abs(),
            token_id: self.token_id,
            organization_id: self.organization_id,
            day: self.day,
            first_at: self.first_at.and_utc(),
            last_at: self.last_at.and_utc(),
            leaves: self.leaves.unsigned_abs(),
            count: self.count.unsigned_abs(),
            uses: self.uses,
        })
    }
}

/// Inserts the uses of a batch.
pub fn insert_uses(conn: &mut Conn, usage_batches: &[UsageBatch]) -> Result<(), Error> {
    for usage_batches in usage_batches.chunks(ROWS) {
        let rows: Vec<_> = usage_batches.iter().map(Row::from).collect();
        match conn {
            Conn::Postgres(conn) => diesel::insert_into(token_use::table)
                .values(rows)
                .execute(conn)?,
            Conn::Sqlite(conn) => diesel::insert_into(token_use::table)
                .values(rows)
                .execute(conn)?,
        };
    }
    Ok(())
}

/// The stored uses of a batch, in the order of its leaves.
pub fn list_batch(conn: &mut Conn, event_id: &str) -> Result<Vec<UsageBatch>, Error> {
    token_use::table
        .filter(token_use::event_id.eq(event_id))
        .order(token_use::position)
        .read_all::<Row>(conn)
}

/// The ids of the records of stored batches, after one of them.
pub fn list_batches(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    Ok(token_use::table
        .filter(token_use::event_id.gt(after.to_owned()))
        .select(token_use::event_id)
        .distinct()
        .order(token_use::event_id)
        .limit(limit)
        .rows(conn)?)
}

/// Which of these records are roots of batches, sealed or not.
pub fn list_recorded(conn: &mut Conn, ids: &[String]) -> Result<Vec<String>, Error> {
    let action = Action::TokenUsesRecorded.as_str();
    let mut recorded = audit_record::table
        .filter(audit_record::id.eq_any(ids))
        .filter(audit_record::action.eq(action))
        .select(audit_record::id)
        .rows::<String>(conn)?;
    let waiting = audit_event::table
        .filter(audit_event::id.eq_any(ids))
        .filter(audit_event::action.eq(action))
        .select(audit_event::id)
        .rows::<String>(conn)?;
    recorded.extend(waiting);
    Ok(recorded)
}

/// Limits a user's tokens to those that are limited to an organization; `None` for all.
pub type Within = Option<OrganizationId>;

/// The uses that a caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// All uses.
    #[default]
    Everything,
    /// Uses of a user's tokens.
    User(UserId, Within),
    /// Uses of an organization's tokens, and of any token in it.
    Organization(OrganizationId),
}

/// A filter of token uses.
#[derive(Debug, Clone, Default)]
pub struct UseFilter {
    /// The visible uses.
    pub reach: Reach,
    /// The token.
    pub token_id: Option<String>,
    /// At or after this time.
    pub since: Option<Instant>,
    /// Before this time.
    pub until: Option<Instant>,
}

/// Uses in descending order of batch and leaf, before a position: the record and the leaf of the
/// previous page's last use.
pub fn list_uses(
    conn: &mut Conn,
    filter: &UseFilter,
    before: Option<(&str, u32)>,
    limit: i64,
) -> Result<Vec<UsageBatch>, Error> {
    let mut query = token_use::table.into_boxed();
    if let Some(id) = &filter.token_id {
        query = query.filter(token_use::token_id.eq(id.clone()));
    }
    match &filter.reach {
        Reach::Everything => {}
        Reach::User(id, within) => {
            let limit = within.as_ref().map(ToString::to_string);
            let is_any = limit.is_none().into_sql::<Bool>();
            let own = token::table
                .filter(token::user_id.eq(id.to_string()))
                .filter(token::limit_organization_id.eq(limit).or(is_any))
                .select(token::id);
            query = query.filter(token_use::token_id.eq_any(own));
        }
        Reach::Organization(id) => {
            let own = token::table
                .filter(token::organization_id.eq(id.to_string()))
                .select(token::id);
            let is_inside = token_use::organization_id.eq(id.to_string());
            query = query.filter(token_use::token_id.eq_any(own).or(is_inside));
        }
    }
    if let Some(since) = filter.since {
        query = query.filter(token_use::last_at.ge(stored(since)));
    }
    if let Some(until) = filter.until {
        query = query.filter(token_use::first_at.lt(stored(until)));
    }
    if let Some((event_id, leaf)) = before {
        let leaf = i32::try_from(leaf).unwrap_or(i32::MAX);
        query = query.filter(
            token_use::event_id
                .lt(event_id.to_owned())
                .or(token_use::event_id
                    .eq(event_id.to_owned())
                    .and(token_use::position.lt(leaf))),
        );
    }
    query
        .order((token_use::event_id.desc(), token_use::position.desc()))
        .limit(limit)
        .read_all::<Row>(conn)
}

/// The number of a token's uses on each day from one on, as `YYYY-MM-DD`.
pub fn count_uses(
    conn: &mut Conn,
    token_id: &str,
    since: &str,
) -> Result<Vec<(String, u64)>, Error> {
    let days = token_use::table
        .filter(token_use::token_id.eq(token_id))
        .filter(token_use::day.ge(since))
        .group_by(token_use::day)
        .order(token_use::day)
        .select((token_use::day, sum(token_use::count)))
        .rows::<(String, Option<i64>)>(conn)?;
    Ok(days
        .into_iter()
        .map(|(day, count)| (day, count.unwrap_or(0).unsigned_abs()))
        .collect())
}

/// Whether there is a stored batch whose record has an id before this one.
pub fn is_any_batch(conn: &mut Conn, before: &str) -> Result<bool, Error> {
    let any = token_use::table
        .filter(token_use::event_id.lt(before))
        .select(token_use::event_id)
        .limit(1)
        .rows::<String>(conn)?;
    Ok(!any.is_empty())
}

/// Deletes whole batches whose records have ids before this one, up to a limit; returns their
/// number.
pub fn delete_batches(conn: &mut Conn, before: &str, limit: i64) -> Result<usize, Error> {
    let ids = token_use::table
        .filter(token_use::event_id.lt(before))
        .select(token_use::event_id)
        .distinct()
        .order(token_use::event_id)
        .limit(limit)
        .rows::<String>(conn)?;
    let count = ids.len();
    diesel::delete(token_use::table.filter(token_use::event_id.eq_any(ids))).changes(conn)?;
    Ok(count)
}
