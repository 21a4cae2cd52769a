//! Active tokens with access to an organization, up to a limit, and requests to rotate them.

use super::schema::{membership, rotation_request, token, token_use, users};
use super::statement::{ReadRow, RowId, Statement};
use super::token::Row;
use super::{Conn, Error, in_batches, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, TokenId};
use domain::org::Member;
use domain::token::Token;
use std::collections::BTreeMap;

/// The members of an organization who joined last, at most `limit`, by user id.
pub fn list_newest_members(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    limit: i64,
) -> Result<BTreeMap<String, Member>, Error> {
    let members = membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .order((membership::created_at.desc(), membership::user_id.desc()))
        .limit(limit)
        .select((users::all_columns, membership::role, membership::created_at))
        .read_all::<super::org::MemberRow>(conn)?;
    let members = members.into_iter();
    Ok(members
        .map(|member| (member.user.id.to_string(), member))
        .collect())
}

/// Reads the active tokens of a query by the indexes of active tokens: those without an expiry, and
/// those that expire, without a walk over the expired ones.
macro_rules! active {
    ($conn:expr, $now:expr, $limit:expr, $query:expr) => {{
        let mut found = $query
            .filter(token::revoked_at.is_null())
            .filter(token::expires_at.is_null())
            .limit($limit)
            .read_all::<Row>($conn)?;
        let ending = $query
            .filter(token::revoked_at.is_null())
            .filter(token::expires_at.assume_not_null().gt(stored($now)))
            .limit($limit)
            .read_all::<Row>($conn)?;
        found.extend(ending);
        found.truncate(usize::try_from($limit).unwrap_or_default());
        found
    }};
}

/// Active tokens of an organization itself, at most `limit`.
pub fn list_active_own(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
    limit: i64,
) -> Result<Vec<Token>, Error> {
    let id = organization_id.as_str();
    Ok(active!(
        conn,
        now,
        limit,
        token::table.filter(token::organization_id.eq(id))
    ))
}

/// Active personal tokens of users that are not limited to another organization, at most `limit`.
/// At most a thousand users, which are the values of one statement.
pub fn list_active_personal(
    conn: &mut Conn,
    (users, organization_id): (&[String], &OrganizationId),
    now: Instant,
    limit: i64,
) -> Result<Vec<Token>, Error> {
    let is_limited_to_it = token::limit_organization_id.eq(organization_id.as_str());
    Ok(active!(
        conn,
        now,
        limit,
        token::table
            .filter(token::user_id.eq_any(users.to_vec()))
            .filter(token::limit_organization_id.is_null().or(is_limited_to_it))
    ))
}

/// The last recorded use of a token in an organization.
pub fn find_last_use(
    conn: &mut Conn,
    token_id: &TokenId,
    organization_id: &OrganizationId,
) -> Result<Option<Instant>, Error> {
    token_use::table
        .filter(token_use::token_id.eq(token_id.as_str()))
        .filter(token_use::organization_id.eq(organization_id.as_str()))
        .order(token_use::event_id.desc())
        .limit(1)
        .select(token_use::last_at)
        .read_one::<NaiveDateTime>(conn)
}

/// A request that the owner of a token rotates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationRequest {
    /// The token.
    pub token_id: TokenId,
    /// The organization whose admin asks.
    pub organization_id: OrganizationId,
    /// The admin, as an actor of the audit log.
    pub requested_by: String,
    /// When the admin last asked.
    pub requested_at: Instant,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = rotation_request)]
struct RequestRow {
    token_id: String,
    organization_id: String,
    requested_by: String,
    requested_at: NaiveDateTime,
}

impl ReadRow for RequestRow {
    type Value = RotationRequest;

    fn read(self) -> Result<RotationRequest, Error> {
        let row = RowId("rotation_request", &self.token_id);
        let organization_id = OrganizationId::parse(&self.organization_id);
        Ok(RotationRequest {
            token_id: row.read("token_id", TokenId::parse(&self.token_id))?,
            organization_id: row.read("organization_id", organization_id)?,
            requested_by: self.requested_by,
            requested_at: self.requested_at.and_utc(),
        })
    }
}

/// Stores a request, in the place of an earlier one of the same organization.
pub fn replace_request(conn: &mut Conn, new: &RotationRequest) -> Result<(), Error> {
    let key = (new.token_id.as_str(), new.organization_id.as_str());
    diesel::delete(rotation_request::table.find(key)).changes(conn)?;
    let row = RequestRow {
        token_id: new.token_id.to_string(),
        organization_id: new.organization_id.to_string(),
        requested_by: new.requested_by.clone(),
        requested_at: stored(new.requested_at),
    };
    diesel::insert_into(rotation_request::table)
        .values(row)
        .run(conn)
}

/// The requests for these tokens.
pub fn list_requests(conn: &mut Conn, tokens: &[String]) -> Result<Vec<RotationRequest>, Error> {
    in_batches(tokens, |batch| {
        rotation_request::table
            .filter(rotation_request::token_id.eq_any(batch))
            .read_all::<RequestRow>(conn)
    })
}
