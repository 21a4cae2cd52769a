//! Blocks of tokens for an organization.

use super::descendants::find_children;
use super::schema::invitation;
use super::statement::Statement;
use super::token::set_block;
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, TokenId};
use domain::lineage::{Links, descendants};

/// Maximum number of tokens in one statement.
const BATCH: usize = 500;

/// Blocks a token and its descendants for an organization. Returns the tokens that were not blocked
/// before. Each level is blocked before its children are looked up, as for a revocation: a token
/// that is created with a blocked one is blocked too.
pub fn block(
    conn: &mut Conn,
    root: &TokenId,
    organization_id: &OrganizationId,
) -> Result<Vec<TokenId>, Error> {
    let roots = std::slice::from_ref(root);
    let mut blocking = Blocking {
        conn,
        organization_id,
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
    blocked: Vec<TokenId>,
}

impl Links for Blocking<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.conn, ids)
    }

    fn enter(&mut self, level: &[TokenId]) -> Result<(), Error> {
        for id in level {
            if set_block(self.conn, id, self.organization_id, true)? {
                self.blocked.push(id.clone());
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
