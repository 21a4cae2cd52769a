//! Users: initial setup, creation, names and passwords.

mod directory;

pub use directory::{Named, deactivate, find, list, make};

use super::hashing::Verdict;
use super::idempotency::IdempotencyRecord;
use super::session::{NewSession, SignedIn};
use super::throttle::Target;
use super::{App, Context, Error, org, session, throttle};
use crate::access::Caller;
use domain::audit::{Action, Actor};
use domain::id::UserId;
use domain::role::Role;
use domain::secret::Secret;
use domain::user::{self, Standing, User};
use domain::{Fault, password};
use serde_json::json;

/// Input of a new user.
pub struct CreateUser {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The organization to join, and the role in it.
    pub organization: Option<(String, Role)>,
}

/// Creates a setup link for the first user, if there are no users. The link works once; every
/// start creates another.
pub async fn offer_setup(app: &App) -> Result<Option<Secret>, Error> {
    let link = app.draw_secret();
    let (digest, now) = (link.digest(), app.now());
    let is_offered = app
        .store()
        .write(move |conn| {
            if store::user::is_any_user(conn)? {
                return Ok::<_, Error>(false);
            }
            store::user::insert_setup_link(conn, &digest, now)?;
            Ok(true)
        })
        .await?;
    Ok(is_offered.then_some(link))
}

/// Whether a setup link is valid.
pub async fn is_setup_link(app: &App, link: &Secret) -> Result<bool, Error> {
    let digest = link.digest();
    app.store()
        .read(move |conn| Ok(store::user::is_setup_link(conn, &digest)?))
        .await
}

/// Creates the first user with a setup link, and signs the user in.
pub async fn set_up(
    app: &App,
    context: &Context,
    link: &Secret,
    new: CreateUser,
) -> Result<NewSession, Error> {
    if !is_setup_link(app, link).await? {
        return Err(Error::NotFound);
    }
    let prepared = prepare(app, context, Actor::Anonymous, new).await?;
    let (session, session_record) = session::prepare(app, context, &prepared.user);
    let link = link.digest();
    let (session_row, cookie) = (session.session.clone(), session.cookie.digest());
    app.store()
        .write(move |conn| {
            // Delete all links first: a concurrent request waits here, and then finds none. The
            // second check rejects a link that a starting server offered in the meantime.
            let is_first =
                store::user::delete_setup_links(conn, &link)? && !store::user::is_any_user(conn)?;
            if !is_first {
                return Err(Error::NotFound);
            }
            prepared.write(conn)?;
            store::session::insert_session(conn, &session_row, &cookie)?;
            session_record.write(conn, Some(session_row.id.as_str()), json!({}))
        })
        .await?;
    Ok(session)
}

/// Creates a user for the operator. Invalidates all setup links.
pub async fn add(app: &App, context: &Context, new: CreateUser) -> Result<User, Error> {
    make(
        app,
        context,
        &Caller::Operator(None),
        new,
        IdempotencyRecord::none(),
    )
    .await
}

/// Creates a user as this actor.
async fn add_as(
    app: &App,
    context: &Context,
    actor: Actor,
    new: CreateUser,
    idempotency: IdempotencyRecord<User>,
) -> Result<User, Error> {
    let prepared = prepare(app, context, actor, new).await?;
    let user = prepared.user.clone();
    let no_link = app.draw_secret().digest();
    app.store()
        .write(move |conn| {
            store::user::delete_setup_links(conn, &no_link)?;
            prepared.write(conn)?;
            idempotency.file(conn, &prepared.user)
        })
        .await?;
    Ok(user)
}

/// Creates a user whose membership `join` writes in the same transaction, and signs the user in.
pub(super) async fn add_joining(
    app: &App,
    context: &Context,
    new: CreateUser,
    join: impl Fn(&mut store::Conn, &User) -> Result<(), Error> + Send + 'static,
) -> Result<NewSession, Error> {
    let prepared = prepare(app, context, Actor::Anonymous, new).await?;
    let (session, session_record) = session::prepare(app, context, &prepared.user);
    let (session_row, cookie) = (session.session.clone(), session.cookie.digest());
    app.store()
        .write(move |conn| {
            prepared.write(conn)?;
            join(conn, &prepared.user)?;
            store::session::insert_session(conn, &session_row, &cookie)?;
            session_record.write(conn, Some(session_row.id.as_str()), json!({}))
        })
        .await?;
    Ok(session)
}

/// A validated user, with the password hash.
#[derive(Clone)]
struct Prepared {
    user: User,
    joining: Option<org::Joining>,
    created: super::Event,
}

