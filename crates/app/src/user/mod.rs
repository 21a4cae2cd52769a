//! Users: initial setup, creation, names and passwords.

mod directory;

pub use directory::{Named, deactivate, find, list, make};

use super::hashing::Verdict;
use super::session::{NewSession, SignedIn};
use super::throttle::Target;
use super::tx::Tx;
use super::{App, Error, Request, org, session, throttle};
use crate::access::Caller;
use domain::audit::Action;
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
        .read_one(move |conn| Ok(store::user::is_setup_link(conn, &digest)?))
        .await
}

/// Creates the first user with a setup link, and signs the user in.
pub async fn set_up(req: &Request, link: &Secret, new: CreateUser) -> Result<NewSession, Error> {
    if !is_setup_link(&req.app, link).await? {
        return Err(Error::NotFound);
    }
    let new = validate(req, new).await?;
    let link = link.digest();
    let req = req.with_caller(Caller::Anonymous);
    req.change(Action::UserCreated, move |tx| {
        // Delete all links first: a concurrent request waits here, and then finds none. The
        // second check rejects a link that a starting server offered in the meantime.
        let is_first =
            store::user::delete_setup_links(tx.conn, &link)? && !store::user::is_any_user(tx.conn)?;
        if !is_first {
            return Err(Error::NotFound);
        }
        let user = insert(tx, &new)?;
        session::begin(tx, &user)
    })
    .await
}

/// A valid new user, with the password hash.
pub(super) struct ValidUser {
    name: String,
    email: String,
    password_hash: String,
    joining: Option<org::Joining>,
    needs_organization: bool,
}

/// Checks the input of a new user, and hashes the password. Fails with all faults.
pub(super) async fn validate(req: &Request, new: CreateUser) -> Result<ValidUser, Error> {
    let app = &req.app;
    // A user who was invited has an organization, and needs one from then on.
    let needs_organization = new.organization.is_some() || req.caller.require_operator().is_err();
    let mut faults = Vec::new();
    let mut check = |result: Result<String, Fault>| {
        result.unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let name = check(app.names().check("name", &new.name));
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
        Some((organization, role)) => org::joining(app.names(), organization, *role)
            .map_err(|fault| faults.push(fault))
            .ok(),
    };
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(ValidUser {
        name,
        email,
        password_hash: app.hasher().hash(password, app.random()).await?,
        joining,
        needs_organization,
    })
}

/// Stores a new user with its audit record, and adds it to its organization if there is one. Fails
/// if the email address is taken.
pub(super) fn insert(tx: &mut Tx<'_>, new: &ValidUser) -> Result<User, Error> {
    let user = User {
        id: tx.id(UserId::new),
        email: new.email.clone(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        standing: Standing::Active,
        created_at: tx.now,
        needs_organization: new.needs_organization,
    };
    store::user::insert_user(tx.conn, &user).map_err(|error| match error {
        store::Error::Duplicate => Error::from(Fault::new(
            "email",
            "There is a user with this email address.",
        )),
        error => error.into(),
    })?;
    tx.record_as(Action::UserCreated, Some(user.id.as_str()), json!({}))?;
    if let Some(joining) = &new.joining {
        org::join(tx, &user.id, joining)?;
    }
    Ok(user)
}

/// Changes the signed-in user's name.
pub async fn rename(req: &Request, name: &str) -> Result<(), Error> {
    let name = req.app.names().check("name", name)?;
    req.change(Action::UserRenamed, move |tx| {
        let id = &tx.caller().signed_in()?.user.id;
        store::user::update_name(tx.conn, id, &name)?;
        tx.record(Some(id.as_str()), json!({}))
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

/// Changes the signed-in user's password. Requires the current one; wrong attempts count like
/// failed sign-ins. Returns a new cookie for the session.
pub async fn change_password(
    req: &Request,
    current: &Secret,
    new: &Secret,
    others: OtherSessions,
) -> Result<Secret, Error> {
    let (app, user) = (&req.app, &req.caller.signed_in()?.user);
    let words = [
        user.name.as_str(),
        &user.email,
        &app.config().branding.name,
        "doorcode",
    ];
    password::check("new_password", new.expose(), &words)?;
    let target = Target::User(&user.email);
    let guess = throttle::password(app.key(), target, req.context.source());
    throttle::count(app, &guess).await?;
    let hash = Some(user.password_hash.as_str());
    let verdict = session::verify(app, &guess, current, hash).await?;
    if verdict == Verdict::Wrong {
        let id = user.id.clone();
        req.change(Action::PasswordRefused, move |tx| {
            tx.record(Some(id.as_str()), json!({}))
        })
        .await?;
        return Err(Fault::new("current_password", "This is not your current password.").into());
    }
    let hash = app.hasher().hash(new.expose(), app.random()).await?;
    req.change(Action::PasswordChanged, move |tx| {
        let SignedIn { user, session } = tx.caller().signed_in()?;
        guess.succeed(tx.conn)?;
        if !store::user::update_password_hash(tx.conn, &user.id, &user.password_hash, &hash)? {
            return Err(Error::Conflict(
                "The password was changed elsewhere in the meantime.",
            ));
        }
        let cookie = Secret::from_random(&tx.random::<32>());
        if !store::session::update_cookie(tx.conn, &session.id, &cookie.digest())? {
            return Err(Error::Unauthenticated);
        }
        if others == OtherSessions::End {
            store::session::delete_sessions(tx.conn, &user.id, Some(&session.id))?;
        }
        tx.record(
            Some(user.id.as_str()),
            json!({"ended_other_sessions": others == OtherSessions::End}),
        )?;
        Ok(cookie)
    })
    .await
}

/// Whether any user exists.
pub async fn is_set_up(app: &App) -> Result<bool, Error> {
    app.store()
        .read_one(|conn| Ok(store::user::is_any_user(conn)?))
        .await
}
