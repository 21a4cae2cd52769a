//! Invitations to organizations. An accepted or withdrawn one ends immediately. Its row stays for
//! its original lifetime, so that its form cannot create another.

use super::schema::invitation;
use super::{Conn, Error, read_value, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::{InvitationId, OrganizationId, UserId};
use domain::org::{INVITATION_LIFETIME, Invitation};
use domain::page::Page;
use domain::role::Role;
use domain::secret::Digest;

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

/// Inserts an invitation with the digest of its link.
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

/// The active invitation whose link has this digest.
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

/// The active invitations of an organization, the newest first: a page, and one more.
pub fn list_invitations(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
    page: &Page,
) -> Result<Vec<Invitation>, Error> {
    let mut query = invitation::table
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .order((invitation::created_at.desc(), invitation::id.desc()))
        .limit(page.look_for())
        .into_boxed();
    if let Some((at, id)) = page.after() {
        let at = stored(at);
        query = query.filter(
            invitation::created_at.lt(at).or(invitation::created_at
                .eq(at)
                .and(invitation::id.lt(id.to_owned()))),
        );
    }
    let rows = query.get_results::<Row>(conn)?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// An active invitation of an organization.
pub fn find_invitation_by_id(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    id: &InvitationId,
    now: Instant,
) -> Result<Option<Invitation>, Error> {
    invitation::table
        .filter(invitation::id.eq(id.as_str()))
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .get_result::<Row>(conn)
        .optional()?
        .map(Invitation::try_from)
        .transpose()
}

/// Ends an invitation of an organization; `false` if it is not active. Of two concurrent calls
/// one returns `true`.
pub fn mark_ended(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    id: &InvitationId,
    now: Instant,
) -> Result<bool, Error> {
    let ended = diesel::update(
        invitation::table
            .filter(invitation::id.eq(id.as_str()))
            .filter(invitation::organization_id.eq(organization_id.as_str()))
            .filter(invitation::expires_at.gt(stored(now))),
    )
    .set(invitation::expires_at.eq(stored(now)))
    .execute(conn)?;
    Ok(ended == 1)
}

/// Ends the active invitations of an organization, all or those that one user created; returns
/// their ids.
pub fn mark_all_ended(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    by: Option<&UserId>,
    now: Instant,
) -> Result<Vec<InvitationId>, Error> {
    let mut statement = diesel::update(invitation::table)
        .set(invitation::expires_at.eq(stored(now)))
        .into_boxed()
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)));
    if let Some(user_id) = by {
        statement = statement.filter(invitation::invited_by.eq(user_id.as_str()));
    }
    statement
        .returning(invitation::id)
        .get_results::<String>(conn)?
        .iter()
        .map(|id| read_value(InvitationId::parse(id), "invitation", "id", id))
        .collect()
}

/// Deletes invitations whose original lifetime is over.
pub fn delete_over_invitations(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    let made = stored(now - INVITATION_LIFETIME);
    diesel::delete(
        invitation::table
            .filter(invitation::expires_at.le(stored(now)))
            .filter(invitation::created_at.le(made)),
    )
    .execute(conn)?;
    Ok(())
}
