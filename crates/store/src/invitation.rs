//! Invitations to organizations. An accepted or withdrawn one ends immediately. Its row stays for
//! its original lifetime, so that its form cannot create another.

use super::schema::invitation;
use super::statement::{ReadRow, RowId, Statement, one_page};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{InvitationId, OrganizationId, TokenId, UserId};
use domain::org::{INVITATION_LIFETIME, Invitation, LinkKind};
use domain::page::Page;
use domain::role::Role;
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = invitation, treat_none_as_default_value = false)]
struct Row {
    id: String,
    link_digest: String,
    mailed_link_digest: Option<String>,
    organization_id: String,
    email: Option<String>,
    role: String,
    invited_by: String,
    made_by_token: Option<String>,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
}

impl ReadRow for Row {
    type Value = Invitation;

    fn read(self) -> Result<Invitation, Error> {
        let row = RowId("invitation", &self.id);
        let organization_id = OrganizationId::parse(&self.organization_id);
        Ok(Invitation {
            organization_id: row.read("organization_id", organization_id)?,
            role: row.read("role", Role::parse(&self.role))?,
            id: row.read("id", InvitationId::parse(&self.id))?,
            email: self.email,
            invited_by: self.invited_by,
            made_by_token: row.read_nullable(
                "made_by_token",
                self.made_by_token.as_ref(),
                TokenId::parse,
            )?,
            created_at: self.created_at.and_utc(),
            expires_at: self.expires_at.and_utc(),
        })
    }
}

/// Inserts an invitation with the digest of the link that its creator sees.
pub fn insert_invitation(conn: &mut Conn, new: &Invitation, link: &Digest) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        link_digest: link.as_str().to_owned(),
        mailed_link_digest: None,
        organization_id: new.organization_id.to_string(),
        email: new.email.clone(),
        role: new.role.as_str().to_owned(),
        invited_by: new.invited_by.clone(),
        made_by_token: new.made_by_token.as_ref().map(ToString::to_string),
        created_at: stored(new.created_at),
        expires_at: stored(new.expires_at),
    };
    diesel::insert_into(invitation::table).values(row).run(conn)
}

/// The active invitation that has a link with this digest, and the kind of the link.
pub fn find_invitation(
    conn: &mut Conn,
    link: &Digest,
    now: Instant,
) -> Result<Option<(Invitation, LinkKind)>, Error> {
    let is_link = invitation::link_digest.eq(link.as_str());
    let is_mailed_link = invitation::mailed_link_digest.eq(link.as_str());
    let row = invitation::table
        .filter(is_link.or(is_mailed_link.assume_not_null()))
        .filter(invitation::expires_at.gt(stored(now)))
        .row::<Row>(conn)
        .optional()?;
    row.map(|row| {
        let kind = match row.mailed_link_digest.as_deref() == Some(link.as_str()) {
            true => LinkKind::Mailed,
            false => LinkKind::Shown,
        };
        Ok((row.read()?, kind))
    })
    .transpose()
}

/// Limits an invitation to an address, unless it is limited to another one, and sets the digest of
/// the link that is mailed to it; `false` if it was limited otherwise.
pub fn set_recipient(
    conn: &mut Conn,
    id: &InvitationId,
    email: &str,
    mailed_link: Option<&Digest>,
) -> Result<bool, Error> {
    let is_free = invitation::email
        .is_null()
        .or(invitation::email.assume_not_null().eq(email));
    diesel::update(invitation::table.find(id.as_str()))
        .filter(is_free)
        .set((
            invitation::email.eq(email),
            invitation::mailed_link_digest.eq(mailed_link.map(Digest::as_str)),
        ))
        .changes_one(conn)
}

/// The active invitations of an organization, the newest first: one page plus one row if more
/// follow.
pub fn list_invitations(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
    page: &Page,
) -> Result<Vec<Invitation>, Error> {
    let query = invitation::table
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .into_boxed();
    one_page!(query, page, newest(invitation, id)).read_all::<Row>(conn)
}

/// The number of active invitations of an organization, at most `limit`. Reads only those that were
/// created within the lifetime of an invitation.
pub fn count_invitations(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
    limit: i64,
) -> Result<usize, Error> {
    let open = invitation::table
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::created_at.gt(stored(now - INVITATION_LIFETIME)))
        .filter(invitation::expires_at.gt(stored(now)))
        .select(invitation::id)
        .limit(limit)
        .rows::<String>(conn)?;
    Ok(open.len())
}

/// An active invitation of an organization.
pub fn find_invitation_by_id(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    id: &InvitationId,
    now: Instant,
) -> Result<Option<Invitation>, Error> {
    invitation::table
        .find(id.as_str())
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .read_one::<Row>(conn)
}

/// Ends an invitation of an organization, for every clock; `false` if it is not active. Of two concurrent calls
/// one returns `true`.
pub fn mark_ended(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    id: &InvitationId,
    now: Instant,
) -> Result<bool, Error> {
    diesel::update(invitation::table.find(id.as_str()))
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)))
        .set(invitation::expires_at.eq(invitation::created_at))
        .changes_one(conn)
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
        .set(invitation::expires_at.eq(invitation::created_at))
        .into_boxed()
        .filter(invitation::organization_id.eq(organization_id.as_str()))
        .filter(invitation::expires_at.gt(stored(now)));
    if let Some(user_id) = by {
        statement = statement.filter(invitation::invited_by.eq(user_id.as_str()));
    }
    statement
        .returning(invitation::id)
        .rows::<String>(conn)?
        .iter()
        .map(|id| RowId("invitation", id).read("id", InvitationId::parse(id)))
        .collect()
}

/// Deletes invitations whose original lifetime is over.
pub fn delete_over_invitations(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    let made = stored(now - INVITATION_LIFETIME);
    diesel::delete(invitation::table)
        .filter(invitation::expires_at.le(stored(now)))
        .filter(invitation::created_at.le(made))
        .run(conn)
}
