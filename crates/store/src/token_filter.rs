//! Many tokens at once: those that an owner, an organization or a client has, those that a
//! caller manages, and their end.

use super::schema::token;
use super::single_org::single_org_members;
use super::token::Row;
use super::{Conn, Error, read_value, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::audit::MOST_NAMED;
use domain::id::{OrganizationId, ProjectId, TokenId, UserId};
use domain::token::{RevocationReason, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;

/// Which tokens are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFilter {
    /// Those of an owner.
    Owner(TokenOwner),
    /// Those that a caller manages.
    VisibleTokens(VisibleTokens),
    /// A person's that are limited to an organization.
    LimitedTo(UserId, OrganizationId),
    /// Everything that belongs or is limited to an organization.
    Organization(OrganizationId),
    /// The personal ones of an organization's members who are in no other.
    SingleOrgMembers(OrganizationId),
    /// Those that a client asked for.
    Client(String),
    /// Those that were issued after a moment.
    IssuedAfter(Instant),
    /// All of them.
    Everything,
}

/// Narrows a query or a change of tokens to those of an owner. A macro, since nothing but its
/// methods is common to both.
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

/// The same to those of a purview.
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

/// The lists of projects within those of a purview, each that occurs once; `None` if it has no
/// such limit. They are compared here, since a database sees only their text.
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
        .get_results::<Option<String>>(conn)?;
    Ok(Some(
        lists.into_iter().flatten().filter(is_within).collect(),
    ))
}

/// The tokens of a purview, the newest first, after the one at this place in the order.
pub fn list_tokens(
    conn: &mut Conn,
    visible: &VisibleTokens,
    after: Option<(Instant, &str)>,
    limit: i64,
) -> Result<Vec<Token>, Error> {
    let mut query = within!(conn, token::table.into_boxed(), visible)
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

/// Narrows a query or a change of tokens to those of a selection that can still be used.
macro_rules! living {
    ($conn:expr, $statement:expr, $filter:expr, $now:expr) => {{
        let statement = $statement
            .into_boxed()
            .filter(token::revoked_at.is_null())
            .filter(
                token::expires_at
                    .is_null()
                    .or(token::expires_at.gt(stored($now))),
            );
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
            TokenFilter::Client(id) => statement.filter(token::client_id.eq(id.clone())),
            TokenFilter::IssuedAfter(at) => statement.filter(token::created_at.gt(stored(*at))),
            TokenFilter::Everything => statement,
        }
    }};
}

/// The tokens of a selection that can still be used, the newest first.
pub fn list_living(
    conn: &mut Conn,
    filter: &TokenFilter,
    now: Instant,
) -> Result<Vec<Token>, Error> {
    let rows = living!(conn, token::table, filter, now)
        .order((token::created_at.desc(), token::id.desc()))
        .get_results::<Row>(conn)?;
    rows.into_iter().map(Token::try_from).collect()
}

/// How many tokens of a selection can still be used.
pub fn count_living(conn: &mut Conn, filter: &TokenFilter, now: Instant) -> Result<i64, Error> {
    Ok(living!(conn, token::table, filter, now)
        .count()
        .get_result(conn)?)
}

/// Tokens that were revoked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The newest of them, no more than a record names.
    pub newest: Vec<TokenId>,
    /// How many they are.
    pub count: usize,
}

/// Revokes the tokens of a selection that could still be used, all or those that were made
/// before a moment. It looks again until nothing is left: whoever makes a token by another
/// holds that other (see [`lock_token`](super::token::hold_token)), so what was made while this
/// waited is there now, and no more can be made by what was revoked.
pub fn mark_all_revoked(
    conn: &mut Conn,
    filter: &TokenFilter,
    issued_before: Option<Instant>,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<Revoked, Error> {
    let before = stored(issued_before.unwrap_or_else(domain::last_moment));
    let end = || {
        (
            token::revoked_at.eq(stored(now)),
            token::revoked_by.eq(by),
            token::revoked_reason.eq(reason.as_str()),
        )
    };
    let (mut newest, mut count) = (Vec::new(), 0);
    loop {
        let named = living!(conn, token::table, filter, now)
            .filter(token::created_at.lt(before))
            .order((token::created_at.desc(), token::id.desc()))
            .select(token::id)
            .limit(i64::try_from(MOST_NAMED).unwrap_or(i64::MAX))
            .get_results::<String>(conn)?;
        if named.is_empty() {
            break;
        }
        // Somebody else may have revoked one since it was found.
        let ended = diesel::update(
            token::table
                .filter(token::id.eq_any(&named))
                .filter(token::revoked_at.is_null()),
        )
        .set(end())
        .returning(token::id)
        .get_results::<String>(conn)?;
        count += ended.len();
        newest.extend(ended);
        if named.len() == MOST_NAMED {
            count += living!(conn, diesel::update(token::table).set(end()), filter, now)
                .filter(token::created_at.lt(before))
                .execute(conn)?;
        }
    }
    newest.truncate(MOST_NAMED);
    Ok(Revoked {
        count,
        newest: newest
            .iter()
            .map(|id| read_value(TokenId::parse(id), "token", "id", id))
            .collect::<Result<_, _>>()?,
    })
}
