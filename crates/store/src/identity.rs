//! Identities of users at identity providers.

use super::schema::{identity, membership, session, used_assertion};
use super::statement::{ReadRow, RowId, Statement};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, UserId};
use domain::identity::{Identity, LinkedIdentity, SealedRefresh};
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = identity, treat_none_as_default_value = false)]
struct Row {
    issuer: String,
    subject: String,
    user_id: String,
    email: Option<String>,
    created_at: NaiveDateTime,
    last_used_at: NaiveDateTime,
    refresh_salt: Option<String>,
    refresh_token: Option<String>,
    check_at: Option<NaiveDateTime>,
}

/// An identity that is due for a check at its provider, with the sealed refresh token.
#[derive(Debug, Clone)]
pub struct DueIdentity {
    /// The identity.
    pub linked: LinkedIdentity,
    /// The sealed refresh token.
    pub refresh: SealedRefresh,
}

impl ReadRow for Row {
    type Value = (LinkedIdentity, Option<SealedRefresh>);

    fn read(self) -> Result<Self::Value, Error> {
        let row = RowId("identity", &self.subject);
        let refresh = match (self.refresh_salt, self.refresh_token, self.check_at) {
            (Some(salt), Some(text), Some(check_at)) => Some(SealedRefresh {
                salt,
                text,
                check_at: check_at.and_utc(),
            }),
            _ => None,
        };
        let linked = LinkedIdentity {
            user_id: row.read("user_id", UserId::parse(&self.user_id))?,
            identity: Identity {
                issuer: self.issuer,
                subject: self.subject.clone(),
            },
            email: self.email,
            created_at: self.created_at.and_utc(),
            last_used_at: self.last_used_at.and_utc(),
        };
        Ok((linked, refresh))
    }
}

/// Links an identity to a user. [`Error::Duplicate`] if it is linked already, or the user has
/// another identity of this issuer.
pub fn insert_identity(conn: &mut Conn, new: &LinkedIdentity) -> Result<(), Error> {
    let row = Row {
        issuer: new.identity.issuer.clone(),
        subject: new.identity.subject.clone(),
        user_id: new.user_id.to_string(),
        email: new.email.clone(),
        created_at: stored(new.created_at),
        last_used_at: stored(new.last_used_at),
        refresh_salt: None,
        refresh_token: None,
        check_at: None,
    };
    diesel::insert_into(identity::table).values(row).run(conn)
}

/// The link of an identity.
pub fn find_identity(conn: &mut Conn, found: &Identity) -> Result<Option<LinkedIdentity>, Error> {
    let row = identity::table
        .find((&found.issuer, &found.subject))
        .read_one::<Row>(conn)?;
    Ok(row.map(|(linked, _)| linked))
}

/// The identities of a user, the oldest first.
pub fn list_identities(conn: &mut Conn, user_id: &UserId) -> Result<Vec<LinkedIdentity>, Error> {
    let rows = identity::table
        .filter(identity::user_id.eq(user_id.as_str()))
        .order((identity::created_at, identity::issuer))
        .read_all::<Row>(conn)?;
    Ok(rows.into_iter().map(|(linked, _)| linked).collect())
}

/// Stores the use of an identity, and the address that the provider stated.
pub fn update_used(
    conn: &mut Conn,
    used: &Identity,
    email: Option<&str>,
    now: Instant,
) -> Result<(), Error> {
    diesel::update(identity::table.find((&used.issuer, &used.subject)))
        .set((
            identity::email.eq(email),
            identity::last_used_at.eq(stored(now)),
        ))
        .run(conn)
}

/// Stores a sealed refresh token, or removes it.
pub fn update_refresh(
    conn: &mut Conn,
    of: &Identity,
    refresh: Option<&SealedRefresh>,
) -> Result<(), Error> {
    diesel::update(identity::table.find((&of.issuer, &of.subject)))
        .set((
            identity::refresh_salt.eq(refresh.map(|sealed| &sealed.salt)),
            identity::refresh_token.eq(refresh.map(|sealed| &sealed.text)),
            identity::check_at.eq(refresh.map(|sealed| stored(sealed.check_at))),
        ))
        .run(conn)
}

/// Stores the sealed refresh token of an identity that is being checked, or removes it, unless a
/// sign-in or another server has replaced it since; `false` then.
pub fn replace_refresh(
    conn: &mut Conn,
    checked: &DueIdentity,
    refresh: Option<&SealedRefresh>,
) -> Result<bool, Error> {
    let of = &checked.linked.identity;
    diesel::update(identity::table.find((&of.issuer, &of.subject)))
        .filter(identity::check_at.eq(stored(checked.refresh.check_at)))
        .set((
            identity::refresh_salt.eq(refresh.map(|sealed| &sealed.salt)),
            identity::refresh_token.eq(refresh.map(|sealed| &sealed.text)),
            identity::check_at.eq(refresh.map(|sealed| stored(sealed.check_at))),
        ))
        .changes_one(conn)
}

/// Identities that are due for a check at an issuer, the longest due first.
pub fn list_due(
    conn: &mut Conn,
    issuer: &str,
    now: Instant,
    limit: i64,
) -> Result<Vec<DueIdentity>, Error> {
    let rows = identity::table
        .filter(identity::check_at.le(stored(now)))
        .filter(identity::issuer.eq(issuer))
        .order((identity::check_at, identity::subject))
        .limit(limit)
        .read_all::<Row>(conn)?;
    let due = rows
        .into_iter()
        .filter_map(|(linked, refresh)| refresh.map(|refresh| DueIdentity { linked, refresh }));
    Ok(due.collect())
}