async fn prepare(
    app: &App,
    context: &Context,
    actor: Actor,
    new: CreateUser,
) -> Result<Prepared, Error> {
    let mut faults = Vec::new();
    let mut check = |result: Result<String, Fault>| {
        result.unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let name = check(domain::name("name", &new.name));
    let email = check(user::email(&new.email));
    let password = new.password.expose();
    let context_words = [
        new.name.as_str(),
        &new.email,
        &app.config().branding.name,
        "doorcode",
    ];
    if let Err(fault) = password::check("password", password, &context_words) {
        faults.push(fault);
    }
    let joining = match &new.organization {
        None => None,
        Some((organization, role)) => org::join(app, context, &actor, organization, *role)
            .map_err(|fault| faults.push(fault))
            .ok(),
    };
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(Prepared {
        user: User {
            id: UserId::new(app.now(), app.id_seed()),
            email,
            name,
            password_hash: app.hasher().hash(password, app.random()).await?,
            standing: Standing::Active,
            created_at: app.now(),
        },
        joining,
        created: app.event(context, actor, Action::UserCreated),
    })
}

impl Prepared {
    fn write(&self, conn: &mut store::Conn) -> Result<(), Error> {
        store::user::insert_user(conn, &self.user).map_err(|error| match error {
            store::Error::Duplicate => Error::from(Fault::new(
                "email",
                "There is a user with this email address.",
            )),
            error => error.into(),
        })?;
        self.created
            .write(conn, Some(self.user.id.as_str()), json!({}))?;
        match &self.joining {
            Some(joining) => joining.write(conn, &self.user.id),
            None => Ok(()),
        }
    }
}

/// Changes a user's name.
pub async fn rename(
    app: &App,
    context: &Context,
    signed_in: &SignedIn,
    name: &str,
) -> Result<(), Error> {
    let name = domain::name("name", name)?;
    let event = app.event(context, signed_in.actor(), Action::UserRenamed);
    let id = signed_in.user.id.clone();
    app.store()
        .write(move |conn| {
            store::user::update_name(conn, &id, &name)?;
            event.write(conn, Some(id.as_str()), json!({}))
        })
        .await
}

/// The effect of a password change on the user's other sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherSessions {
    /// They stay active.
    Keep,
    /// They end.
    End,
}

/// Changes a user's password. Requires the current one; wrong attempts count like failed
/// sign-ins. Returns a new cookie for the session.
pub async fn change_password(
    app: &App,
    context: &Context,
    signed_in: &SignedIn,
    current: &Secret,
    new: &Secret,
    others: OtherSessions,
) -> Result<Secret, Error> {
    let user = &signed_in.user;
    let words = [
        user.name.as_str(),
        &user.email,
        &app.config().branding.name,
        "doorcode",
    ];
    password::check("new_password", new.expose(), &words)?;
    let target = Target::User(&user.email);
    let guess = throttle::password(app.key(), target, context.source());
    throttle::count(app, &guess).await?;
    let hash = Some(user.password_hash.as_str());
    let verdict = session::verify(app, &guess, current, hash).await?;
    if verdict == Verdict::Wrong {
        let event = app.event(context, signed_in.actor(), Action::PasswordRefused);
        let id = user.id.clone();
        app.store()
            .write(move |conn| event.write(conn, Some(id.as_str()), json!({})))
            .await?;
        return Err(Fault::new("current_password", "This is not your current password.").into());
    }
    let hash = app.hasher().hash(new.expose(), app.random()).await?;
    let event = app.event(context, signed_in.actor(), Action::PasswordChanged);
    let (id, old) = (user.id.clone(), user.password_hash.clone());
    let session_id = signed_in.session.id.clone();
    let cookie = app.draw_secret();
    let cookie_digest = cookie.digest();
    app.store()
        .write(move |conn| {
            guess.succeed(conn)?;
            if !store::user::update_password_hash(conn, &id, &old, &hash)? {
                return Err(Error::Conflict(
                    "The password was changed elsewhere in the meantime.",
                ));
            }
            if !store::session::update_cookie(conn, &session_id, &cookie_digest)? {
                return Err(Error::Unauthenticated);
            }
            if others == OtherSessions::End {
                store::session::delete_sessions(conn, &id, Some(&session_id))?;
            }
            event.write(
                conn,
                Some(id.as_str()),
                json!({"ended_other_sessions": others == OtherSessions::End}),
            )
        })
        .await?;
    Ok(cookie)
}

/// Whether any user exists.
pub async fn is_set_up(app: &App) -> Result<bool, Error> {
    app.store()
        .read(|conn| Ok(store::user::is_any_user(conn)?))
        .await
}
