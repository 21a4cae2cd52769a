//! Second factors: the authenticator apps, passkeys and recovery codes of users, and the step of a
//! sign-in that asks for one.
//!
//! A session begins only after the step, so no page has to ask whether it is complete.

mod authenticator;
mod ceremony;
mod passkey;
mod recovery;
mod step;
mod totp;

pub use authenticator::{Added, Offer, add, offer, remove};
pub use ceremony::{Beginning, Response, offer_sign_in};
pub use passkey::{add_passkey, offer_new, remove_passkey, rename_passkey, sign_in_with_passkey};
pub use recovery::{NewCodes, renew};
pub use step::{Begun, Completed, Step, Waiting, complete, complete_with_passkey, find, seal};
pub(crate) use step::{Proven, begin};

use crate::tx::Tx;
use crate::{Error, Request};
use domain::Instant;
use domain::audit::Action;
use domain::factor::Passkey;
use domain::id::UserId;
use serde_json::json;

/// The second factors of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Factors {
    /// The authenticator app.
    pub authenticator: Option<AuthenticatorUse>,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
}

/// When an authenticator app was added and used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticatorUse {
    /// When it was added.
    pub created_at: Instant,
    /// When the user last signed in with it.
    pub last_used_at: Option<Instant>,
}

/// The second factors of the signed-in user.
pub async fn list(req: &Request) -> Result<Factors, Error> {
    req.read(|tx| {
        let id = &tx.caller().signed_in()?.user.id;
        let found = store::factor::find_authenticator(tx.conn, id)?;
        Ok(Factors {
            authenticator: found.map(|found| AuthenticatorUse {
                created_at: found.created_at,
                last_used_at: found.last_used_at,
            }),
            passkeys: store::passkey::list_passkeys(tx.conn, id)?,
            recovery_codes: store::factor::count_recovery_codes(tx.conn, id)?,
        })
    })
    .await
}

/// Removes all second factors of a user, whom the transaction has locked.
pub(crate) fn remove_all(tx: &mut Tx<'_>, user_id: &UserId) -> Result<(), Error> {
    store::factor::delete_all(tx.conn, user_id)?;
    tx.record_as(Action::FactorsReset, Some(user_id.as_str()), json!({}))
}

/// Removes the recovery codes of a user without another factor.
fn remove_codes_of_none(tx: &mut Tx<'_>, user_id: &UserId) -> Result<(), Error> {
    match store::factor::is_any(tx.conn, user_id)? {
        true => Ok(()),
        false => Ok(store::factor::delete_all(tx.conn, user_id)?),
    }
}

/// Locks the signed-in user for a change of the factors, which needs a recent sign-in; returns the id.
fn lock_own(tx: &mut Tx<'_>) -> Result<UserId, Error> {
    let id = tx.caller().signed_in()?.user.id.clone();
    tx.require_recent_sign_in()?;
    store::user::lock_user_exclusive(tx.conn, &id)?;
    Ok(id)
}
