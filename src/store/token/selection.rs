//! Tokens by whose they are: lists, and the end of many at once.

use super::Row;
use crate::domain::Instant;
use crate::domain::id::{AccountId, OrganizationId, ProjectId, TokenId};
use crate::domain::purview::Purview;
use crate::domain::token::{Owner, RevocationReason, Token};
use crate::store::schema::token;
use crate::store::{Conn, Error, read_value, stored};
use diesel::prelude::*;

type Query = token::BoxedQuery<'static, <Conn as diesel::Connection>::Backend>;

fn of_owner(query: Query, owner: &Owner) -> Query {
    match owner {
        Owner::Account(id) => query.filter(token::account_id.eq(id.to_string())),
        Owner::Organization(id) => query.filter(token::organization_id.eq(id.to_string())),
    }
}

/// Leaves of a query what is of a purview. Lists of projects are compared here, each that
/// occurs once, since a database sees only their text.
fn within(conn: &mut Conn, query: Query, purview: &Purview) -> Result<Query, Error> {
    let query = of_owner(query, &purview.owner);
    let query = match &purview.limits.organization {
        Some(id) => query.filter(token::limit_organization_id.eq(id.to_string())),
        None => query,
    };
    let Some(projects) = &purview.limits.projects else {
        return Ok(query);
    };
    let is_within = |list: &String| {
        list.split_whitespace()
            .all(|id| ProjectId::parse(id).is_some_and(|id| projects.contains(&id)))
    };
    let lists: Vec<String> = of_owner(token::table.into_boxed(), &purview.owner)
        .select(token::limit_projects)
        .distinct()
        .get_results::<Option<String>>(conn)?
        .into_iter()
        .flatten()
        .filter(is_within)
        .collect();
    Ok(query.filter(token::limit_projects.eq_any(lists)))
}

/// The tokens of a purview, the newest first, after the one at this place in the order.
pub fn list_tokens(
    conn: &mut Conn,
    purview: &Purview,
    after: Option<(Instant, &str)>,
    limit: i64,
) -> Result<Vec<Token>, Error> {
    let mut query = within(conn, token::table.into_boxed(), purview)?
        .order((token::created_at.desc(), token::id.desc()))
        .limit(limit);
    if let Some((at, id)) = after {
        let at = stored(at);
        query = query.filter(
            token::created_at
                .lt(at)
                .or(token::created_at.eq(at).and(token::id.lt(id.to_owned()))),
        );
    }
    let rows = query.get_results::<Row>(conn)?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Which tokens are to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those of an owner.
    Owner(Owner),
    /// Those that a caller may end.
    Purview(Purview),
    /// A person's that are limited to an organization.
    LimitedTo(AccountId, OrganizationId),
    /// Everything that belongs or is limited to an organization.
    Organization(OrganizationId),
    /// Those that a client asked for.
    Client(String),
    /// All of them.
    Everything,
}

/// The tokens of a selection that can still be used.
fn living(conn: &mut Conn, selection: &Selection, now: Instant) -> Result<Query, Error> {
    let query = token::table
        .filter(token::revoked_at.is_null())
        .filter(
            token::expires_at
                .is_null()
                .or(token::expires_at.gt(stored(now))),
        )
        .into_boxed();
    Ok(match selection.clone() {
        Selection::Owner(owner) => of_owner(query, &owner),
        Selection::Purview(purview) => within(conn, query, &purview)?,
        Selection::LimitedTo(account, organization) => query
            .filter(token::account_id.eq(account.to_string()))
            .filter(token::limit_organization_id.eq(organization.to_string())),
        Selection::Organization(id) => query.filter(
            token::organization_id
                .eq(id.to_string())
                .or(token::limit_organization_id.eq(id.to_string())),
        ),
        Selection::Client(id) => query.filter(token::client_id.eq(id)),
        Selection::Everything => query,
    })
}

/// The tokens of a selection that can still be used, the newest first.
pub fn list_living(
    conn: &mut Conn,
    selection: &Selection,
    now: Instant,
) -> Result<Vec<Token>, Error> {
    let rows = living(conn, selection, now)?
        .order((token::created_at.desc(), token::id.desc()))
        .get_results::<Row>(conn)?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Rows that are changed by one statement.
const BATCH: usize = 500;

/// Revokes the tokens of a selection that could still be used, all or those that were made
/// before a moment; tells which. It looks again until nothing is left: whoever makes a token by
/// another holds that other (see [`hold_token`](super::hold_token)), so what was made while
/// this waited is there now, and no more can be made by what was revoked.
pub fn mark_all_revoked(
    conn: &mut Conn,
    selection: &Selection,
    issued_before: Option<Instant>,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<Vec<TokenId>, Error> {
    let mut ended = Vec::new();
    loop {
        let mut query = living(conn, selection, now)?.select(token::id);
        if let Some(moment) = issued_before {
            query = query.filter(token::created_at.lt(stored(moment)));
        }
        let found = query.get_results::<String>(conn)?;
        if found.is_empty() {
            break;
        }
        for batch in found.chunks(BATCH) {
            ended.extend(
                diesel::update(
                    token::table
                        .filter(token::id.eq_any(batch))
                        .filter(token::revoked_at.is_null()),
                )
                .set((
                    token::revoked_at.eq(stored(now)),
                    token::revoked_by.eq(by),
                    token::revoked_reason.eq(reason.as_str()),
                ))
                .returning(token::id)
                .get_results::<String>(conn)?,
            );
        }
    }
    ended
        .iter()
        .map(|id| read_value(TokenId::parse(id), "token", "id", id))
        .collect()
}
