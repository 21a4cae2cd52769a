//! The audit log: a record of each change, written in the change's own transaction, and the chain
//! into which records are sealed after their commit.

mod chain;
mod checkpoint;
mod creation;
mod guard;
mod lag;
mod naming;
mod reading;
mod retention;
mod shipping;
mod uses;

pub use chain::{
    Log, Pruned, Stored, append, find_hash, find_head, find_last_moment, find_last_unsealed,
    insert_head, is_any_misplaced, is_any_unsealed, list_lines, list_of_action, list_unsealed,
    lock_head,
};
pub use checkpoint::{
    delete_checkpoint, find_last_checkpoint, insert_checkpoint, list_checkpoints,
    list_checkpoints_back, list_checkpoints_before,
};
pub use creation::{list_created_tokens, list_recorded_tokens};
pub use guard::{POSTGRES_GUARD, POSTGRES_GUARDS, SQLITE_GUARD, SQLITE_GUARDS};
pub use lag::{count_unsealed, find_moment_behind};
pub use naming::list_names;
pub use reading::{Filter, Side, find_record, list_hashes, list_records};
pub use retention::{delete_pruned, erase, list_personal, replace_pruned};
pub use shipping::{
    Shipped, find_shipped, give_back_lease, list_shipped, lower_shipped, replace_shipped,
    take_lease,
};
pub use uses::{
    Reach, UsageBatch, UseFilter, Within, count_uses, delete_batches, insert_uses, is_any_batch,
    list_batch, list_batches, list_recorded, list_uses,
};

use super::schema::{audit_event, audit_record};
use super::{Conn, Error};
use crate::statement::{Statement, on_connection};
use chrono::{NaiveDateTime, SubsecRound};
use diesel::prelude::*;
use domain::audit::record::{Detail, Method, Outcome, Record};
use domain::audit::salt::Salt;

/// Rows in one statement; SQLite accepts 32,766 values.
const ROWS: usize = 500;

/// The columns that both record tables share, of one of them, after some that they do not.
macro_rules! columns {
    ($table:ident, $($own:ident),+) => {
        ($($table::$own,)+ columns!($table))
    };
    ($table:ident) => {
        (
            $table::id,
            $table::at,
            $table::action,
            $table::outcome,
            $table::actor_kind,
            $table::actor_id,
            $table::method,
            $table::user_id,
            $table::token_id,
            $table::client_id,
            $table::organization_id,
            $table::target,
            $table::request_id,
            $table::address,
            $table::agent,
            $table::detail,
            $table::salt,
        )
    };
}

/// The values of a record for these columns.
macro_rules! values {
    ($table:ident, $record:expr) => {
        (
            $table::id.eq($record.id.clone()),
            $table::at.eq($crate::stored($record.at)),
            $table::action.eq($record.action.clone()),
            $table::outcome.eq($record.outcome.as_str()),
            $table::actor_kind.eq($record.actor_kind.clone()),
            $table::actor_id.eq($record.actor_id.clone()),
            $table::method.eq($record.method.as_str()),
            $table::user_id.eq($record.user_id.clone()),
            $table::token_id.eq($record.token_id.clone()),
            $table::client_id.eq($record.client_id.clone()),
            $table::organization_id.eq($record.organization_id.clone()),
            $table::target.eq($record.target.clone()),
            $table::request_id.eq($record.request_id.clone()),
            $table::address.eq($record.address.clone()),
            $table::agent.eq($record.agent.clone()),
            $table::detail.eq($crate::audit::written(&$record.detail)),
            $table::salt.eq($record.salt.map(|salt| salt.to_string())),
        )
    };
}
use {columns, values};

#[derive(Queryable)]
struct Row {
    id: String,
    at: NaiveDateTime,
    action: String,
    outcome: String,
    actor_kind: String,
    actor_id: Option<String>,
    method: String,
    user_id: Option<String>,
    token_id: Option<String>,
    client_id: Option<String>,
    organization_id: Option<String>,
    target: Option<String>,
    request_id: String,
    address: Option<String>,
    agent: Option<String>,
    detail: String,
    salt: Option<String>,
}

impl Row {
    /// The record of the row, with this sequence; `None` if the row is invalid.
    fn record(self, sequence: u64) -> Option<Record> {
        let detail: Detail = serde_json::from_str(&self.detail).ok()?;
        let at = self.at.and_utc();
        let salt = match self.salt {
            None => None,
            Some(salt) => Some(Salt::parse(&salt)?),
        };
        let is_as_written = written(&detail) == self.detail && at == at.trunc_subsecs(3);
        is_as_written.then_some(Record {
            sequence,
            id: self.id,
            at,
            action: self.action,
            outcome: Outcome::parse(&self.outcome)?,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            method: Method::parse(&self.method)?,
            user_id: self.user_id,
            token_id: self.token_id,
            client_id: self.client_id,
            organization_id: self.organization_id,
            target: self.target,
            request_id: self.request_id,
            address: self.address,
            agent: self.agent,
            detail,
            salt,
        })
    }
}

fn written(detail: &Detail) -> String {
    serde_json::Value::from(detail.clone()).to_string()
}

/// Inserts an unsealed record.
pub fn insert_event(conn: &mut Conn, event: &Record) -> Result<(), Error> {
    let insert = diesel::insert_into(audit_event::table).values(values!(audit_event, event));
    on_connection!(conn, own => insert.execute(own))?;
    Ok(())
}

/// Whether there is a record with this id, sealed or not.
pub fn is_recorded(conn: &mut Conn, id: &str) -> Result<bool, Error> {
    // In this order: another server may seal the record between the statements.
    let waiting = audit_event::table
        .filter(audit_event::id.eq(id))
        .select(audit_event::id)
        .rows::<String>(conn)?;
    let sealed = audit_record::table
        .filter(audit_record::id.eq(id))
        .select(audit_record::id)
        .rows::<String>(conn)?;
    Ok(!waiting.is_empty() || !sealed.is_empty())
}
