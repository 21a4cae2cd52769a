//! Blocks of tokens for an organization.

use super::descendants::find_children;
use super::schema::{invitation, token};
use super::statement::{RowId, Statement};
use super::token::{find_successor, find_token, is_active};
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, TokenId};
use domain::lineage::{Links, descendants};

/// Maximum number of tokens in one statement.
const BATCH: usize = 500;

/// A token with those that it replaces, and those that replace it, itself first. With an overlap more
/// than one of them is active, and each may have descendants.
pub fn rotations(conn: &mut Conn, id: &TokenId) -> Result<Vec<TokenId>, Error> {
    let mut found = vec![id.clone()];
    let mut next = find_successor(conn, id)?;
    while let Some(successor) = next {
        next = find_successor(conn, &successor)?;
        found.push(successor);
    }
    let mut next = find_token(conn, id)?.and_then(|token| token.replaces);
    while let Some(predecessor) = next {
        next = find_token(conn, &predecessor)?.and_then(|token| token.replaces);
        found.push(predecessor);
    }
    Ok(found)
}

/// Blocks active tokens and their descendants for an organization. Returns the tokens that were not
/// blocked before. Each level is blocked before its children are looked up, as for a revocation: a
/// token that is created with a blocked one is blocked too. The statements of a level are for 500 tokens
/// each: 20,000 descendants take 0.6 s on SQLite and 2.6 s on PostgreSQL in a build without
/// optimization.
pub fn block(
    conn: &mut Conn,
    roots: &[TokenId],
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<Vec<TokenId>, Error> {
    let mut blocking = Blocking {
        conn,
        organization_id,
        now,
        blocked: Vec::new(),
    };
    blocking.enter(roots)?;
    descendants(&mut blocking, roots)?;
    Ok(blocking.blocked)
}

/// The links, for a block.
struct Blocking<'a> {
    conn: &'a mut Conn,
    organization_id: &'a OrganizationId,
    now: Instant,
    blocked: Vec<TokenId>,
}

impl Links for Blocking<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.conn, ids)
    }

    fn enter(&mut self, level: &[TokenId]) -> Result<(), Error> {
        let id = self.organization_id.as_str();
        for batch in level.chunks(BATCH) {
            let active = || {
                let ids: Vec<_> = batch.iter().map(TokenId::as_str).collect();
                token::table
                    .filter(token::id.eq_any(ids))
                    .filter(is_active!(self.now))
            };
            let more = diesel::update(active())
                .filter(token::blocked_in.is_not_null())
                .filter(token::blocked_in.not_like(format!("%{id}%")))
                .set(token::blocked_in.eq(token::blocked_in.concat(format!(" {id}"))))
                .returning(token::id)
                .rows::<String>(self.conn)?;
            let first = diesel::update(active())
                .filter(token::blocked_in.is_null())
                .set(token::blocked_in.eq(id))
                .returning(token::id)
                .rows::<String>(self.conn)?;
            for id in more.iter().chain(&first) {
                let id = RowId("token", id).read("id", TokenId::parse(id))?;
                self.blocked.push(id);
            }
        }
        Ok(())
    }
}

/// Ends the open invitations to an organization that were created with tokens.
pub fn end_invitations_to(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    tokens: &[TokenId],
    now: Instant,
) -> Result<usize, Error> {
    let mut count = 0;
    for batch in tokens.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(TokenId::as_str).collect();
        count += diesel::update(invitation::table)
            .filter(invitation::organization_id.eq(organization_id.as_str()))
            .filter(invitation::made_by_token.eq_any(ids))
            .filter(invitation::expires_at.gt(stored(now)))
            .set(invitation::expires_at.eq(invitation::created_at))
            .changes(conn)?;
    }
    Ok(count)
}
