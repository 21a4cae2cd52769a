//! Invitations to organizations. One that was accepted or withdrawn is gone.

use super::schema::invitation;
use super::{Conn, Error, read_value, stored};
use crate::domain::Instant;
use crate::domain::id::{AccountId, InvitationId, OrganizationId};
use crate::domain::org::{Invitation, Role};
use crate::domain::secret::Digest;
use diesel::prelude::*;

#[derive(Queryable, Insertable)]
#[diesel(table_name = invitation, treat_none_as_default_value = false)]
struct Row {
    id: String,
    link_digest: String,
    organization_id: String,
    email: Option<String>,
    role: String,
    invited_by: String,
    created_at: chrono::NaiveDateTime,
    expires_at: chrono::NaiveDateTime,
}

impl TryFrom<Row> for Invitation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let organization_id = OrganizationId::parse(&row.organization_id);
        Ok(Self {
            organization_id: read_value(organization_id, "invitation", "organization_id", &row.id)?,
            role: read_value(Role::parse(&row.role), "invitation", "role", &row.id)?,
            id: read_value(InvitationId::parse(&row.id), "invitation", "id", &row.id)?,
            email: row.email,
            invited_by: row.invited_by,
            created_at: row.created_at.and_utc(),
            expires_at: row.expires_at.and_utc(),
        })
    }
}

/// Remembers an invitation by the digest of its link.
pub fn insert_invitation(conn: &mut Conn, new: &Invitation, link: &Digest) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        link_digest: link.as_str().to_owned(),
        organization_id: new.organization_id.to_string(),
        email: new.email.clone(),
        role: new.role.as_str().to_owned(),
        invited_by: new.invited_by.clone(),
        created_at: stored(new.created_at),
        expires_at: stored(new.expires_at),
    };
    diesel::insert_into(invitation::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The invitation whose link has this digest, if it still works.
pub fn find_invitation(
    conn: &mut Conn,
    link: &Digest,
    now: Instant,
) -> Result<Option<Invitation>, Error> {
    invitation::table
        .filter(invitation::link_digest.eq(link.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .get_result::<Row>(conn)
        .optional()?
        .map(Invitation::try_from)
        .transpose()
}

/// The invitations of an organization that still work, the newest first.
pub fn list_invitations(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<Vec<Invitation>, Error> {
    invitation::table
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .order((invitation::created_at.desc(), invitation::id.desc()))
        .get_results::<Row>(conn)?
        .into_iter()
        .map(Invitation::try_from)
        .collect()
}

/// Ends an invitation of an organization; `false` if there is none. Of two that end it at
/// once the second finds none.
pub fn delete_invitation(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    id: &InvitationId,
) -> Result<bool, Error> {
    let deleted = diesel::delete(
        invitation::table
            .filter(invitation::id.eq(id.as_str()))
            .filter(invitation::organization_id.eq(organization_id.as_str())),
    )
    .execute(conn)?;
    Ok(deleted == 1)
}

/// Ends the invitations to an organization that somebody made.
pub fn delete_invitations_by(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    account_id: &AccountId,
) -> Result<(), Error> {
    diesel::delete(
        invitation::table
            .filter(invitation::organization_id.eq(organization_id.as_str()))
            .filter(invitation::invited_by.eq(account_id.as_str())),
    )
    .execute(conn)?;
    Ok(())
}

/// Ends all invitations of an organization.
pub fn delete_invitations(conn: &mut Conn, organization_id: &OrganizationId) -> Result<(), Error> {
    diesel::delete(
        invitation::table.filter(invitation::organization_id.eq(organization_id.as_str())),
    )
    .execute(conn)?;
    Ok(())
}

/// Forgets invitations whose time is over.
pub fn delete_over_invitations(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::delete(invitation::table.filter(invitation::expires_at.le(stored(now))))
        .execute(conn)?;
    Ok(())
}
