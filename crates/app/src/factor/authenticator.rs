//! Authenticator apps: added with their first value, and removed by their user.

use super::{lock_own, recovery, remove_codes_of_none, totp};
use crate::identity::state;
use crate::mail::{self, SecurityChange};
use crate::tx::Tx;
use crate::{App, Error, Request};
use domain::Fault;
use domain::audit::Action;
use domain::factor::{Authenticator, Factor};
use domain::id::UserId;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::Secret;
use serde_json::json;

/// A secret for an authenticator app, which waits for the first value.
pub struct Offer {
    /// The secret, in base 32.
    pub secret: Secret,
    /// The secret, sealed for the user and this browser. Nothing is stored.
    pub sealed: String,
}

/// The result of adding a second factor.
#[derive(Clone)]
pub struct Added {
    /// The user.
    pub user_id: UserId,
    /// The recovery codes, if the user had none.
    pub codes: Option<Secret>,
}

/// The factor in messages.
const APP: &str = "an authenticator app";

fn purpose(user_id: &UserId) -> String {
    format!("authenticator app of {user_id}")
}

/// The offered secret again, or a new one if it is older than ten minutes.
pub fn offer(req: &Request, visitor: &Secret, sealed: Option<&str>) -> Result<Offer, Error> {
    let purpose = purpose(&req.caller.signed_in()?.user.id);
    let opened = sealed.and_then(|sealed| {
        let (secret, _) = state::open(&req.app, visitor, &purpose, sealed)?;
        Some(Offer {
            secret: Secret::new(secret),
            sealed: sealed.to_owned(),
        })
    });
    Ok(opened.unwrap_or_else(|| {
        let secret = totp::secret(req.app.random());
        Offer {
            sealed: state::seal(&req.app, visitor, &purpose, secret.expose()),
            secret,
        }
    }))
}

/// Adds an authenticator app, with a value that proves that it has the secret. Fails with
/// [`Error::Invalid`] for a wrong value, and with [`Error::Conflict`] if the user has one.
pub async fn add(
    req: &Request,
    visitor: &Secret,
    sealed: &str,
    typed: &str,
) -> Result<Added, Error> {
    let purpose = purpose(&req.caller.signed_in()?.user.id);
    let Some((secret, _)) = state::open(&req.app, visitor, &purpose, sealed) else {
        return Err(Fault::new("code", "This took too long. Scan the new QR code.").into());
    };
    let secret = Secret::new(secret);
    let step = totp::step_of(&secret, typed, req.app.now());
    let wrong =
        "This is not the current code of the app. Check that the time of your phone is right.";
    let step = step.ok_or_else(|| Fault::new("code", wrong))?;
    let added = req
        .change(Action::FactorAdded, move |tx| {
            let user_id = lock_own(tx)?;
            let salt: SealSalt = tx.random();
            let new = Authenticator {
                salt: hex::encode(salt),
                secret: key(tx.app(), &salt).seal(0, user_id.as_str(), secret.expose()),
                created_at: tx.now,
                last_used_at: None,
                last_step: step,
            };
            if store::factor::find_authenticator(tx.conn, &user_id)?.is_some() {
                return Err(PRESENT);
            }
            store::factor::insert_authenticator(tx.conn, &user_id, &new)?;
            let detail = json!({"factor": Factor::Totp.as_str()});
            tx.record(Some(user_id.as_str()), detail)?;
            let codes = recovery::create_missing(tx, &user_id)?;
            Ok(Added { user_id, codes })
        })
        .await?;
    let user = &req.caller.signed_in()?.user;
    mail::tell_security_changed(&req.app, user, SecurityChange::FactorAdded(APP));
    Ok(added)
}

const PRESENT: Error =
    Error::Conflict("You have an authenticator app. Remove it before you add another one.");

/// Removes the authenticator app of the signed-in user, and the recovery codes if it was the last
/// factor. Fails with [`Error::NotFound`] if there is none.
pub async fn remove(req: &Request) -> Result<(), Error> {
    req.change(Action::FactorRemoved, |tx| {
        let user_id = lock_own(tx)?;
        if !store::factor::delete_authenticator(tx.conn, &user_id)? {
            return Err(Error::NotFound);
        }
        remove_codes_of_none(tx, &user_id)?;
        let detail = json!({"factor": Factor::Totp.as_str()});
        tx.record(Some(user_id.as_str()), detail)
    })
    .await?;
    let user = &req.caller.signed_in()?.user;
    mail::tell_security_changed(&req.app, user, SecurityChange::FactorRemoved(APP));
    Ok(())
}

/// Uses a value of the authenticator app of a user, once; `false` if it is wrong or used.
pub(super) fn use_value(tx: &mut Tx<'_>, user_id: &UserId, typed: &str) -> Result<bool, Error> {
    let Some(found) = store::factor::find_authenticator(tx.conn, user_id)? else {
        return Ok(false);
    };
    let secret = open(tx.app(), user_id, &found)
        .ok_or_else(|| Error::internal("the secret of an authenticator app has another key"))?;
    match totp::step_of(&secret, typed, tx.now) {
        Some(step) => Ok(store::factor::use_step(tx.conn, user_id, step, tx.now)?),
        None => Ok(false),
    }
}

/// Decrypts a secret; `None` after a change of the server's key.
fn open(app: &App, user_id: &UserId, sealed: &Authenticator) -> Option<Secret> {
    let salt: SealSalt = hex::decode(&sealed.salt).ok()?.try_into().ok()?;
    let secret = key(app, &salt).open(user_id.as_str(), &sealed.secret)?;
    Some(Secret::new(secret))
}

fn key(app: &App, salt: &SealSalt) -> SealKey {
    let of_server = app.key().authenticate("authenticator app", &[]);
    SealKey::derive(salt, &[&Secret::new(of_server.as_str())])
}
