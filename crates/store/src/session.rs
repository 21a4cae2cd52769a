//! Browser sessions.

use super::schema::{session, users};
use super::statement::{ReadRow, RowId, Statement, on_connection};
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{SessionId, UserId};
use domain::identity::{Identity, SessionIdentity};
use domain::secret::Digest;
use domain::user::{Session, SessionLimits, User};

#[derive(Queryable, Insertable)]
#[diesel(table_name = session, treat_none_as_default_value = false)]
struct Row {
    id: String,
    cookie_digest: String,
    user_id: String,
    created_at: NaiveDateTime,
    last_seen_at: NaiveDateTime,
    address: String,
    user_agent: String,
    issuer: Option<String>,
    subject: Option<String>,
    provider_session: Option<String>,
    authenticated_at: Option<NaiveDateTime>,
}

impl ReadRow for Row {
    type Value = Session;

    fn read(self) -> Result<Session, Error> {
        let row = RowId("session", &self.id);
        let user_id = UserId::parse(&self.user_id);
        Ok(Session {
            user_id: row.read("user_id", user_id)?,
            address: row.read("address", self.address.parse().ok())?,
            id: row.read("id", SessionId::parse(&self.id))?,
            created_at: self.created_at.and_utc(),
            last_seen_at: self.last_seen_at.and_utc(),
            user_agent: self.user_agent,
            identity: match (self.issuer, self.subject) {
                (Some(issuer), Some(subject)) => Some(SessionIdentity {
                    identity: Identity { issuer, subject },
                    provider_session: self.provider_session,
                    authenticated_at: self.authenticated_at.map(|at| at.and_utc()),
                }),
                _ => None,
            },
        })
    }
}

/// Inserts a session with the digest of its cookie.
pub fn insert_session(conn: &mut Conn, new: &Session, cookie: &Digest) -> Result<(), Error> {
    let identity = new.identity.as_ref();
    let row = Row {
        id: new.id.to_string(),
        cookie_digest: cookie.as_str().to_owned(),
        user_id: new.user_id.to_string(),
        created_at: stored(new.created_at),
        last_seen_at: stored(new.last_seen_at),
        address: new.address.to_string(),
        user_agent: new.user_agent.clone(),
        issuer: identity.map(|one| one.identity.issuer.clone()),
        subject: identity.map(|one| one.identity.subject.clone()),
        provider_session: identity.and_then(|one| one.provider_session.clone()),
        authenticated_at: identity.and_then(|one| one.authenticated_at).map(stored),
    };
    diesel::insert_into(session::table).values(row).run(conn)
}

/// The session with this cookie, and its user.
pub fn find_session(conn: &mut Conn, cookie: &Digest) -> Result<Option<(Session, User)>, Error> {
    let query = session::table
        .inner_join(users::table)
        .filter(session::cookie_digest.eq(cookie.as_str()));
    let row = on_connection!(conn, own => query.get_result::<(Row, super::user::Row)>(own));
    row.optional()?.map(ReadRow::read).transpose()
}

/// Whether a user has this session.
pub fn is_session(conn: &mut Conn, user_id: &UserId, id: &SessionId) -> Result<bool, Error> {
    let found = session::table
        .find(id.as_str())
        .filter(session::user_id.eq(user_id.as_str()));
    Ok(diesel::select(diesel::dsl::exists(found)).row(conn)?)
}

/// A user's sessions, the latest first.
pub fn list_sessions(conn: &mut Conn, user_id: &UserId) -> Result<Vec<Session>, Error> {
    session::table
        .filter(session::user_id.eq(user_id.as_str()))
        .order((session::last_seen_at.desc(), session::id.desc()))
        .read_all::<Row>(conn)
}

/// Stores the time of a session's last request.
pub fn update_last_seen(conn: &mut Conn, id: &SessionId, now: Instant) -> Result<(), Error> {
    diesel::update(session::table.find(id.as_str()))
        .set(session::last_seen_at.eq(stored(now)))
        .run(conn)
}

/// Replaces a session's cookie; `false` if the session has ended.
pub fn update_cookie(conn: &mut Conn, id: &SessionId, cookie: &Digest) -> Result<bool, Error> {
    diesel::update(session::table.find(id.as_str()))
        .set(session::cookie_digest.eq(cookie.as_str()))
        .changes_one(conn)
}

/// Ends one of a user's sessions; `false` if it does not exist.
pub fn delete_session(conn: &mut Conn, user_id: &UserId, id: &SessionId) -> Result<bool, Error> {
    diesel::delete(session::table.find(id.as_str()))
        .filter(session::user_id.eq(user_id.as_str()))
        .changes_one(conn)
}

/// Ends a user's sessions, except the one to keep.
pub fn delete_sessions(
    conn: &mut Conn,
    user_id: &UserId,
    keep: Option<&SessionId>,
) -> Result<usize, Error> {
    let kept = keep.map_or("", SessionId::as_str);
    Ok(diesel::delete(session::table)
        .filter(session::user_id.eq(user_id.as_str()))
        .filter(session::id.ne(kept))
        .changes(conn)?)
}

/// Deletes expired sessions.
pub fn delete_over_sessions(
    conn: &mut Conn,
    now: Instant,
    limits: SessionLimits,
) -> Result<usize, Error> {
    Ok(diesel::delete(session::table)
        .filter(
            session::last_seen_at
                .le(stored(now - limits.idle))
                .or(session::created_at.le(stored(now - limits.absolute))),
        )
        .changes(conn)?)
}
