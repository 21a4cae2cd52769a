//! Erasure of a user's own data.

use super::directory::{Named, end_access};
use crate::audit::retain;
use crate::{Error, Request, org};
use domain::audit::Action;
use domain::id::UserId;
use domain::user::User;
use serde_json::json;

/// Erases a user's own data: the name, the email address, the password, the sessions, the
/// memberships, the personal data in the user's tokens and devices, and the personal data in
/// the audit log. The id stays, so that the log can be read. Returns the number of records of the
/// log from which personal data was erased.
///
/// Fails with [`Error::Invalid`] if the user is the last owner of an organization. After another
/// failure it can be repeated.
pub async fn erase(req: &Request, named: Named) -> Result<usize, Error> {
    req.caller.require_operator()?;
    let id = end(req, named).await?;
    // The log is erased after the access, so that no further records of the user follow; the row
    // last, so that a repetition finds the user after a failure.
    let count = retain::erase(req, Named::Id(id.clone())).await?;
    let unknown = req.app.draw_secret();
    let password_hash = super::hash(&req.app, &unknown).await?;
    req.change(Action::UserErased, move |tx| {
        store::user::lock_user_exclusive(tx.conn, &id)?;
        let old = store::user::find_user(tx.conn, &id)?.ok_or(Error::NotFound)?;
        let left = User {
            name: "Erased user".to_owned(),
            email: format!("{id}@erased.invalid"),
            email_verified_at: None,
            password_hash: password_hash.clone(),
            ..old.clone()
        };
        store::erasure::erase_user(tx.conn, &old, &left)?;
        tx.record(Some(id.as_str()), json!({}))
    })
    .await?;
    retain::wipe(&req.app).await?;
    Ok(count)
}

/// Deactivates the user and ends all memberships.
async fn end(req: &Request, named: Named) -> Result<UserId, Error> {
    req.change(Action::UserDeactivated, move |tx| {
        let id = named.find(tx.conn)?.id;
        store::user::lock_user_exclusive(tx.conn, &id)?;
        let user = store::user::find_user(tx.conn, &id)?.ok_or(Error::NotFound)?;
        org::leave_all(tx, &user)?;
        end_access(tx, &user)?;
        Ok(id)
    })
    .await
}
