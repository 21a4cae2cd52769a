//! Filters of tokens: by owner, organization or client, or by what a caller manages; listing and
//! revocation.

use super::schema::token;
use super::single_org::single_org_members;
use super::statement::{RowId, Statement, one_page};
use super::token::{Row, is_active};
use super::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::audit::MOST_NAMED;
use domain::id::{OrganizationId, ProjectId, TokenId, UserId};
use domain::page::Page;
use domain::token::{Revocation, Terminal, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;

/// A filter of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFilter {
    /// Tokens of an owner.
    Owner(TokenOwner),
    /// Tokens that a caller manages.
    VisibleTokens(VisibleTokens),
    /// A user's tokens that are limited to an organization.
    LimitedTo(UserId, OrganizationId),
    /// Tokens that belong or are limited to an organization.
    Organization(OrganizationId),
    /// Personal tokens of the members whose only organization is this one.
    SingleOrgMembers(OrganizationId),
    /// Tokens of a user's terminals: of all, or of one.
    Terminals(UserId, Option<Terminal>),
    /// Tokens issued to a client.
    Client(String),
    /// Tokens issued after a time.
    IssuedAfter(Instant),
    /// All tokens.
    Everything,
}

/// Limits a statement to the tokens of an owner. A macro, since selects and updates share only
/// method names.
macro_rules! of_owner {
    ($statement:expr, $owner:expr) => {
        match $owner {
            TokenOwner::User(id) => $statement.filter(token::user_id.eq(id.to_string())),
            TokenOwner::Organization(id) => {
                $statement.filter(token::organization_id.eq(id.to_string()))
            }
        }
    };
}

/// Limits a statement to the tokens that a caller manages.
macro_rules! within {
    ($conn:expr, $statement:expr, $visible:expr) => {{
        let statement = of_owner!($statement, &$visible.owner);
        let statement = match &$visible.limits.organization {
            Some(id) => statement.filter(token::limit_organization_id.eq(id.to_string())),
            None => statement,
        };
        match list_limits_within($conn, $visible)? {
            Some(lists) => statement.filter(token::limit_projects.eq_any(lists)),
            None => statement,
        }
    }};
}

/// The distinct project limits within those of the caller; `None` if the caller has no such
/// limit. They are compared here, since the database has them as text.
fn list_limits_within(
    conn: &mut Conn,
    visible: &VisibleTokens,
) -> Result<Option<Vec<String>>, Error> {
    let Some(projects) = &visible.limits.projects else {
        return Ok(None);
    };
    let is_within = |list: &String| {
        list.split_whitespace()
            .all(|id| ProjectId::parse(id).is_some_and(|id| projects.contains(&id)))
    };
    let lists = of_owner!(token::table.into_boxed(), &visible.owner)
        .select(token::limit_projects)
        .distinct()
        .rows::<Option<String>>(conn)?;
    Ok(Some(
        lists.into_iter().flatten().filter(is_within).collect(),
    ))
}

/// The tokens that a caller manages, the newest first: one page plus one row if more follow.
pub fn list_tokens(
    conn: &mut Conn,
    visible: &VisibleTokens,
    page: &Page,
) -> Result<Vec<Token>, Error> {
    let query = within!(conn, token::table.into_boxed(), visible);
    one_page!(query, page, newest(token, id)).read_all::<Row>(conn)
}

/// Limits a statement to the active tokens of a filter.
macro_rules! living {
    ($conn:expr, $statement:expr, $filter:expr, $now:expr) => {{
        let statement = $statement.into_boxed().filter(is_active!($now));
        match $filter {
            TokenFilter::Owner(owner) => of_owner!(statement, owner),
            TokenFilter::VisibleTokens(visible) => within!($conn, statement, visible),
            TokenFilter::LimitedTo(user, organization) => statement
                .filter(token::user_id.eq(user.to_string()))
                .filter(token::limit_organization_id.eq(organization.to_string())),
            TokenFilter::Organization(id) => statement.filter(
                token::organization_id
                    .eq(id.to_string())
                    .or(token::limit_organization_id.eq(id.to_string())),
            ),
            TokenFilter::SingleOrgMembers(id) => statement.filter(
                token::user_id
                    .assume_not_null()
                    .eq_any(single_org_members!(id)),
            ),
            TokenFilter::Terminals(user, terminal) => {
                let statement = statement
                    .filter(token::user_id.eq(user.to_string()))
                    .filter(token::client_id.is_not_null())
                    .filter(token::made_by_token.is_null());
                match terminal {
                    Some(terminal) => {
                        let statement =
                            statement.filter(token::client_id.eq(terminal.client_id.clone()));
                        match terminal.device_name.clone() {
                            Some(name) => statement.filter(token::device_name.eq(name)),
                            None => statement.filter(token::device_name.is_null()),
                        }
                    }
                    None => statement,
                }
            }
            TokenFilter::Client(id) => statement.filter(token::client_id.eq(id.clone())),
            TokenFilter::IssuedAfter(at) => statement.filter(token::created_at.gt(stored(*at))),
            TokenFilter::Everything => statement,
        }
    }};
}