/// Postpones a check, unless another server has done so; `false` then.
pub fn postpone_check(conn: &mut Conn, due: &DueIdentity, until: Instant) -> Result<bool, Error> {
    let of = &due.linked.identity;
    diesel::update(identity::table.find((&of.issuer, &of.subject)))
        .filter(identity::check_at.eq(stored(due.refresh.check_at)))
        .set(identity::check_at.eq(stored(until)))
        .changes_one(conn)
}

/// Removes the link between a user and the identity of an issuer; `false` if there is none.
pub fn delete_identity(conn: &mut Conn, user_id: &UserId, issuer: &str) -> Result<bool, Error> {
    diesel::delete(identity::table)
        .filter(identity::user_id.eq(user_id.as_str()))
        .filter(identity::issuer.eq(issuer))
        .changes_one(conn)
}

/// Which sessions end when a provider signs a user out.
#[derive(Debug, Clone)]
pub enum ProviderSessions<'a> {
    /// All that began with the identity.
    OfIdentity(&'a Identity),
    /// Those that began with the identity when the provider stated no `sid`.
    Unnamed(&'a Identity),
    /// The one at this issuer with this `sid`.
    One(&'a str, &'a str),
}

/// The user of each of these sessions; a user with several sessions is listed several times.
pub fn list_session_users(
    conn: &mut Conn,
    sessions: &ProviderSessions<'_>,
) -> Result<Vec<UserId>, Error> {
    let query = session::table.select(session::user_id);
    let ids = match sessions {
        ProviderSessions::OfIdentity(identity) => query
            .filter(session::issuer.eq(&identity.issuer))
            .filter(session::subject.eq(&identity.subject))
            .rows::<String>(conn)?,
        ProviderSessions::Unnamed(identity) => query
            .filter(session::issuer.eq(&identity.issuer))
            .filter(session::subject.eq(&identity.subject))
            .filter(session::provider_session.is_null())
            .rows::<String>(conn)?,
        ProviderSessions::One(issuer, sid) => query
            .filter(session::issuer.eq(issuer))
            .filter(session::provider_session.eq(sid))
            .rows::<String>(conn)?,
    };
    ids.iter()
        .map(|id| RowId("session", id).read("user_id", UserId::parse(id)))
        .collect()
}

/// Ends sessions; returns how many there were.
pub fn delete_sessions(conn: &mut Conn, sessions: &ProviderSessions<'_>) -> Result<usize, Error> {
    Ok(match sessions {
        ProviderSessions::OfIdentity(identity) => diesel::delete(session::table)
            .filter(session::issuer.eq(&identity.issuer))
            .filter(session::subject.eq(&identity.subject))
            .changes(conn)?,
        ProviderSessions::Unnamed(identity) => diesel::delete(session::table)
            .filter(session::issuer.eq(&identity.issuer))
            .filter(session::subject.eq(&identity.subject))
            .filter(session::provider_session.is_null())
            .changes(conn)?,
        ProviderSessions::One(issuer, sid) => diesel::delete(session::table)
            .filter(session::issuer.eq(issuer))
            .filter(session::provider_session.eq(sid))
            .changes(conn)?,
    })
}

/// Marks a membership as given by a rule of an issuer, or as not given by a rule any more.
pub fn mark_given_by(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
    issuer: Option<&str>,
) -> Result<(), Error> {
    diesel::update(membership::table.find((organization_id.as_str(), user_id.as_str())))
        .set(membership::given_by.eq(issuer))
        .run(conn)
}

/// The organizations of a user to which a rule of an issuer gave the membership.
pub fn list_given_by(
    conn: &mut Conn,
    user_id: &UserId,
    issuer: &str,
) -> Result<Vec<OrganizationId>, Error> {
    let ids = membership::table
        .filter(membership::user_id.eq(user_id.as_str()))
        .filter(membership::given_by.eq(issuer))
        .select(membership::organization_id)
        .rows::<String>(conn)?;
    ids.iter()
        .map(|id| RowId("membership", id).read("organization_id", OrganizationId::parse(id)))
        .collect()
}

/// Uses a signed statement, once: `false` if it was used. `id` is a digest of its issuer and id.
pub fn use_assertion(conn: &mut Conn, id: &Digest, expires_at: Instant) -> Result<bool, Error> {
    let used = used_assertion::table.find(id.as_str());
    if diesel::select(diesel::dsl::exists(used)).row(conn)? {
        return Ok(false);
    }
    let inserted = diesel::insert_into(used_assertion::table)
        .values((
            used_assertion::id.eq(id.as_str()),
            used_assertion::expires_at.eq(stored(expires_at)),
        ))
        .run(conn);
    // A concurrent use. The retry finds it.
    inserted.map_err(|error| match error {
        Error::Duplicate => Error::Collision,
        error => error,
    })?;
    Ok(true)
}

/// Deletes the ids of signed statements that have expired.
pub fn delete_over_assertions(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::delete(used_assertion::table)
        .filter(used_assertion::expires_at.le(stored(now)))
        .run(conn)
}
