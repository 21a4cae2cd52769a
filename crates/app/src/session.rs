//! Browser sessions: their beginning, their use and their end.

use super::hashing::Verdict;
use super::throttle::{PasswordGuess, Target};
use super::tx::Tx;
use super::{App, Error, Event, Request, mail, throttle};
use crate::mail::SecurityChange;
use domain::audit::{Action, Actor};
use domain::factor::Factor;
use domain::id::{SessionId, UserId};
use domain::identity::SessionIdentity;
use domain::secret::{Digest, Secret};
use domain::user::{Session, SessionLimits, Standing, User};
use serde_json::json;

/// Maximum length of a stored `User-Agent`, in characters.
const USER_AGENT_LENGTH: usize = 300;

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// The session.
    pub session: Session,
}

impl SignedIn {
    /// What a browser of the user stores; for [`known_browser`].
    pub fn known_as(&self, app: &App) -> Digest {
        known_as(app, &self.user.id, &self.user.password_hash)
    }

    /// The user as an audit log actor.
    pub fn actor(&self) -> Actor {
        Actor::User(self.user.id.clone())
    }
}

/// A new session, with the secret for its cookie.
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// What the browser stores.
    pub cookies: SessionCookies,
}

/// What a browser stores after a sign-in, or after a change of the password.
pub struct SessionCookies {
    /// The secret of the session.
    pub session: Secret,
    /// The user, with the current password; for [`known_browser`].
    pub known_as: Digest,
}

/// Begins a session of a user, who is the actor of its audit record.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    user: &User,
    identity: Option<SessionIdentity>,
    factor: Option<Factor>,
) -> Result<NewSession, Error> {
    let record = Event {
        actor: Actor::User(user.id.clone()),
        ..tx.event(Action::SignedIn)
    };
    let user_agent = record.context.user_agent.chars();
    let session = Session {
        id: tx.id(SessionId::new),
        user_id: user.id.clone(),
        created_at: tx.now,
        last_seen_at: tx.now,
        address: record.context.source(),
        user_agent: user_agent.take(USER_AGENT_LENGTH).collect(),
        identity,
    };
    let cookie = Secret::from_random(&tx.random::<32>());
    store::session::insert_session(tx.conn, &session, &cookie.digest())?;
    let mut detail = match &session.identity {
        Some(begun) => json!({"issuer": begun.identity.issuer}),
        None => json!({}),
    };
    if let Some(factor) = factor {
        detail["factor"] = factor.as_str().into();
    }
    record.write(tx.conn, Some(session.id.as_str()), detail)?;
    // The transaction may have changed the password.
    let user = store::user::find_user(tx.conn, &user.id)?.ok_or(Error::Unauthenticated)?;
    let cookies = SessionCookies {
        session: cookie,
        known_as: known_as(tx.app(), &user.id, &user.password_hash),
    };
    Ok(NewSession { session, cookies })
}

/// The browser of a sign-in.
pub struct Browser<'a> {
    /// The secret of the browser.
    pub visitor: &'a Secret,
    /// The proof of an earlier sign-in with this browser; see [`known_browser`].
    pub proof: Option<&'a str>,
}

/// The user with the current password. A change of the password ends the proofs of all browsers:
/// they allow guesses of their own, so they must not outlive a password that others know.
pub(super) fn known_as(app: &App, user_id: &UserId, password_hash: &str) -> Digest {
    let parts = [user_id.as_str(), password_hash];
    app.key().authenticate("known as", &parts)
}

/// Proof that this user has signed in with this browser and the current password: the user knows
/// the browser.
pub fn known_browser(app: &App, visitor: &Secret, known_as: &Digest) -> String {
    let parts = [visitor.expose(), known_as.as_str()];
    let proof = app.key().authenticate("known browser", &parts);
    proof.as_str().to_owned()
}

/// The throttling target of a user in a browser.
pub(super) fn target_of<'a>(app: &App, user: &'a User, browser: &Browser<'a>) -> Target<'a> {
    let is_known = browser.proof.is_some_and(|given| {
        let known_as = known_as(app, &user.id, &user.password_hash);
        let expected = known_browser(app, browser.visitor, &known_as);
        subtle::ConstantTimeEq::ct_eq(given.as_bytes(), expected.as_bytes()).into()
    });
    match is_known {
        true => Target::KnownBrowser(&user.id, browser.visitor),
        false => Target::User(&user.id),
    }
}

/// Compares a password with a stored hash, for a guess that was counted.
pub(super) async fn verify(
    app: &App,
    guess: &PasswordGuess,
    password: &Secret,
    hash: Option<&str>,
) -> Result<Verdict, Error> {
    let verdict = app
        .hasher()
        .verify(password.expose(), hash, guess.waiter.clone())
        .await;
    if matches!(verdict, Err(Error::Busy)) {
        // The password was not checked, so this does not count as a guess.
        throttle::undo(app, &guess.guess).await?;
    }
    verdict
}

