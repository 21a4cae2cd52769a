//! The graces of tokens that a policy would end which came after them.

use super::account::Row as AccountRow;
use super::schema::{account, membership, policy_grace, token};
use super::token::Row as TokenRow;
use super::{Conn, Error, read_value, stored};
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::id::{OrganizationId, TokenId};
use crate::domain::org::Role;
use crate::domain::token::Token;
use diesel::prelude::*;
use std::collections::HashMap;

/// The organizations in which a token has a grace at this moment.
pub fn list_graces(
    conn: &mut Conn,
    token_id: &TokenId,
    now: Instant,
) -> Result<Vec<OrganizationId>, Error> {
    policy_grace::table
        .filter(policy_grace::token_id.eq(token_id.as_str()))
        .filter(policy_grace::ends_at.gt(stored(now)))
        .select(policy_grace::organization_id)
        .get_results::<String>(conn)?
        .iter()
        .map(|id| {
            let organization = OrganizationId::parse(id);
            read_value(organization, "policy_grace", "organization_id", id)
        })
        .collect()
}

/// The tokens that have a grace in an organization at this moment, and when it ends.
pub fn list_graced(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<HashMap<TokenId, Instant>, Error> {
    policy_grace::table
        .filter(policy_grace::organization_id.eq(organization_id.as_str()))
        .filter(policy_grace::ends_at.gt(stored(now)))
        .select((policy_grace::token_id, policy_grace::ends_at))
        .get_results::<(String, chrono::NaiveDateTime)>(conn)?
        .into_iter()
        .map(|(id, end)| {
            let token_id = read_value(TokenId::parse(&id), "policy_grace", "token_id", &id)?;
            Ok((token_id, end.and_utc()))
        })
        .collect()
}

/// Ends the grace of a token in an organization, which admits it again.
pub fn delete_grace(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    token_id: &TokenId,
) -> Result<(), Error> {
    diesel::delete(
        policy_grace::table
            .filter(policy_grace::token_id.eq(token_id.as_str()))
            .filter(policy_grace::organization_id.eq(organization_id.as_str())),
    )
    .execute(conn)?;
    Ok(())
}

/// Gives a token a grace in an organization, in place of any that it had.
pub fn replace_grace(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    token_id: &TokenId,
    ends_at: Instant,
) -> Result<(), Error> {
    delete_grace(conn, organization_id, token_id)?;
    diesel::insert_into(policy_grace::table)
        .values((
            policy_grace::organization_id.eq(organization_id.as_str()),
            policy_grace::token_id.eq(token_id.as_str()),
            policy_grace::ends_at.eq(stored(ends_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets graces that are over.
pub fn delete_over_graces(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::delete(policy_grace::table.filter(policy_grace::ends_at.le(stored(now))))
        .execute(conn)?;
    Ok(())
}

/// A token that reaches an organization, with its owner and the owner's role there; `None` for
/// the organization's own.
pub type Reaching = (Token, Option<(Account, Role)>);

/// The living tokens that reach an organization: its own, and its members' personal ones that
/// are not limited to another.
pub fn list_reaching(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<Vec<Reaching>, Error> {
    let now = stored(now);
    let is_alive = token::revoked_at
        .is_null()
        .and(token::expires_at.is_null().or(token::expires_at.gt(now)));
    let mut found = Vec::new();
    let own = token::table
        .filter(token::organization_id.eq(organization_id.as_str()))
        .filter(is_alive)
        .get_results::<TokenRow>(conn)?;
    for row in own {
        found.push((Token::try_from(row)?, None));
    }
    let personal = token::table
        .inner_join(membership::table.on(token::account_id.eq(membership::account_id.nullable())))
        .inner_join(account::table.on(membership::account_id.eq(account::id)))
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .filter(
            token::limit_organization_id
                .is_null()
                .or(token::limit_organization_id.eq(organization_id.as_str())),
        )
        .filter(is_alive)
        .select((token::all_columns, account::all_columns, membership::role))
        .get_results::<(TokenRow, AccountRow, String)>(conn)?;
    for (row, owner, role) in personal {
        let token = Token::try_from(row)?;
        let role = read_value(Role::parse(&role), "membership", "role", token.id.as_str())?;
        found.push((token, Some((Account::try_from(owner)?, role))));
    }
    Ok(found)
}
