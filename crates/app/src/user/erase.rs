//! Erasure of a user's own data.

use super::directory::{Named, end_access};
use crate::audit::retain;
use crate::hashing::Waiter;
use crate::{Error, Request, org};
use domain::audit::Action;
use domain::id::UserId;
use domain::user::User;
use serde_json::json;

/// The result of an erasure.
#[derive(Debug)]
pub struct Erased {
    /// Id of the user, which stays.
    pub id: UserId,
    /// Number of records of the log from which personal data was erased.
    pub records: usize,
    /// Whether the data is removed from the files of the database too. If not, another program
    /// was reading it, and a repetition removes it.
    pub is_wiped: bool,
}

/// Erases a user's own data: the name, the email address, the password, the sessions, the
/// memberships, the personal data in the user's tokens and devices, and the personal data in
/// the audit log. The id stays, so that the log can be read.
///
/// Fails with [`Error::Invalid`] if the user is the last owner of an organization. After another
/// failure it can be repeated, and by the id after a success too.
pub async fn erase(req: &Request, named: Named) -> Result<Erased, Error> {
    req.caller.require_operator()?;
    let id = end(req, named).await?;
    // The log is erased after the access, so that no further records of the user follow; the row
    // last, so that a repetition finds the user after a failure.
    let records = retain::erase_records(req, Named::Id(id.clone())).await?;
    let unknown = req.app.draw_secret();
    let password_hash = super::hash(&req.app, &unknown, Waiter::Operator).await?;
    let user_id = id.clone();
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
    // Last, and once: it also fails while another program only reads.
    Ok(Erased {
        id: user_id,
        records,
        is_wiped: retain::wipe(&req.app).await?,
    })
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
