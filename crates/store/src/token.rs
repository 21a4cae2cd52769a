//! Tokens, stored by the digest of their text.

use super::limits::LimitColumns;
use super::schema::token;
use super::statement::{ReadRow, RowId, Statement, lock_row, on_connection};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, TokenId, UserId};
use domain::scope::ScopeSet;
use domain::secret::Digest;
use domain::token::{LastUse, Revocation, Token, TokenOwner};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The condition that a token is active at a time: neither revoked nor expired. A macro, since its
/// type has no short name.
macro_rules! is_active {
    ($now:expr) => {{
        use $crate::schema::token;
        let is_unexpired = token::expires_at
            .is_null()
            .or(token::expires_at.gt($crate::stored($now)));
        token::revoked_at.is_null().and(is_unexpired)
    }};
}
pub(super) use is_active;

#[derive(Queryable, Insertable)]
#[diesel(table_name = token, treat_none_as_default_value = false)]
pub(super) struct Row {
    id: String,
    token_digest: String,
    user_id: Option<String>,
    organization_id: Option<String>,
    name: String,
    hint: String,
    scopes: String,
    client_id: Option<String>,
    device_name: Option<String>,
    created_at: NaiveDateTime,
    expires_at: Option<NaiveDateTime>,
    last_used_at: Option<NaiveDateTime>,
    last_used_address: Option<String>,
    revoked_at: Option<NaiveDateTime>,
    revoked_by: Option<String>,
    revoked_reason: Option<String>,
    limit_organization_id: Option<String>,
    limit_projects: Option<String>,
    created_by: String,
    replaces: Option<String>,
    made_by_token: Option<String>,
    blocked_in: Option<String>,
    confirmed_at: Option<NaiveDateTime>,
}

impl ReadRow for Row {
    type Value = Token;

    fn read(self) -> Result<Token, Error> {
        let row = RowId("token", &self.id);
        let owner = match (&self.user_id, &self.organization_id) {
            (Some(id), None) => UserId::parse(id).map(TokenOwner::User),
            (None, Some(id)) => OrganizationId::parse(id).map(TokenOwner::Organization),
            _ => None,
        };
        let last_use = match (self.last_used_at, &self.last_used_address) {
            (Some(at), Some(address)) => Some(LastUse {
                at: at.and_utc(),
                address: row.read("last_used_address", address.parse().ok())?,
            }),
            _ => None,
        };
        let revocation = match (self.revoked_at, self.revoked_by, self.revoked_reason) {
            (Some(at), Some(by), Some(reason)) => Some(Revocation {
                at: at.and_utc(),
                by,
                reason,
            }),
            _ => None,
        };
        let limits = LimitColumns::read(
            self.limit_organization_id.as_deref(),
            self.limit_projects.as_deref(),
        );
        let blocked_in = read_blocks(self.blocked_in.as_deref());
        Ok(Token {
            blocked_in: row.read("blocked_in", blocked_in)?,
            limits: row.read("limit_organization_id", limits)?,
            replaces: row.read_nullable("replaces", self.replaces.as_ref(), TokenId::parse)?,
            made_by_token: row.read_nullable(
                "made_by_token",
                self.made_by_token.as_ref(),
                TokenId::parse,
            )?,
            created_by: self.created_by,
            owner: row.read("user_id", owner)?,
            scopes: row.read("scopes", ScopeSet::parse(&self.scopes).ok())?,
            id: row.read("id", TokenId::parse(&self.id))?,
            name: self.name,
            hint: self.hint,
            client_id: self.client_id,
            device_name: self.device_name,
            confirmed_at: self.confirmed_at.map(|at| at.and_utc()),
            created_at: self.created_at.and_utc(),
            expires_at: self.expires_at.map(|at| at.and_utc()),
            last_use,
            revocation,
        })
    }
}

fn read_blocks(text: Option<&str>) -> Option<BTreeSet<OrganizationId>> {
    let ids = text.unwrap_or_default().split_whitespace();
    ids.map(OrganizationId::parse).collect()
}

