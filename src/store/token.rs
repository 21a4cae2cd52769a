//! Tokens, found by the digest of their text.

use super::schema::token;
use super::{Conn, Error, read_value, stored};
use crate::domain::Instant;
use crate::domain::id::{AccountId, OrganizationId, TokenId};
use crate::domain::scope::ScopeSet;
use crate::domain::secret::Digest;
use crate::domain::token::{LastUse, Owner, Revocation, RevocationReason, Token};
use diesel::prelude::*;
use std::net::IpAddr;

#[derive(Queryable, Insertable)]
#[diesel(table_name = token, treat_none_as_default_value = false)]
struct Row {
    id: String,
    token_digest: String,
    account_id: Option<String>,
    organization_id: Option<String>,
    name: String,
    hint: String,
    scopes: String,
    client_id: Option<String>,
    device_name: Option<String>,
    created_at: chrono::NaiveDateTime,
    expires_at: Option<chrono::NaiveDateTime>,
    last_used_at: Option<chrono::NaiveDateTime>,
    last_used_address: Option<String>,
    revoked_at: Option<chrono::NaiveDateTime>,
    revoked_by: Option<String>,
    revoked_reason: Option<String>,
}

impl TryFrom<Row> for Token {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let owner = match (&row.account_id, &row.organization_id) {
            (Some(id), None) => AccountId::parse(id).map(Owner::Account),
            (None, Some(id)) => OrganizationId::parse(id).map(Owner::Organization),
            _ => None,
        };
        let last_use = match (row.last_used_at, &row.last_used_address) {
            (Some(at), Some(address)) => Some(LastUse {
                at: at.and_utc(),
                address: read_value(address.parse().ok(), "token", "last_used_address", &row.id)?,
            }),
            _ => None,
        };
        let revocation = match (row.revoked_at, row.revoked_by, row.revoked_reason) {
            (Some(at), Some(by), Some(reason)) => Some(Revocation {
                at: at.and_utc(),
                by,
                reason,
            }),
            _ => None,
        };
        Ok(Self {
            owner: read_value(owner, "token", "account_id", &row.id)?,
            scopes: read_value(
                ScopeSet::parse(&row.scopes).ok(),
                "token",
                "scopes",
                &row.id,
            )?,
            id: read_value(TokenId::parse(&row.id), "token", "id", &row.id)?,
            name: row.name,
            hint: row.hint,
            client_id: row.client_id,
            device_name: row.device_name,
            created_at: row.created_at.and_utc(),
            expires_at: row.expires_at.map(|at| at.and_utc()),
            last_use,
            revocation,
        })
    }
}

/// Remembers a new token by the digest of its text.
pub fn insert_token(conn: &mut Conn, new: &Token, digest: &Digest) -> Result<(), Error> {
    let (account_id, organization_id) = match &new.owner {
        Owner::Account(id) => (Some(id.to_string()), None),
        Owner::Organization(id) => (None, Some(id.to_string())),
    };
    let row = Row {
        id: new.id.to_string(),
        token_digest: digest.as_str().to_owned(),
        account_id,
        organization_id,
        name: new.name.clone(),
        hint: new.hint.clone(),
        scopes: new.scopes.to_string(),
        client_id: new.client_id.clone(),
        device_name: new.device_name.clone(),
        created_at: stored(new.created_at),
        expires_at: new.expires_at.map(stored),
        last_used_at: None,
        last_used_address: None,
        revoked_at: None,
        revoked_by: None,
        revoked_reason: None,
    };
    diesel::insert_into(token::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The token whose text has this digest.
pub fn find_token_by_digest(conn: &mut Conn, digest: &Digest) -> Result<Option<Token>, Error> {
    token::table
        .filter(token::token_digest.eq(digest.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(Token::try_from)
        .transpose()
}

/// A person's tokens, the newest first.
pub fn list_tokens(conn: &mut Conn, account_id: &AccountId) -> Result<Vec<Token>, Error> {
    token::table
        .filter(token::account_id.eq(account_id.as_str()))
        .order((token::created_at.desc(), token::id.desc()))
        .get_results::<Row>(conn)?
        .into_iter()
        .map(Token::try_from)
        .collect()
}

/// One of a person's tokens.
pub fn find_token(
    conn: &mut Conn,
    account_id: &AccountId,
    id: &TokenId,
) -> Result<Option<Token>, Error> {
    token::table
        .filter(token::id.eq(id.as_str()))
        .filter(token::account_id.eq(account_id.as_str()))
        .get_result::<Row>(conn)
        .optional()?
        .map(Token::try_from)
        .transpose()
}

/// Revokes a token; `false` if it was revoked before.
pub fn mark_revoked(
    conn: &mut Conn,
    id: &TokenId,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<bool, Error> {
    let changed = diesel::update(
        token::table
            .filter(token::id.eq(id.as_str()))
            .filter(token::revoked_at.is_null()),
    )
    .set((
        token::revoked_at.eq(stored(now)),
        token::revoked_by.eq(by),
        token::revoked_reason.eq(reason.as_str()),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Revokes all of a person's tokens that could still be used; tells which.
pub fn mark_all_revoked(
    conn: &mut Conn,
    account_id: &AccountId,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<Vec<TokenId>, Error> {
    diesel::update(
        token::table
            .filter(token::account_id.eq(account_id.as_str()))
            .filter(token::revoked_at.is_null())
            .filter(
                token::expires_at
                    .is_null()
                    .or(token::expires_at.gt(stored(now))),
            ),
    )
    .set((
        token::revoked_at.eq(stored(now)),
        token::revoked_by.eq(by),
        token::revoked_reason.eq(reason.as_str()),
    ))
    .returning(token::id)
    .get_results::<String>(conn)?
    .iter()
    .map(|id| read_value(TokenId::parse(id), "token", "id", id))
    .collect()
}

/// Remembers a token's last use, unless a later one is known.
pub fn update_last_use(
    conn: &mut Conn,
    id: &TokenId,
    at: Instant,
    address: IpAddr,
) -> Result<(), Error> {
    diesel::update(
        token::table.filter(token::id.eq(id.as_str())).filter(
            token::last_used_at
                .is_null()
                .or(token::last_used_at.lt(stored(at))),
        ),
    )
    .set((
        token::last_used_at.eq(stored(at)),
        token::last_used_address.eq(address.to_string()),
    ))
    .execute(conn)?;
    Ok(())
}
