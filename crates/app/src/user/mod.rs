//! Users: initial setup, creation, names and passwords.

mod directory;
mod email;
mod erase;
mod factors;
pub(crate) mod link;
mod overview;
mod password;
mod reset;
mod update;

pub use directory::{Named, deactivate, find, list, make, reactivate};
use email::lock_yielding;
pub(super) use email::mark_verified;
pub(super) use email::take_address;
pub use email::{
    Letter, change_email, find_email_change, find_verification, request_email_change,
    request_verification, send_letter, verify_email,
};
pub use erase::{Erased, erase};
pub use factors::reset_factors;
pub use overview::{UserOverview, overview};
pub use password::{OtherSessions, change_password, replace_password, set_temporary_password};
use reset::end_access_of_other;
pub(super) use reset::make_reset;
pub use reset::{
    NewReset, create_mailed_reset, create_reset, find_reset, is_reachable, request_reset, reset,
    send_reset,
};
pub use update::{UpdateUser, update};

use super::hashing::Waiter;
use super::session::NewSession;
use super::tx::Tx;
use super::{App, Error, Request, org, session};
use crate::access::Caller;
use domain::audit::Action;
use domain::id::UserId;
use domain::org::Organization;
use domain::role::Role;
use domain::secret::Secret;
use domain::user::{self, Standing, User};
use domain::{Fault, Instant};
use serde_json::json;

/// Input of a new user.
pub struct CreateUser {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The organization to join, and the role in it. Without a role, the user becomes a member, or
    /// the owner of an organization that does not exist yet.
    pub organization: Option<(String, Option<Role>)>,
}

/// A new user.
#[derive(Clone)]
pub struct CreatedUser {
    /// The user.
    pub user: User,
    /// The organization that was created for the user to own.
    pub organization: Option<Organization>,
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
    let new = validate(&req.app, new).await?;
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
        let CreatedUser { user, .. } = insert(tx, &new, Some(tx.now))?;
        session::begin(tx, &user, None, None)
    })
    .await
}

/// A valid new user, with the password hash.
pub(super) struct ValidUser {
    name: String,
    /// The email address, in its normal form.
    pub(super) email: String,
    password_hash: String,
    joining: Option<org::Joining>,
}

/// A valid new user before the password is hashed.
pub(super) struct CheckedUser {
    name: String,
    /// The email address, in its normal form.
    pub(super) email: String,
    password: Secret,
    joining: Option<org::Joining>,
}

/// Checks the input of a new user, and hashes the password. Fails with all faults.
pub(super) async fn validate(app: &App, new: CreateUser) -> Result<ValidUser, Error> {
    check(app, new)?.hash(app, Waiter::Operator).await
}

