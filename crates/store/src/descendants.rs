//! Descendants of tokens: the tokens and invitations that were created with them, directly or with
//! their descendants. The cost grows with the number of descendants alone.

use super::schema::{invitation, token};
use super::statement::{ReadRow, RowId, Statement};
use super::token::{Row, is_active};
use super::token_filter::TokenFilter;
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::{InvitationId, OrganizationId, TokenId};
use domain::lineage::{Links, descendants};
use domain::token::{Revocation, Token, TokenOwner};

/// Maximum number of tokens in one statement.
const BATCH: usize = 500;

/// Active descendants that ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// The tokens, with their owners.
    pub tokens: Vec<(TokenId, TokenOwner)>,
    /// The invitations, with their organizations.
    pub invitations: Vec<(InvitationId, OrganizationId)>,
}

/// Active descendants that a revocation would end.
#[derive(Debug, Default)]
pub struct Review {
    /// The number of tokens.
    pub tokens: usize,
    /// The number of open invitations.
    pub invitations: usize,
    /// The newest of the tokens, newest first.
    pub newest: Vec<Token>,
}

/// The tokens that were created with a token, newest first, up to a limit.
pub fn list_children(conn: &mut Conn, id: &TokenId, limit: i64) -> Result<Vec<Token>, Error> {
    token::table
        .filter(token::made_by_token.eq(id.as_str()))
        .order((token::created_at.desc(), token::id.desc()))
        .limit(limit)
        .read_all::<Row>(conn)
}

/// Returns what revoking a token would end besides the token itself, with the tokens of the given
/// number that were created last.
pub fn review(conn: &mut Conn, id: &TokenId, now: Instant, limit: usize) -> Result<Review, Error> {
    review_all(conn, (id, std::slice::from_ref(id)), now, limit)
}

/// The same for several tokens, besides the first of them.
pub fn review_all(
    conn: &mut Conn,
    (id, roots): (&TokenId, &[TokenId]),
    now: Instant,
    limit: usize,
) -> Result<Review, Error> {
    let found = descendants(&mut Stored(conn), roots)?;
    let all: Vec<_> = found.into_iter().chain(roots.iter().cloned()).collect();
    let mut review = Review::default();
    for batch in all.chunks(BATCH) {
        let active = token::table
            .filter(token::id.eq_any(texts(batch)))
            .filter(token::id.ne(id.as_str()))
            .filter(is_active!(now));
        let count: i64 = active.clone().count().row(conn)?;
        review.tokens += usize::try_from(count).unwrap_or_default();
        let newest = active
            .order((token::created_at.desc(), token::id.desc()))
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .read_all::<Row>(conn)?;
        review.newest.extend(newest);
        let open: i64 = invitation::table
            .filter(invitation::made_by_token.eq_any(texts(batch)))
            .filter(invitation::expires_at.gt(stored(now)))
            .count()
            .row(conn)?;
        review.invitations += usize::try_from(open).unwrap_or_default();
    }
    review
        .newest
        .sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    review.newest.truncate(limit);
    Ok(review)
}

/// Passes what was created with a token on to its successor, which none of it outlives.
pub fn pass_on(conn: &mut Conn, old: &Token, successor: &Token) -> Result<(), Error> {
    let id = successor.id.as_str();
    diesel::update(token::table)
        .filter(token::made_by_token.eq(old.id.as_str()))
        .set(token::made_by_token.eq(id))
        .changes(conn)?;
    diesel::update(invitation::table)
        .filter(invitation::made_by_token.eq(old.id.as_str()))
        .set(invitation::made_by_token.eq(id))
        .changes(conn)?;
    // Otherwise what did not outlive the old token does not outlive the successor.
    if let Some(end) = successor.expires_at
        && old.expires_at.is_none_or(|old| end < old)
    {
        let root = std::slice::from_ref(&successor.id);
        descendants(&mut Bounding { conn, end }, root)?;
    }
    Ok(())
}

