//! Linking an identity to an existing user, who proves the account first, and unlinking it.

use super::claims::Arrived;
use super::enter::{Entered, enter, link, settle};
use super::pending::{Entry, open};
use super::{Failed, find, refresh, rules};
use crate::mail::{self, SecurityChange};
use crate::tx::Tx;
use crate::{Error, Request};
use config::Provider;
use domain::audit::Action;
use domain::id::UserId;
use domain::identity::LinkedIdentity;
use domain::secret::Secret;
use domain::user::{Standing, User};
use serde_json::json;

/// An identity that waits for the proof of the account to link it to.
pub struct Connection {
    /// The user, as the provider stated.
    pub arrived: Arrived,
    /// The local path to go to afterwards.
    pub return_to: String,
    /// How the user proves the account.
    pub proof: Proof,
}

/// How the account is proven.
pub enum Proof {
    /// This user is signed in, and confirms.
    Session(Box<User>),
    /// With the password of the account with this address.
    Password {
        /// The address.
        email: String,
        /// Whether the user may take the address from the account instead: the provider has
        /// verified it, the account has not, and the provider's users are created.
        can_replace: bool,
    },
}

/// The identity that waits for a proof. Fails with [`Error::NotFound`] for a sealed text that is
/// older than ten minutes or of another browser.
pub async fn connection(
    req: &Request,
    visitor: &Secret,
    sealed: &str,
) -> Result<Connection, Error> {
    let sealed = open(req, visitor, sealed)?;
    let email = sealed.arrived.email.clone();
    let signed_in = req.caller.signed_in().ok().map(|signed_in| &signed_in.user);
    let own = signed_in.filter(|user| sealed.connects || email.as_ref() == Some(&user.email));
    let proof = match (own, email) {
        (Some(user), _) => Proof::Session(Box::new(user.clone())),
        (None, Some(email)) if !sealed.connects => {
            let named = email.clone();
            let user = req
                .read(move |tx| Ok(store::user::find_user_by_email(tx.conn, &named)?))
                .await?;
            let yields = user.is_some_and(|user| user.yields_address());
            let creates = find(req, &sealed.arrived.provider)?.entry.create_users;
            Proof::Password {
                email,
                can_replace: creates && yields && sealed.arrived.is_email_verified,
            }
        }
        _ => return Err(Error::NotFound),
    };
    Ok(Connection {
        arrived: sealed.arrived,
        return_to: sealed.return_to,
        proof,
    })
}

/// Signs a user in who takes the address from an account that has it unverified, and creates the
/// user. Fails with [`Failed::Stale`] like [`connection`].
pub async fn replace(req: &Request, visitor: &Secret, sealed: &str) -> Result<Entered, Failed> {
    let sealed = open(req, visitor, sealed).map_err(|_| Failed::Stale)?;
    let entry = Entry {
        arrived: sealed.arrived,
        return_to: sealed.return_to,
        connects: false,
        replaces: true,
        once: None,
    };
    enter(req, visitor, entry).await
}

/// Links an identity to the signed-in user. Fails with [`Error::Conflict`] if it is linked to another
/// user, or the user has another identity of the provider.
pub async fn connect(req: &Request, connection: Connection) -> Result<(), Error> {
    let arrived = connection.arrived;
    let provider = find(req, &arrived.provider)?.clone();
    let name = provider.name.clone();
    let user = req.change(Action::IdentityLinked, move |tx| {
        tx.require_recent_sign_in()?;
        let user = lock_current(tx)?;
        match store::identity::find_identity(tx.conn, &arrived.identity())? {
            Some(linked) if linked.user_id == user.id => return Ok(None),
            Some(_) => return Err(TAKEN),
            None => {}
        }
        let own = store::identity::list_identities(tx.conn, &user.id)?;
        if own.iter().any(|one| one.identity.issuer == arrived.issuer) {
            return Err(ANOTHER);
        }
        link(tx, &user, &arrived)?;
        refresh::keep(tx, &provider, &arrived)?;
        settle(tx, &provider, &user, &arrived)?;
        Ok(Some(user))
    });
    if let Some(user) = user.await? {
        let change = SecurityChange::ProviderConnected(&name);
        mail::tell_security_changed(&req.app, &user, change);
    }
    Ok(())
}

const TAKEN: Error = Error::Conflict(
    "This identity is connected to another account here. Sign in with it, and disconnect it there first.",
);

const ANOTHER: Error = Error::Conflict(
    "Your account is connected to another identity of this provider. Disconnect that one first.",
);

const ONLY: Error = Error::Conflict(
    "This is your only way to sign in. Set a password or connect another provider first.",
);

/// Locks the signed-in user.
fn lock_current(tx: &mut Tx<'_>) -> Result<User, Error> {
    let id = &tx.caller().signed_in()?.user.id;
    store::user::lock_user_exclusive(tx.conn, id)?;
    store::user::find_user(tx.conn, id)?
        .filter(|user| user.standing == Standing::Active)
        .ok_or(Error::Unauthenticated)
}

/// Unlinks the identity of an issuer from the signed-in user, who leaves the organizations of its
/// rules. Fails with [`Error::NotFound`] without such an identity, and with [`Error::Conflict`] if it
/// is the only way to sign in.
pub async fn disconnect(req: &Request, issuer: &str) -> Result<(), Error> {
    let sign_in = &req.app.config().sign_in;
    let provider = sign_in.providers.iter().find(|one| one.issuer == issuer);
    let name = provider
        .map_or(issuer, |provider| &provider.name)
        .to_owned();
    let issuer = issuer.to_owned();
    let user = req.change(Action::IdentityUnlinked, move |tx| {
        tx.require_recent_sign_in()?;
        let user = lock_current(tx)?;
        let has_password = user.password().is_some() && tx.config().sign_in.has_passwords();
        let own = store::identity::list_identities(tx.conn, &user.id)?;
        let is_other = |provider: &Provider| {
            let is_linked = own.iter().any(|one| one.identity.issuer == provider.issuer);
            is_linked && provider.issuer != issuer
        };
        let has_other = tx.config().sign_in.enabled_providers().any(is_other);
        if !own.iter().any(|one| one.identity.issuer == issuer) {
            return Err(Error::NotFound);
        }
        if !has_password && !has_other {
            return Err(ONLY);
        }
        unlink(tx, &issuer, &user.id)?;
        Ok(user)
    });
    let user = user.await?;
    let change = SecurityChange::ProviderDisconnected(&name);
    mail::tell_security_changed(&req.app, &user, change);
    Ok(())
}

/// Unlinks all identities of a user, whom the transaction has locked.
pub(crate) fn disconnect_all(tx: &mut Tx<'_>, user_id: &UserId) -> Result<(), Error> {
    for linked in store::identity::list_identities(tx.conn, user_id)? {
        unlink(tx, &linked.identity.issuer, user_id)?;
    }
    Ok(())
}

fn unlink(tx: &mut Tx<'_>, issuer: &str, user_id: &UserId) -> Result<(), Error> {
    store::identity::delete_identity(tx.conn, user_id, issuer)?;
    let target = Some(user_id.as_str());
    tx.record_as(Action::IdentityUnlinked, target, json!({"issuer": issuer}))?;
    rules::leave_all(tx, issuer, user_id)
}

/// The identities of the signed-in user, the oldest first.
pub async fn list(req: &Request) -> Result<Vec<LinkedIdentity>, Error> {
    req.read(|tx| {
        let id = &tx.caller().signed_in()?.user.id;
        Ok(store::identity::list_identities(tx.conn, id)?)
    })
    .await
}
