//! Many tokens at once: those that an owner, an organization or a client has, and their end.

use super::schema::token;
use super::sole::sole_members;
use super::token::Row;
use super::{Conn, Error, read_value, stored};
use crate::domain::Instant;
use crate::domain::audit::MOST_NAMED;
use crate::domain::id::{AccountId, OrganizationId, TokenId};
use crate::domain::token::{Owner, RevocationReason, Token};
use diesel::prelude::*;

/// Which tokens are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those of an owner.
    Owner(Owner),
    /// A person's that are limited to an organization.
    LimitedTo(AccountId, OrganizationId),
    /// Everything that belongs or is limited to an organization.
    Organization(OrganizationId),
    /// The personal ones of an organization's members who are in no other.
    SoleMembers(OrganizationId),
    /// Those that a client asked for.
    Client(String),
    /// All of them.
    Everything,
}

/// Narrows a query or a change of tokens to those of a selection that can still be used. A
/// macro, since nothing but its methods is common to both.
macro_rules! living {
    ($statement:expr, $selection:expr, $now:expr) => {{
        let statement = $statement
            .into_boxed()
            .filter(token::revoked_at.is_null())
            .filter(
                token::expires_at
                    .is_null()
                    .or(token::expires_at.gt(stored($now))),
            );
        match $selection {
            Selection::Owner(Owner::Account(id)) => {
                statement.filter(token::account_id.eq(id.to_string()))
            }
            Selection::Owner(Owner::Organization(id)) => {
                statement.filter(token::organization_id.eq(id.to_string()))
            }
            Selection::LimitedTo(account, organization) => statement
                .filter(token::account_id.eq(account.to_string()))
                .filter(token::limit_organization_id.eq(organization.to_string())),
            Selection::Organization(id) => statement.filter(
                token::organization_id
                    .eq(id.to_string())
                    .or(token::limit_organization_id.eq(id.to_string())),
            ),
            Selection::SoleMembers(id) => statement.filter(
                token::account_id
                    .assume_not_null()
                    .eq_any(sole_members!(id)),
            ),
            Selection::Client(id) => statement.filter(token::client_id.eq(id.clone())),
            Selection::Everything => statement,
        }
    }};
}

/// The tokens of a selection that can still be used, the newest first.
pub fn list_living(
    conn: &mut Conn,
    selection: &Selection,
    now: Instant,
) -> Result<Vec<Token>, Error> {
    let rows = living!(token::table, selection, now)
        .order((token::created_at.desc(), token::id.desc()))
        .get_results::<Row>(conn)?;
    rows.into_iter().map(Token::try_from).collect()
}

/// How many tokens of a selection can still be used.
pub fn count_living(conn: &mut Conn, selection: &Selection, now: Instant) -> Result<i64, Error> {
    Ok(living!(token::table, selection, now)
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
/// before a moment.
pub fn mark_all_revoked(
    conn: &mut Conn,
    selection: &Selection,
    issued_before: Option<Instant>,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<Revoked, Error> {
    let before = stored(issued_before.unwrap_or_else(crate::domain::last_moment));
    let end = || {
        (
            token::revoked_at.eq(stored(now)),
            token::revoked_by.eq(by),
            token::revoked_reason.eq(reason.as_str()),
        )
    };
    let named = living!(token::table, selection, now)
        .filter(token::created_at.lt(before))
        .order((token::created_at.desc(), token::id.desc()))
        .select(token::id)
        .limit(i64::try_from(MOST_NAMED).unwrap_or(i64::MAX))
        .get_results::<String>(conn)?;
    // Somebody else may have revoked one since it was found.
    let newest = diesel::update(
        token::table
            .filter(token::id.eq_any(&named))
            .filter(token::revoked_at.is_null()),
    )
    .set(end())
    .returning(token::id)
    .get_results::<String>(conn)?;
    let others = match named.len() < MOST_NAMED {
        true => 0,
        false => living!(diesel::update(token::table).set(end()), selection, now)
            .filter(token::created_at.lt(before))
            .execute(conn)?,
    };
    Ok(Revoked {
        count: newest.len() + others,
        newest: newest
            .iter()
            .map(|id| read_value(TokenId::parse(id), "token", "id", id))
            .collect::<Result<_, _>>()?,
    })
}
