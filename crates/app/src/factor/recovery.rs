//! Recovery codes, which replace a lost factor.

use super::lock_own;
use crate::mail::{self, SecurityChange};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::audit::Action;
use domain::factor::{RECOVERY_CODE_BYTES, RECOVERY_CODES, RecoveryCode};
use domain::id::UserId;
use domain::secret::Secret;
use serde_json::json;

/// New recovery codes, which are shown once.
#[derive(Clone)]
pub struct NewCodes {
    /// The user.
    pub user_id: UserId,
    /// The codes, a line for each.
    pub codes: Secret,
}

/// Replaces the recovery codes of the signed-in user. Fails with [`Error::Conflict`] for a user
/// without a second factor.
pub async fn renew(req: &Request) -> Result<NewCodes, Error> {
    let new = req.change(Action::RecoveryCodesCreated, |tx| {
        let user_id = lock_own(tx)?;
        if !store::factor::is_any(tx.conn, &user_id)? {
            return Err(Error::Conflict(
                "Recovery codes replace a second factor. Add an authenticator app or a passkey first.",
            ));
        }
        let codes = replace(tx, &user_id)?;
        Ok(NewCodes { user_id, codes })
    })
    .await?;
    let user = &req.caller.signed_in()?.user;
    mail::tell_security_changed(&req.app, user, SecurityChange::CodesReplaced);
    Ok(new)
}

/// Creates recovery codes for a user who has none, whom the transaction has locked. `None` if there
/// are some.
pub(super) fn create_missing(tx: &mut Tx<'_>, user_id: &UserId) -> Result<Option<Secret>, Error> {
    match store::factor::count_recovery_codes(tx.conn, user_id)? {
        0 => Ok(Some(replace(tx, user_id)?)),
        _ => Ok(None),
    }
}

/// Replaces the recovery codes of a user, whom the transaction has locked.
fn replace(tx: &mut Tx<'_>, user_id: &UserId) -> Result<Secret, Error> {
    let codes: Vec<_> = (0..RECOVERY_CODES)
        .map(|_| RecoveryCode::from_random(tx.random::<RECOVERY_CODE_BYTES>()))
        .collect();
    let key = tx.app().key();
    let digests: Vec<_> = codes
        .iter()
        .map(|code| code.digest(key, user_id.as_str()))
        .collect();
    store::factor::replace_recovery_codes(tx.conn, user_id, &digests)?;
    let action = Action::RecoveryCodesCreated;
    tx.record_as(action, Some(user_id.as_str()), json!({}))?;
    let lines: Vec<_> = codes.iter().map(ToString::to_string).collect();
    Ok(Secret::new(lines.join("\n")))
}

/// Uses a recovery code of a user, once; `false` if it is wrong or used.
pub(super) fn use_code(
    tx: &mut Tx<'_>,
    user_id: &UserId,
    code: &RecoveryCode,
) -> Result<bool, Error> {
    let digest = code.digest(tx.app().key(), user_id.as_str());
    Ok(store::factor::use_recovery_code(tx.conn, user_id, &digest)?)
}
