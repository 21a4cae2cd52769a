//! Passkeys: added, named and removed by their user, and the sign-in with one alone.

use super::ceremony::{self, Beginning, Purpose, Response, Signed, Use};
use super::{Added, lock_own, recovery, remove_codes_of_none};
use crate::access::Caller;
use crate::audit::tally::{self, Occurrence};
use crate::identity::state;
use crate::mail::{self, SecurityChange};
use crate::session::{self, NewSession};
use crate::tx::Tx;
use crate::{Error, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Fault;
use domain::audit::Action;
use domain::factor::{Factor, Passkey};
use domain::id::{PasskeyId, UserId};
use domain::secret::Secret;
use domain::user::{Standing, User};
use domain::webauthn::{PublicKey, Reason};
use serde_json::json;

/// The most passkeys of a user.
const MOST: usize = 20;

/// The factor in messages.
const PASSKEY: &str = "a passkey";

/// Begins the ceremony that adds a passkey; `None` if the server has no passkeys.
pub fn offer_new(req: &Request, visitor: &Secret) -> Result<Option<Beginning>, Error> {
    let user_id = &req.caller.signed_in()?.user.id;
    let begun = || ceremony::begin(&req.app, visitor, Purpose::Add(user_id));
    Ok(ceremony::has_passkeys(&req.app).then(begun))
}

/// Adds a passkey. Fails with [`Error::Invalid`] for a response that is not accepted, and with
/// [`Error::Conflict`] for a passkey that is known.
pub async fn add_passkey(
    req: &Request,
    visitor: &Secret,
    name: &str,
    response: Response,
) -> Result<Added, Error> {
    let name = req.app.names().check("name", name)?;
    let user_id = &req.caller.signed_in()?.user.id;
    let checked = ceremony::check(&req.app, visitor, Purpose::Add(user_id), &response);
    let refused = |reason: Reason| {
        tracing::info!(reason, "a new passkey was refused");
        Error::from(Fault::new("", "The passkey was not accepted. Try again."))
    };
    let checked = checked.map_err(refused)?;
    let (credential, key) = checked
        .statement
        .credential
        .ok_or_else(|| refused("wrong_credential"))?;
    if PublicKey::read(&key).is_none() {
        return Err(refused("unsupported_key"));
    }
    let (counter, once) = (checked.statement.counter, checked.once);
    let added = req
        .change(Action::FactorAdded, move |tx| {
            let user_id = lock_own(tx)?;
            let until = tx.now + state::lifetime();
            if !store::identity::use_assertion(tx.conn, &once, until)? {
                return Err(USED);
            }
            if store::passkey::list_passkeys(tx.conn, &user_id)?.len() >= MOST {
                return Err(Error::Conflict(
                    "You have 20 passkeys. Remove one before you add another.",
                ));
            }
            let new = Passkey {
                id: tx.id(PasskeyId::new),
                credential: URL_SAFE_NO_PAD.encode(&credential),
                user_id: user_id.clone(),
                name: name.clone(),
                public_key: hex::encode(&key),
                counter,
                created_at: tx.now,
                last_used_at: None,
            };
            if store::passkey::find_passkey(tx.conn, &new.credential)?.is_some() {
                return Err(USED);
            }
            store::passkey::insert_passkey(tx.conn, &new)?;
            let detail = json!({"factor": Factor::Passkey.as_str(), "passkey": new.id.as_str()});
            tx.record(Some(user_id.as_str()), detail)?;
            let codes = recovery::create_missing(tx, &user_id)?;
            Ok(Added { user_id, codes })
        })
        .await?;
    let user = &req.caller.signed_in()?.user;
    mail::tell_security_changed(&req.app, user, SecurityChange::FactorAdded(PASSKEY));
    Ok(added)
}

const USED: Error = Error::Conflict("This passkey was added before.");

/// Renames a passkey of the signed-in user. Fails with [`Error::NotFound`] if there is none.
pub async fn rename_passkey(req: &Request, id: &PasskeyId, name: &str) -> Result<(), Error> {
    let name = req.app.names().check("name", name)?;
    let id = id.clone();
    req.change(Action::FactorAdded, move |tx| {
        // The name is for the user alone.
        tx.needs_no_record();
        let user_id = lock_own(tx)?;
        match store::passkey::update_name(tx.conn, &user_id, &id, &name)? {
            true => Ok(()),
            false => Err(Error::NotFound),
        }
    })
    .await
}

/// Removes a passkey of the signed-in user, and the recovery codes if it was the last factor. Fails
/// with [`Error::NotFound`] if there is none.
pub async fn remove_passkey(req: &Request, id: &PasskeyId) -> Result<(), Error> {
    let id = id.clone();
    req.change(Action::FactorRemoved, move |tx| {
        let user_id = lock_own(tx)?;
        if !store::passkey::delete_passkey(tx.conn, &user_id, &id)? {
            return Err(Error::NotFound);
        }
        remove_codes_of_none(tx, &user_id)?;
        let detail = json!({"factor": Factor::Passkey.as_str(), "passkey": id.as_str()});
        tx.record(Some(user_id.as_str()), detail)
    })
    .await?;
    let user = &req.caller.signed_in()?.user;
    mail::tell_security_changed(&req.app, user, SecurityChange::FactorRemoved(PASSKEY));
    Ok(())
}

/// What the transaction found.
enum Found {
    SignedIn(Box<NewSession>),
    Refused(Reason),
}

/// Signs a user in with a passkey alone, which has to verify the user: two factors in one. Fails with
/// [`Error::Unauthenticated`].
pub async fn sign_in_with_passkey(
    req: &Request,
    visitor: &Secret,
    response: Response,
) -> Result<NewSession, Error> {
    let req = req.with_caller(Caller::Anonymous);
    let signed = match ceremony::verify(&req, visitor, &response).await? {
        Ok(signed) if signed.is_user_verified => signed,
        Ok(signed) => {
            return Err(refuse(
                &req,
                Some(&signed.passkey.user_id),
                "user_unverified",
            ));
        }
        Err(reason) => return Err(refuse(&req, None, reason)),
    };
    let user_id = signed.passkey.user_id.clone();
    let found = req
        .change(Action::SignedIn, move |tx| {
            let user = match use_by(tx, &signed)? {
                Ok(user) => user,
                Err(reason) => return Ok(Found::Refused(reason)),
            };
            // It stands for the password. About users without one, only their provider decides.
            let has_passwords = tx.app().config().sign_in.has_passwords();
            if !has_passwords || user.password().is_none() {
                tx.needs_no_record();
                return Ok(Found::Refused("no_password"));
            }
            let session = session::begin(tx, &user, None, Some(Factor::Passkey))?;
            Ok(Found::SignedIn(Box::new(session)))
        })
        .await?;
    match found {
        Found::SignedIn(session) => Ok(*session),
        Found::Refused(reason) => Err(refuse(&req, Some(&user_id), reason)),
    }
}

/// Uses a passkey for its active user. The inner error is the reason of a refusal.
pub(super) fn use_by(tx: &mut Tx<'_>, signed: &Signed) -> Result<Result<User, Reason>, Error> {
    let user_id = &signed.passkey.user_id;
    store::user::lock_user_exclusive(tx.conn, user_id)?;
    let user = store::user::find_user(tx.conn, user_id)?;
    let Some(user) = user.filter(|user| user.standing == Standing::Active) else {
        return Ok(Err("deactivated"));
    };
    Ok(match ceremony::use_signed(tx, signed)? {
        Use::Done => Ok(user),
        Use::Over => Err("used_response"),
        Use::Cloned => Err("cloned_passkey"),
    })
}

/// Counts a refused passkey for the audit log.
pub(super) fn refuse(req: &Request, user_id: Option<&UserId>, reason: Reason) -> Error {
    let failed = Occurrence {
        target: user_id.map(ToString::to_string),
        ..Occurrence::new(Action::SignInFailed, reason, Caller::Anonymous.actor())
    };
    tally::note(&req.app, &req.context, failed);
    Error::Unauthenticated
}