/// The user of a session cookie, if the session is active and the user is active.
pub async fn resume(app: &App, cookie: &Secret) -> Result<Option<SignedIn>, Error> {
    let digest = cookie.digest();
    let found = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::session::find_session(conn, &digest)?))
        .await?;
    let now = app.now();
    let Some((mut session, user)) = found.filter(|(_, user)| user.standing == Standing::Active)
    else {
        return Ok(None);
    };
    session.last_seen_at = app.uses().last_seen(&session);
    if !session.is_live(now, limits(app)) || !is_admitted(app, &session) {
        // Delete it: a clock that is set back must not reactivate the session, nor a provider that
        // is enabled again.
        app.store()
            .write(move |conn| {
                store::session::delete_session(conn, &user.id, &session.id)?;
                Ok::<_, Error>(())
            })
            .await?;
        return Ok(None);
    }
    app.uses().see(&session, now);
    Ok(Some(SignedIn { user, session }))
}

/// Whether the provider with which a session began still admits users.
fn is_admitted(app: &App, session: &Session) -> bool {
    let Some(begun) = &session.identity else {
        return true;
    };
    let mut enabled = app.config().sign_in.enabled_providers();
    enabled.any(|provider| provider.issuer == begun.identity.issuer)
}

/// The session timeouts.
pub fn limits(app: &App) -> SessionLimits {
    let of = |duration| chrono::Duration::from_std(duration).unwrap_or(chrono::Duration::MAX);
    SessionLimits {
        idle: of(app.config().sign_in.idle_timeout),
        absolute: of(app.config().sign_in.absolute_timeout),
    }
}

/// Ends a session of the user, the current one or another. Fails with [`Error::NotFound`] if the
/// user has no such session.
pub async fn end(req: &Request, id: &SessionId) -> Result<(), Error> {
    let (id, SignedIn { user, session }) = (id.clone(), req.caller.signed_in()?);
    let is_other = id != session.id;
    req.change(Action::SignedOut, move |tx| {
        let user_id = &tx.caller().signed_in()?.user.id;
        if !store::session::delete_session(tx.conn, user_id, &id)? {
            return Err(Error::NotFound);
        }
        tx.record(Some(id.as_str()), json!({}))
    })
    .await?;
    if is_other {
        mail::tell_security_changed(&req.app, user, SecurityChange::SessionsEnded);
    }
    Ok(())
}

/// Ends all sessions of the signed-in user except this one. Fails with [`Error::Unauthenticated`] if
/// this session has ended: another browser has just signed it out.
pub async fn end_others(req: &Request) -> Result<(), Error> {
    let count = req.change(Action::SignedOut, delete_others).await?;
    tell_ended(req, count)
}

/// Ends the other sessions of the signed-in user, whom it locks, with the audit record. Returns how
/// many were active.
pub(super) fn delete_others(tx: &mut Tx<'_>) -> Result<usize, Error> {
    let SignedIn { user, session } = tx.caller().signed_in()?;
    // A sign-in and a device that gets its token lock the user too.
    store::user::lock_user_exclusive(tx.conn, &user.id)?;
    let (now, limits) = (tx.now, limits(tx.app()));
    let stored = store::session::list_sessions(tx.conn, &user.id)?;
    if !stored.iter().any(|one| one.id == session.id) {
        return Err(Error::Unauthenticated);
    }
    let uses = tx.app().uses();
    let count = stored
        .into_iter()
        .filter(|one| one.id != session.id)
        .map(|one| Session {
            last_seen_at: uses.last_seen(&one),
            ..one
        })
        .filter(|one| one.is_live(now, limits))
        .count();
    store::session::delete_sessions(tx.conn, &user.id, Some(&session.id))?;
    tx.record(Some(user.id.as_str()), json!({"count": count}))?;
    Ok(count)
}

/// Tells the signed-in user that so many other sessions were ended.
pub(super) fn tell_ended(req: &Request, count: usize) -> Result<(), Error> {
    if count > 0 {
        let user = &req.caller.signed_in()?.user;
        mail::tell_security_changed(&req.app, user, SecurityChange::SessionsEnded);
    }
    Ok(())
}

/// The active sessions of the signed-in user, the latest first.
pub async fn list(req: &Request) -> Result<Vec<Session>, Error> {
    req.read(|tx| {
        let (app, now) = (tx.app(), tx.now);
        let user_id = &tx.caller().signed_in()?.user.id;
        let sessions = store::session::list_sessions(tx.conn, user_id)?;
        let limits = limits(app);
        Ok(sessions
            .into_iter()
            .map(|session| Session {
                last_seen_at: app.uses().last_seen(&session),
                ..session
            })
            .filter(|session| session.is_live(now, limits))
            .collect())
    })
    .await
}
