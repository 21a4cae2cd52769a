//! What does not stay: texts that tell of a person, and the oldest records.

use super::chain::{ONLY, Pruned, list_lines_at, number};
use super::written;
use crate::domain::audit::Action;
use crate::domain::id::AccountId;
use crate::store::schema::{audit_head, audit_record, token, token_use};
use crate::store::{Conn, Error};
use diesel::prelude::*;

/// The places, behind one, of records that tell of a person: where they did it, where it was done
/// to their account or their tokens, and where a device came that they approved.
pub fn list_personal(
    conn: &mut Conn,
    person: &AccountId,
    after: u64,
    limit: i64,
) -> Result<Vec<u64>, Error> {
    let id = person.to_string();
    let devices = audit_record::table
        .filter(audit_record::account_id.eq(id.clone()))
        .filter(audit_record::action.eq(Action::DeviceApproved.as_str()))
        .select(audit_record::target)
        .get_results::<Option<String>>(conn)?;
    let tokens = token::table
        .filter(token::account_id.eq(id.clone()))
        .select(token::id.nullable());
    let sequences = audit_record::table
        .filter(audit_record::sequence.gt(number(after)))
        .filter(audit_record::salt.is_not_null())
        .filter(
            audit_record::account_id
                .eq(id.clone())
                .or(audit_record::target.eq(id))
                .or(audit_record::target.eq_any(tokens))
                .or(audit_record::target.eq_any(devices)),
        )
        .order(audit_record::sequence)
        .limit(limit)
        .select(audit_record::sequence)
        .get_results::<i64>(conn)?;
    Ok(sequences.into_iter().map(i64::unsigned_abs).collect())
}

/// Erases from the records in these places what tells of a person.
pub fn erase(conn: &mut Conn, sequences: &[u64]) -> Result<(), Error> {
    for sealed in list_lines_at(conn, sequences)? {
        let left = sealed.record.erased();
        let place = number(left.sequence);
        diesel::update(audit_record::table.filter(audit_record::sequence.eq(place)))
            .set((
                audit_record::address.eq(left.address),
                audit_record::agent.eq(left.agent),
                audit_record::detail.eq(written(&left.detail)),
                audit_record::salt.eq(None::<String>),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Lets the log begin behind a later record from now on.
pub fn replace_pruned(conn: &mut Conn, pruned: &Pruned) -> Result<(), Error> {
    diesel::update(audit_head::table.filter(audit_head::id.eq(ONLY)))
        .set((
            audit_head::pruned_sequence.eq(number(pruned.head.sequence)),
            audit_head::pruned_hash.eq(pruned.head.hash.to_string()),
            audit_head::pruned_note.eq(&pruned.note),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes records up to where the log was pruned, so many at the most, and the uses whose roots
/// go with them; tells how many records there were.
pub fn delete_pruned(conn: &mut Conn, through: u64, limit: i64) -> Result<usize, Error> {
    let (places, ids): (Vec<i64>, Vec<String>) = audit_record::table
        .filter(audit_record::sequence.le(number(through)))
        .order(audit_record::sequence)
        .limit(limit)
        .select((audit_record::sequence, audit_record::id))
        .get_results::<(i64, String)>(conn)?
        .into_iter()
        .unzip();
    diesel::delete(token_use::table.filter(token_use::event_id.eq_any(ids))).execute(conn)?;
    let records = audit_record::table.filter(audit_record::sequence.eq_any(places));
    Ok(diesel::delete(records).execute(conn)?)
}