/// The active tokens of a filter, the newest first.
pub fn list_living(
    conn: &mut Conn,
    filter: &TokenFilter,
    now: Instant,
) -> Result<Vec<Token>, Error> {
    living!(conn, token::table, filter, now)
        .order((token::created_at.desc(), token::id.desc()))
        .read_all::<Row>(conn)
}

/// The newest active tokens of a filter, at most `limit`.
pub fn list_newest_living(
    conn: &mut Conn,
    filter: &TokenFilter,
    now: Instant,
    limit: u16,
) -> Result<Vec<Token>, Error> {
    living!(conn, token::table, filter, now)
        .order((token::created_at.desc(), token::id.desc()))
        .limit(i64::from(limit))
        .read_all::<Row>(conn)
}

/// Limits a statement to the revoked and expired tokens that a caller manages.
macro_rules! ended {
    ($conn:expr, $visible:expr, $now:expr) => {
        within!($conn, token::table.into_boxed(), $visible).filter(
            token::revoked_at.is_not_null().or(token::expires_at
                .is_not_null()
                .and(token::expires_at.assume_not_null().le(stored($now)))),
        )
    };
}

/// The newest revoked and expired tokens that a caller manages, at most `limit`.
pub fn list_newest_ended(
    conn: &mut Conn,
    visible: &VisibleTokens,
    now: Instant,
    limit: u16,
) -> Result<Vec<Token>, Error> {
    ended!(conn, visible, now)
        .order((token::created_at.desc(), token::id.desc()))
        .limit(i64::from(limit))
        .read_all::<Row>(conn)
}

/// The number of revoked and expired tokens that a caller manages.
pub fn count_ended(conn: &mut Conn, visible: &VisibleTokens, now: Instant) -> Result<i64, Error> {
    Ok(ended!(conn, visible, now).count().row(conn)?)
}

/// The number of active tokens of a filter.
pub fn count_living(conn: &mut Conn, filter: &TokenFilter, now: Instant) -> Result<i64, Error> {
    Ok(living!(conn, token::table, filter, now).count().row(conn)?)
}

/// Tokens that were revoked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The newest of them, at most as many as an audit record lists.
    pub newest: Vec<TokenId>,
    /// The number of all.
    pub count: usize,
}

/// Revokes the active tokens of a filter, all or those issued before a time. It repeats until
/// none is left: creation of a token by another locks that other (see
/// [`lock_token`](super::token::lock_token)), so tokens created during a wait are found, and
/// revoked tokens cannot create more.
pub fn mark_all_revoked(
    conn: &mut Conn,
    filter: &TokenFilter,
    issued_before: Option<Instant>,
    revocation: &Revocation,
) -> Result<Revoked, Error> {
    let now = revocation.at;
    let before = stored(issued_before.unwrap_or_else(domain::last_moment));
    let end = || {
        (
            token::revoked_at.eq(stored(now)),
            token::revoked_by.eq(&revocation.by),
            token::revoked_reason.eq(&revocation.reason),
        )
    };
    let (mut newest, mut count) = (Vec::new(), 0);
    loop {
        let named = living!(conn, token::table, filter, now)
            .filter(token::created_at.lt(before))
            .order((token::created_at.desc(), token::id.desc()))
            .select(token::id)
            .limit(i64::try_from(MOST_NAMED).unwrap_or(i64::MAX))
            .rows::<String>(conn)?;
        if named.is_empty() {
            break;
        }
        // One may have been revoked concurrently.
        let ended = diesel::update(token::table)
            .filter(token::id.eq_any(&named))
            .filter(token::revoked_at.is_null())
            .set(end())
            .returning(token::id)
            .rows::<String>(conn)?;
        count += ended.len();
        newest.extend(ended);
        if named.len() == MOST_NAMED {
            count += living!(conn, diesel::update(token::table).set(end()), filter, now)
                .filter(token::created_at.lt(before))
                .changes(conn)?;
        }
    }
    newest.truncate(MOST_NAMED);
    Ok(Revoked {
        count,
        newest: newest
            .iter()
            .map(|id| RowId("token", id).read("id", TokenId::parse(id)))
            .collect::<Result<_, _>>()?,
    })
}
