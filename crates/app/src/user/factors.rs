//! The way back in for users who have lost their second factors.

use super::Named;
use crate::factor;
use crate::mail::{self, SecurityChange};
use crate::{Error, Request};
use domain::audit::Action;
use domain::user::User;

/// Removes all second factors of a user who has lost them, for the operator. The sessions stay.
pub async fn reset_factors(req: &Request, named: Named) -> Result<User, Error> {
    req.caller.require_operator()?;
    let user = req
        .change(Action::FactorsReset, move |tx| {
            let id = named.find(tx.conn)?.id;
            store::user::lock_user_exclusive(tx.conn, &id)?;
            factor::remove_all(tx, &id)?;
            store::user::find_user(tx.conn, &id)?.ok_or(Error::NotFound)
        })
        .await?;
    let change = SecurityChange::FactorRemoved("a second factor");
    mail::tell_security_changed(&req.app, &user, change);
    Ok(user)
}