fn write_blocks(blocks: &BTreeSet<OrganizationId>) -> Option<String> {
    let ids: Vec<_> = blocks.iter().map(OrganizationId::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Lifts the block of a token by an organization; `false` if there is none.
pub fn remove_block(
    conn: &mut Conn,
    id: &TokenId,
    organization_id: &OrganizationId,
) -> Result<bool, Error> {
    let Some(mut blocks) = lock_token(conn, id)?.map(|token| token.blocked_in) else {
        return Ok(false);
    };
    let has_changed = blocks.remove(organization_id);
    if has_changed {
        diesel::update(token::table.find(id.as_str()))
            .set(token::blocked_in.eq(write_blocks(&blocks)))
            .run(conn)?;
    }
    Ok(has_changed)
}

/// Inserts a token with the digest of its text.
pub fn insert_token(conn: &mut Conn, new: &Token, digest: &Digest) -> Result<(), Error> {
    let (user_id, organization_id) = match &new.owner {
        TokenOwner::User(id) => (Some(id.to_string()), None),
        TokenOwner::Organization(id) => (None, Some(id.to_string())),
    };
    let limits = LimitColumns::of(&new.limits);
    let row = Row {
        id: new.id.to_string(),
        token_digest: digest.as_str().to_owned(),
        user_id,
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
        limit_organization_id: limits.organization,
        limit_projects: limits.projects,
        created_by: new.created_by.clone(),
        replaces: new.replaces.as_ref().map(ToString::to_string),
        made_by_token: new.made_by_token.as_ref().map(ToString::to_string),
        blocked_in: write_blocks(&new.blocked_in),
        confirmed_at: new.confirmed_at.map(stored),
    };
    let insert = diesel::insert_into(token::table).values(row);
    on_connection!(conn, own => insert.execute(own))?;
    Ok(())
}

/// The token whose text has this digest.
pub fn find_token_by_digest(conn: &mut Conn, digest: &Digest) -> Result<Option<Token>, Error> {
    token::table
        .filter(token::token_digest.eq(digest.as_str()))
        .read_one::<Row>(conn)
}

/// The token with this id.
pub fn find_token(conn: &mut Conn, id: &TokenId) -> Result<Option<Token>, Error> {
    token::table.find(id.as_str()).read_one::<Row>(conn)
}

/// The tokens with these ids, in their order. As many as one statement may name.
pub fn list_tokens(conn: &mut Conn, ids: &[TokenId]) -> Result<Vec<Token>, Error> {
    let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let mut tokens: Vec<Token> = token::table
        .filter(token::id.eq_any(texts))
        .read_all::<Row>(conn)?;
    tokens.sort_by_key(|token| ids.iter().position(|id| *id == token.id));
    Ok(tokens)
}

/// Stores when the owner of a token proved who they are; `false` if a later time is stored.
pub fn mark_confirmed(conn: &mut Conn, id: &TokenId, at: Instant) -> Result<bool, Error> {
    let is_later = token::confirmed_at
        .is_null()
        .or(token::confirmed_at.lt(stored(at)));
    diesel::update(token::table.find(id.as_str()))
        .filter(is_later)
        .set(token::confirmed_at.eq(stored(at)))
        .changes_one(conn)
}

/// The same as [`find_token`], locked against changes until the transaction ends.
pub fn lock_token(conn: &mut Conn, id: &TokenId) -> Result<Option<Token>, Error> {
    lock_row!(conn, token, id);
    find_token(conn, id)
}

/// The token that replaced another.
pub fn find_successor(conn: &mut Conn, id: &TokenId) -> Result<Option<TokenId>, Error> {
    token::table
        .filter(token::replaces.eq(id.as_str()))
        .select(token::id)
        .row::<String>(conn)
        .optional()?
        .map(|successor| RowId("token", &successor).read("id", TokenId::parse(&successor)))
        .transpose()
}

/// Renames a token.
pub fn update_name(conn: &mut Conn, id: &TokenId, name: &str) -> Result<(), Error> {
    diesel::update(token::table.find(id.as_str()))
        .set(token::name.eq(name))
        .run(conn)
}

/// Sets the expiry of a token, unless it expires before.
pub fn shorten(conn: &mut Conn, id: &TokenId, end: Instant) -> Result<(), Error> {
    diesel::update(token::table.find(id.as_str()))
        .filter(
            token::expires_at
                .is_null()
                .or(token::expires_at.gt(stored(end))),
        )
        .set(token::expires_at.eq(stored(end)))
        .run(conn)
}

/// Revokes a token; `false` if already revoked.
pub fn mark_revoked(conn: &mut Conn, id: &TokenId, revocation: &Revocation) -> Result<bool, Error> {
    diesel::update(token::table.find(id.as_str()))
        .filter(token::revoked_at.is_null())
        .set((
            token::revoked_at.eq(stored(revocation.at)),
            token::revoked_by.eq(&revocation.by),
            token::revoked_reason.eq(&revocation.reason),
        ))
        .changes_one(conn)
}

/// Which of these tokens were replaced by others.
pub fn list_replaced(conn: &mut Conn, ids: &[String]) -> Result<Vec<Option<String>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(token::table
        .filter(token::replaces.eq_any(ids.to_vec()))
        .select(token::replaces)
        .rows(conn)?)
}

/// Stores a token's last use, unless a later one is stored, or the token is revoked: the address of
/// an erased user must not come back.
pub fn update_last_use(
    conn: &mut Conn,
    id: &TokenId,
    at: Instant,
    address: IpAddr,
) -> Result<(), Error> {
    diesel::update(token::table.find(id.as_str()))
        .filter(token::revoked_at.is_null())
        .filter(
            token::last_used_at
                .is_null()
                .or(token::last_used_at.lt(stored(at))),
        )
        .set((
            token::last_used_at.eq(stored(at)),
            token::last_used_address.eq(address.to_string()),
        ))
        .run(conn)
}