/// The length of the longest line of tokens that were created with a token and with each other.
pub fn longest_line(conn: &mut Conn, id: &TokenId) -> Result<usize, Error> {
    let mut lines = Counting { conn, levels: 0 };
    descendants(&mut lines, std::slice::from_ref(id))?;
    Ok(lines.levels)
}

/// The links, for an expiry that bounds that of all descendants.
struct Bounding<'a> {
    conn: &'a mut Conn,
    end: Instant,
}

impl Links for Bounding<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.conn, ids)
    }

    fn enter(&mut self, level: &[TokenId]) -> Result<(), Error> {
        let end = stored(self.end);
        for batch in level.chunks(BATCH) {
            diesel::update(token::table)
                .filter(token::id.eq_any(texts(batch)))
                .filter(token::expires_at.is_null().or(token::expires_at.gt(end)))
                .set(token::expires_at.eq(end))
                .changes(self.conn)?;
        }
        Ok(())
    }
}

/// The links, for the number of levels.
struct Counting<'a> {
    conn: &'a mut Conn,
    levels: usize,
}

impl Links for Counting<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.conn, ids)
    }

    fn enter(&mut self, _: &[TokenId]) -> Result<(), Error> {
        self.levels += 1;
        Ok(())
    }
}

/// The links in the database.
struct Stored<'a>(&'a mut Conn);

impl Links for Stored<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.0, ids)
    }
}

/// The links, for a revocation. Each level is revoked before its children are looked up: creation
/// with a token locks it (see [`lock_token`](super::token::lock_token)), so what was created until
/// the revocation is found, and nothing is created after it.
struct Ending<'a> {
    conn: &'a mut Conn,
    revocation: &'a Revocation,
    ended: Ended,
}

impl Links for Ending<'_> {
    type Error = Error;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
        find_children(self.conn, ids)
    }

    fn enter(&mut self, level: &[TokenId]) -> Result<(), Error> {
        for batch in level.chunks(BATCH) {
            let ids = texts(batch);
            end_tokens(self.conn, &ids, self.revocation, &mut self.ended)?;
        }
        Ok(())
    }
}

pub(super) fn find_children(conn: &mut Conn, ids: &[TokenId]) -> Result<Vec<TokenId>, Error> {
    let mut found = Vec::new();
    for batch in ids.chunks(BATCH) {
        let children: Vec<String> = token::table
            .filter(token::made_by_token.eq_any(texts(batch)))
            .select(token::id)
            .rows(conn)?;
        for id in children {
            found.push(RowId("token", &id).read("id", TokenId::parse(&id))?);
        }
    }
    Ok(found)
}

