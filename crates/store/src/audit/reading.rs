//! Queries of the log.

use super::chain::{find_head, line, number};
use super::{Row, columns};
use crate::schema::{audit_record, token};
use crate::statement::{ReadRow, RowId, Statement};
use crate::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::audit::Action;
use domain::audit::chain::Sealed;
use domain::audit::hash::Hash;
use std::collections::BTreeMap;

/// A filter of records; `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The organization.
    pub organization_id: Option<String>,
    /// The user who acted or on whose behalf an actor acted, or who was the target, or whose
    /// token was.
    pub user_id: Option<String>,
    /// The actor: the id of a user, token or client, or a kind of actor.
    pub actor: Option<String>,
    /// One of these actions.
    pub actions: Option<Vec<Action>>,
    /// The token that acted, or that was the target.
    pub token_id: Option<String>,
    /// At or after this time.
    pub since: Option<Instant>,
    /// Before this time.
    pub until: Option<Instant>,
}

impl Filter {
    /// Whether every record matches.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// A position in the chain, and the order from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The latest first, before this sequence.
    Before(u64),
    /// The earliest first, after this sequence.
    After(u64),
}

/// Records that match a filter.
pub fn list_records(
    conn: &mut Conn,
    filter: &Filter,
    side: Side,
    limit: i64,
) -> Result<Vec<Sealed>, Error> {
    let mut query = audit_record::table
        .filter(audit_record::sequence.gt(start(conn)?))
        .into_boxed();
    if let Some(id) = &filter.organization_id {
        query = query.filter(audit_record::organization_id.eq(id.clone()));
    }
    if let Some(id) = &filter.user_id {
        let own = token::table
            .filter(token::user_id.eq(id.clone()))
            .select(token::id.nullable());
        let is_actor = audit_record::user_id.eq(id.clone());
        query = query.filter(
            is_actor
                .or(audit_record::target.eq(id.clone()))
                .or(audit_record::target.eq_any(own)),
        );
    }
    if let Some(actor) = &filter.actor {
        let is_behind = audit_record::user_id.eq(actor.clone());
        query = query.filter(
            is_behind
                .or(audit_record::actor_id.eq(actor.clone()))
                .or(audit_record::actor_kind.eq(actor.clone())),
        );
    }
    if let Some(actions) = &filter.actions {
        // The actions are listed, since prefix comparison depends on the locale of the database.
        let names: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
        query = query.filter(audit_record::action.eq_any(names));
    }
    if let Some(id) = &filter.token_id {
        let is_actor = audit_record::token_id.eq(id.clone());
        query = query.filter(is_actor.or(audit_record::target.eq(id.clone())));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_record::at.ge(stored(since)));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_record::at.lt(stored(until)));
    }
    query = match side {
        Side::Before(sequence) => query
            .filter(audit_record::sequence.lt(number(sequence)))
            .order(audit_record::sequence.desc()),
        Side::After(sequence) => query
            .filter(audit_record::sequence.gt(number(sequence)))
            .order(audit_record::sequence.asc()),
    };
    query
        .limit(limit)
        .select(columns!(audit_record, sequence, hash))
        .read_all::<(i64, String, Row)>(conn)
}

/// The record with an id, once sealed.
pub fn find_record(conn: &mut Conn, id: &str) -> Result<Option<Sealed>, Error> {
    audit_record::table
        .filter(audit_record::id.eq(id))
        .filter(audit_record::sequence.gt(start(conn)?))
        .select(columns!(audit_record, sequence, hash))
        .read_one::<(i64, String, Row)>(conn)
}

/// The last pruned sequence. Lines up to it are not part of the log, even if they still exist.
fn start(conn: &mut Conn) -> Result<i64, Error> {
    Ok(find_head(conn)?.map_or(0, |log| number(log.start().sequence)))
}

/// A line with its sequence and hash. A record that was changed is an error.
impl ReadRow for (i64, String, Row) {
    type Value = Sealed;

    fn read(self) -> Result<Sealed, Error> {
        let (sequence, hash, row) = self;
        let id = row.id.clone();
        let sealed = line(sequence, &hash, row).ok();
        RowId("audit_record", &id).read("detail", sealed)
    }
}

/// The hashes of the records with these sequences.
pub fn list_hashes(conn: &mut Conn, sequences: &[u64]) -> Result<BTreeMap<u64, Hash>, Error> {
    let sequences: Vec<_> = sequences.iter().map(|sequence| number(*sequence)).collect();
    let rows = audit_record::table
        .filter(audit_record::sequence.eq_any(sequences))
        .select((audit_record::sequence, audit_record::hash))
        .rows::<(i64, String)>(conn)?;
    rows.into_iter()
        .map(|(sequence, hash)| {
            let id = sequence.to_string();
            let hash = RowId("audit_record", &id).read("hash", Hash::parse(&hash))?;
            Ok((sequence.unsigned_abs(), hash))
        })
        .collect()
}