/// Checks the input of a new user. Fails with all faults.
pub(super) fn check(app: &App, new: CreateUser) -> Result<CheckedUser, Error> {
    let mut faults = Vec::new();
    let mut check = |result: Result<String, Fault>| {
        result.unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let name = check(app.names().check("name", &new.name));
    let email = check(user::email(&new.email));
    let of = [new.name.as_str(), &new.email];
    if let Err(fault) = check_password(app, "password", &new.password, of) {
        faults.push(fault);
    }
    let joining = match &new.organization {
        None => None,
        Some((organization, role)) => org::joining(app.names(), organization, *role)
            .map_err(|fault| faults.push(fault))
            .ok(),
    };
    if !faults.is_empty() {
        return Err(Error::Invalid(faults.into()));
    }
    Ok(CheckedUser {
        name,
        email,
        password: new.password,
        joining,
    })
}

impl CheckedUser {
    /// Hashes the password.
    pub(super) async fn hash(self, app: &App, waiter: Waiter) -> Result<ValidUser, Error> {
        Ok(ValidUser {
            password_hash: hash(app, &self.password, waiter).await?,
            name: self.name,
            email: self.email,
            joining: self.joining,
        })
    }
}

/// Checks a new password of a user with this name and email address.
fn check_password(
    app: &App,
    field: &'static str,
    new: &Secret,
    [name, email]: [&str; 2],
) -> Result<(), Fault> {
    let context_words = [name, email, &app.config().branding.name, "doorcode"];
    domain::password::check(field, new.expose(), &context_words)
}

async fn hash(app: &App, password: &Secret, waiter: Waiter) -> Result<String, Error> {
    let salt = app.random();
    app.hasher().hash(password.expose(), salt, waiter).await
}

/// Stores a new user with its audit record, and adds it to its organization if there is one. The
/// email address is verified if there is an `email_verified_at`. Fails if the address is taken.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    new: &ValidUser,
    email_verified_at: Option<Instant>,
) -> Result<CreatedUser, Error> {
    let user = User {
        id: tx.id(UserId::new),
        email: new.email.clone(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        standing: Standing::Active,
        created_at: tx.now,
        // A user who was invited has an organization, and needs one from then on.
        needs_organization: new.joining.is_some() || !tx.caller().is_operator(),
        email_verified_at,
        must_change_password: false,
        is_operator: false,
    };
    require_free(tx, &user.email)?;
    store::user::insert_user(tx.conn, &user).map_err(taken)?;
    tx.become_user(&user.id);
    tx.record_as(Action::UserCreated, Some(user.id.as_str()), json!({}))?;
    let organization = match &new.joining {
        Some(joining) => org::join(tx, &user.id, joining)?,
        None => None,
    };
    Ok(CreatedUser { user, organization })
}

/// Stores a new user whom an identity provider signs in, without a password, and with its audit
/// record. The operator admits users by the rules of the provider, so the user needs no
/// organization, like one whom the operator created.
pub(super) fn insert_from_provider(
    tx: &mut Tx<'_>,
    name: Option<&str>,
    email: &str,
    email_verified_at: Option<Instant>,
) -> Result<User, Error> {
    let names = tx.app().names();
    let local = email.split('@').next().unwrap_or(email);
    let name = name.and_then(|name| names.check("name", name).ok());
    let user = User {
        id: tx.id(UserId::new),
        email: email.to_owned(),
        name: name.unwrap_or_else(|| local.to_owned()),
        password_hash: String::new(),
        standing: Standing::Active,
        created_at: tx.now,
        needs_organization: false,
        email_verified_at,
        must_change_password: false,
        is_operator: false,
    };
    // A concurrent request created a user with the address. The retry finds it.
    store::user::insert_user(tx.conn, &user).map_err(|error| match error {
        store::Error::Duplicate => store::Error::Collision,
        error => error,
    })?;
    tx.record_as(Action::UserCreated, Some(user.id.as_str()), json!({}))?;
    Ok(user)
}

/// Takes over the user who has the address of a new one unverified, for the new one, who has proven
/// the address: sets name and password, and ends the earlier access. `None` if there is no such
/// user.
pub(super) fn take_over(tx: &mut Tx<'_>, new: &ValidUser) -> Result<Option<User>, Error> {
    let Some(user) = lock_yielding(tx, &new.email)? else {
        return Ok(None);
    };
    end_access_of_other(tx, &user)?;
    store::account_link::delete_links(tx.conn, &user.id, None)?;
    store::user::update_name(tx.conn, &user.id, &new.name)?;
    store::user::set_password(tx.conn, &user.id, &new.password_hash, None)?;
    tx.become_user(&user.id);
    let detail = json!({"by": "invitation"});
    tx.record_as(Action::PasswordReset, Some(user.id.as_str()), detail)?;
    Ok(Some(User {
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        must_change_password: false,
        ..user
    }))
}

/// Fails if the email address is taken. Only the operator learns that its user is deactivated.
fn require_free(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    let Some(found) = store::user::find_user_by_email(tx.conn, email)? else {
        return Ok(());
    };
    let is_told = tx.caller().is_operator();
    if is_told && found.standing == Standing::Deactivated {
        return Err(Fault::new(
            "email",
            "There is a deactivated user with this email address. To let the user in again, use \
             `doorcode user reactivate`.",
        )
        .into());
    }
    Err(taken(store::Error::Duplicate))
}

/// The error of a write that may find the email address taken.
fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Duplicate => {
            Fault::new("email", "There is a user with this email address.").into()
        }
        error => error.into(),
    }
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

/// Whether any user exists.
pub async fn is_set_up(app: &App) -> Result<bool, Error> {
    app.store()
        .read_one(|conn| Ok(store::user::is_any_user(conn)?))
        .await
}

/// Whether a user signs in with a password of this server.
pub fn signs_in_with_password(app: &App, user: &User) -> bool {
    app.config().sign_in.has_passwords() && user.password().is_some()
}
