//! Sign-in, sign-out and browser sessions.

use super::hashing::Verdict;
use super::throttle::Target;
use super::{App, Context, Error, Event, throttle};
use domain::Instant;
use domain::audit::{Action, Actor};
use domain::id::{SessionId, UserId};
use domain::secret::Secret;
use domain::user::{self, Session, SessionLimits, Standing, User};
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
    /// The user as an audit log actor.
    pub fn actor(&self) -> Actor {
        Actor::User(self.user.id.clone())
    }
}

/// A new session, with the secret for its cookie.
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The value of the cookie.
    pub cookie: Secret,
    /// The email address that the user signed in with.
    pub email: String,
}

/// Prepares a session and its audit record, to be written in the caller's transaction.
pub(super) fn prepare(app: &App, context: &Context, user: &User) -> (NewSession, Event) {
    let now = app.now();
    let session = Session {
        id: SessionId::new(now, app.id_seed()),
        user_id: user.id.clone(),
        created_at: now,
        last_seen_at: now,
        address: context.source(),
        user_agent: context.user_agent.chars().take(USER_AGENT_LENGTH).collect(),
    };
    let cookie = app.draw_secret();
    let actor = Actor::User(user.id.clone());
    let record = app.event(context, actor, Action::SignedIn);
    let email = user.email.clone();
    let new = NewSession {
        session,
        cookie,
        email,
    };
    (new, record)
}

/// The browser of a sign-in.
pub struct Browser<'a> {
    /// The secret of the browser.
    pub visitor: &'a Secret,
    /// The proof of an earlier sign-in with this browser; see [`acquaintance`].
    pub acquaintance: Option<&'a str>,
}

/// Proof that this user has signed in with this browser.
pub fn acquaintance(app: &App, visitor: &Secret, email: &str) -> String {
    let proof = app
        .key()
        .authenticate("acquaintance", &[visitor.expose(), email]);
    proof.as_str().to_owned()
}

/// The throttling target of a sign-in.
fn target<'a>(app: &App, email: &'a str, browser: &Browser<'a>) -> Target<'a> {
    let is_known = browser.acquaintance.is_some_and(|given| {
        let expected = acquaintance(app, browser.visitor, email);
        subtle::ConstantTimeEq::ct_eq(given.as_bytes(), expected.as_bytes()).into()
    });
    match is_known {
        true => Target::OwnBrowser(email, browser.visitor),
        false => Target::User(email),
    }
}

/// Signs a user in. A wrong password, an unknown address and a deactivated user all fail with
/// [`Error::Unauthenticated`], after the same amount of work.
pub async fn sign_in(
    app: &App,
    context: &Context,
    browser: Browser<'_>,
    email: &str,
    password: &Secret,
) -> Result<NewSession, Error> {
    // An invalid address is counted like an unknown address.
    let email = user::email(email).unwrap_or_else(|_| email.trim().to_lowercase());
    let target = target(app, &email, &browser);
    let guess = throttle::password(app.key(), target, context.source());
    throttle::count(app, &guess).await?;
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::user::find_user_by_email(conn, &email)?))
        .await?;
    let hash = found.as_ref().map(|user| user.password_hash.as_str());
    let verdict = verify(app, &guess, password, hash).await?;
    let (Some(user), Verdict::Right | Verdict::RightButWeak) = (&found, &verdict) else {
        return refuse(app, context, found.as_ref()).await;
    };
    if user.standing == Standing::Deactivated {
        return refuse(app, context, found.as_ref()).await;
    }

    let stronger = match verdict {
        // If the hasher is busy, the next sign-in upgrades the hash.
        Verdict::RightButWeak => app
            .hasher()
            .hash(password.expose(), app.random())
            .await
            .ok(),
        _ => None,
    };
    let (session, record) = prepare(app, context, user);
    let (row, cookie) = (session.session.clone(), session.cookie.digest());
    let verified = user.password_hash.clone();
    app.store()
        .write(move |conn| {
            // The user may have been deactivated, or its password changed, in the meantime.
            let user = store::user::lock_user_shared(conn, &row.user_id)?
                .filter(|user| user.standing == Standing::Active)
                .filter(|user| user.password_hash == verified)
                .ok_or(Error::Unauthenticated)?;
            if let Some(stronger) = &stronger {
                store::user::update_password_hash(conn, &user.id, &verified, stronger)?;
            }
            guess.succeed(conn)?;
            store::session::insert_session(conn, &row, &cookie)?;
            record.write(conn, Some(row.id.as_str()), json!({}))
        })
        .await?;
    Ok(session)
}

/// Compares a password with a stored hash, for a guess that was counted.
pub(super) async fn verify(
    app: &App,
    guess: &throttle::Guess,
    password: &Secret,
    hash: Option<&str>,
) -> Result<Verdict, Error> {
    let verdict = app.hasher().verify(password.expose(), hash).await;
    if matches!(verdict, Err(Error::Busy)) {
        // The password was not checked, so this does not count as a guess.
        throttle::undo(app, guess).await?;
    }
    verdict
}

async fn refuse(app: &App, context: &Context, user: Option<&User>) -> Result<NewSession, Error> {
    let event = app.event(context, Actor::Anonymous, Action::SignInFailed);
    let target = user.map(|user| user.id.clone());
    app.store()
        .write(move |conn| event.write(conn, target.as_ref().map(UserId::as_str), json!({})))
        .await?;
    Err(Error::Unauthenticated)
}

/// The user of a session cookie, if the session is active and the user is active.
pub async fn resume(app: &App, cookie: &Secret) -> Result<Option<SignedIn>, Error> {
    let digest = cookie.digest();
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::session::find_session(conn, &digest)?))
        .await?;
    let now = app.now();
    let Some((mut session, user)) = found.filter(|(_, user)| user.standing == Standing::Active)
    else {
        return Ok(None);
    };
    session.last_seen_at = app.uses().last_seen(&session);
    if !session.is_live(now, limits(app)) {
        // Delete it: a clock that is set back must not reactivate the session.
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
pub async fn end(
    app: &App,
    context: &Context,
    signed_in: &SignedIn,
    id: &SessionId,
) -> Result<(), Error> {
    let event = app.event(context, signed_in.actor(), Action::SignedOut);
    let (user_id, id) = (signed_in.user.id.clone(), id.clone());
    app.store()
        .write(move |conn| {
            if !store::session::delete_session(conn, &user_id, &id)? {
                return Err(Error::NotFound);
            }
            event.write(conn, Some(id.as_str()), json!({}))
        })
        .await
}

/// The active sessions of a user, the latest first.
pub async fn list(app: &App, signed_in: &SignedIn) -> Result<Vec<Session>, Error> {
    let id = signed_in.user.id.clone();
    let sessions = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::session::list_sessions(conn, &id)?))
        .await?;
    let (now, limits): (Instant, _) = (app.now(), limits(app));
    Ok(sessions
        .into_iter()
        .map(|session| Session {
            last_seen_at: app.uses().last_seen(&session),
            ..session
        })
        .filter(|session| session.is_live(now, limits))
        .collect())
}
