//! Retention: erasure of personal data, and pruning of the oldest records.

use super::chain::{ONLY, Pruned, list_lines_at, number};
use super::written;
use crate::schema::{audit_head, audit_record, token, token_use};
use crate::statement::Statement;
use crate::{Conn, Error};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use domain::audit::Action;
use domain::id::UserId;

/// Devices in one query.
const DEVICES: usize = 500;

/// The sequences of records with a user's personal data: what the user did, and what unknown
/// actors did to the user, the user's tokens, or devices that the user approved. Records of other
/// known actors are not the user's to erase.
pub fn list_personal(conn: &mut Conn, user: &UserId) -> Result<Vec<u64>, Error> {
    let id = user.to_string();
    let is_own = audit_record::user_id.eq(id.clone());
    let is_unknown = || audit_record::actor_kind.eq_any(["anonymous", "client"]);
    let salted = audit_record::table
        .filter(audit_record::salt.is_not_null())
        .select(audit_record::sequence);
    let tokens = token::table
        .filter(token::user_id.eq(id.clone()))
        .select(token::id.nullable());
    let mut found_at: Vec<i64> = salted.filter(is_own.clone()).rows(conn)?;
    let is_theirs = audit_record::target.eq(id);
    found_at.extend(
        salted
            .filter(is_theirs.or(audit_record::target.eq_any(tokens)))
            .filter(is_unknown())
            .rows::<i64>(conn)?,
    );
    let devices = audit_record::table
        .filter(is_own)
        .filter(audit_record::action.eq(Action::DeviceApproved.as_str()))
        .select(audit_record::target)
        .rows::<Option<String>>(conn)?;
    for devices in devices.chunks(DEVICES) {
        let is_theirs = audit_record::target.eq_any(devices);
        let of_device = salted.filter(is_theirs).filter(is_unknown());
        found_at.extend(of_device.rows::<i64>(conn)?);
    }
    found_at.sort_unstable();
    found_at.dedup();
    Ok(found_at.into_iter().map(i64::unsigned_abs).collect())
}

/// Erases the personal data of these records, unless already erased; returns the number of
/// changed records.
pub fn erase(conn: &mut Conn, sequences: &[u64]) -> Result<usize, Error> {
    let mut count = 0;
    for sealed in list_lines_at(conn, sequences)? {
        let left = sealed.record.erased();
        if sealed.record.salt.is_none() || left.salt.is_some() {
            continue;
        }
        let sequence = number(left.sequence);
        count += diesel::update(audit_record::table.find(sequence))
            .set((
                audit_record::address.eq(left.address),
                audit_record::agent.eq(left.agent),
                audit_record::detail.eq(written(&left.detail)),
                audit_record::salt.eq(None::<String>),
            ))
            .changes(conn)?;
    }
    Ok(count)
}

/// Replaces the start of the log if it is still the present one; returns whether it was.
pub fn replace_pruned(
    conn: &mut Conn,
    present: Option<&Pruned>,
    pruned: &Pruned,
) -> Result<bool, Error> {
    let is_whole = present.is_none().into_sql::<Bool>();
    let present = present.map(|present| number(present.head.sequence));
    let begins_here = audit_head::pruned_sequence
        .eq(present)
        .or(audit_head::pruned_sequence.is_null().and(is_whole));
    let replaced = diesel::update(audit_head::table.find(ONLY))
        .filter(begins_here)
        .set((
            audit_head::pruned_sequence.eq(number(pruned.head.sequence)),
            audit_head::pruned_hash.eq(pruned.head.hash.to_string()),
            audit_head::pruned_note.eq(&pruned.note),
        ))
        .changes(conn)?;
    Ok(replaced > 0)
}

/// Deletes pruned records up to a sequence, within a limit, and the token uses of their roots;
/// returns the number of deleted records, since another server may delete the same.
pub fn delete_pruned(conn: &mut Conn, through: u64, limit: i64) -> Result<usize, Error> {
    let (found_at, ids): (Vec<i64>, Vec<String>) = audit_record::table
        .filter(audit_record::sequence.le(number(through)))
        .order(audit_record::sequence)
        .limit(limit)
        .select((audit_record::sequence, audit_record::id))
        .rows::<(i64, String)>(conn)?
        .into_iter()
        .unzip();
    diesel::delete(token_use::table.filter(token_use::event_id.eq_any(ids))).changes(conn)?;
    let count = found_at.len();
    let records = audit_record::table.filter(audit_record::sequence.eq_any(found_at));
    diesel::delete(records).changes(conn)?;
    Ok(count)
}