fn texts(ids: &[TokenId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Revokes the active descendants of tokens that were just revoked, and ends their invitations.
pub fn end(conn: &mut Conn, roots: &[TokenId], revocation: &Revocation) -> Result<Ended, Error> {
    let mut ending = Ending {
        conn,
        revocation,
        ended: Ended::default(),
    };
    let found = descendants(&mut ending, roots)?;
    let Ending {
        conn, mut ended, ..
    } = ending;
    let all: Vec<TokenId> = roots.iter().cloned().chain(found).collect();
    for batch in all.chunks(BATCH) {
        end_invitations(conn, &texts(batch), revocation.at, &mut ended)?;
    }
    Ok(ended)
}

/// The tokens of a filter that this revocation ended. Without an owner or a client, it reads all
/// tokens, like the revocation itself.
pub fn list_revoked(
    conn: &mut Conn,
    filter: &TokenFilter,
    revocation: &Revocation,
) -> Result<Vec<TokenId>, Error> {
    let by = token::revoked_at
        .eq(stored(revocation.at))
        .and(token::revoked_by.eq(&revocation.by))
        .and(token::revoked_reason.eq(&revocation.reason));
    let query = token::table.filter(by).select(token::id).into_boxed();
    let owner = match filter {
        TokenFilter::Owner(owner) => Some(owner),
        TokenFilter::VisibleTokens(visible) => Some(&visible.owner),
        _ => None,
    };
    let query = match (owner, filter) {
        (Some(TokenOwner::User(id)), _) => query.filter(token::user_id.eq(id.to_string())),
        (Some(TokenOwner::Organization(id)), _) => {
            query.filter(token::organization_id.eq(id.to_string()))
        }
        (None, TokenFilter::Terminals(id, _)) => query.filter(token::user_id.eq(id.to_string())),
        (None, TokenFilter::Client(id)) => query.filter(token::client_id.eq(id.clone())),
        (None, _) => query,
    };
    query
        .rows::<String>(conn)?
        .iter()
        .map(|id| RowId("token", id).read("id", TokenId::parse(id)))
        .collect()
}

/// Ends the invitations that were created with tokens, active or not.
pub fn end_invitations_of(
    conn: &mut Conn,
    tokens: &TokenFilter,
    now: Instant,
) -> Result<Vec<(InvitationId, OrganizationId)>, Error> {
    let open = invitation::table
        .filter(invitation::expires_at.gt(stored(now)))
        .filter(invitation::made_by_token.is_not_null())
        .select(invitation::made_by_token.assume_not_null())
        .distinct();
    let made: Vec<String> = match tokens {
        TokenFilter::Owner(TokenOwner::User(id)) => open
            .filter(invitation::invited_by.eq(id.as_str()))
            .rows(conn)?,
        // `invited_by` of what an organization's token creates is that token, also if it was rotated.
        TokenFilter::Owner(TokenOwner::Organization(id)) => {
            let of_organization = token::table
                .filter(token::organization_id.eq(id.as_str()))
                .select(token::id);
            open.filter(invitation::organization_id.eq(id.as_str()))
                .filter(invitation::invited_by.eq_any(of_organization))
                .rows(conn)?
        }
        TokenFilter::Client(id) => {
            let of_client = token::table
                .filter(token::client_id.eq(id))
                .select(token::id);
            open.filter(
                invitation::made_by_token
                    .assume_not_null()
                    .eq_any(of_client),
            )
            .rows(conn)?
        }
        TokenFilter::Everything => open.rows(conn)?,
        _ => return Ok(Vec::new()),
    };
    let mut ended = Ended::default();
    for batch in made.chunks(BATCH) {
        end_invitations(conn, batch, now, &mut ended)?;
    }
    Ok(ended.invitations)
}

fn end_tokens(
    conn: &mut Conn,
    ids: &[String],
    revocation: &Revocation,
    ended: &mut Ended,
) -> Result<(), Error> {
    let rows = diesel::update(token::table)
        .filter(token::id.eq_any(ids))
        .filter(is_active!(revocation.at))
        .set((
            token::revoked_at.eq(stored(revocation.at)),
            token::revoked_by.eq(&revocation.by),
            token::revoked_reason.eq(&revocation.reason),
        ))
        .returning(token::all_columns)
        .rows::<Row>(conn)?;
    for row in rows {
        let token = row.read()?;
        ended.tokens.push((token.id, token.owner));
    }
    Ok(())
}

fn end_invitations(
    conn: &mut Conn,
    made_by: &[String],
    now: Instant,
    ended: &mut Ended,
) -> Result<(), Error> {
    let rows = diesel::update(invitation::table)
        .filter(invitation::made_by_token.eq_any(made_by))
        .filter(invitation::expires_at.gt(stored(now)))
        .set(invitation::expires_at.eq(invitation::created_at))
        .returning((invitation::id, invitation::organization_id))
        .rows::<(String, String)>(conn)?;
    for (id, organization_id) in rows {
        let row = RowId("invitation", &id);
        ended.invitations.push((
            row.read("id", InvitationId::parse(&id))?,
            row.read("organization_id", OrganizationId::parse(&organization_id))?,
        ));
    }
    Ok(())
}
