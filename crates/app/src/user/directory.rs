//! User administration for the operator: list, create, deactivate, reactivate.

use super::{CreateUser, CreatedUser, insert, validate};
use crate::access::Caller;
use crate::org::end_invitations;
use crate::token::{deny_approved, end_all};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::audit::Action;
use domain::id::UserId;
use domain::page::Page;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::{self, Standing, User};
use serde_json::json;
use store::device::Approvals;
use store::token_filter::TokenFilter;

/// How a request identifies a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(UserId),
    /// By its email address.
    Email(String),
}

impl Named {
    pub(crate) fn find(&self, conn: &mut store::Conn) -> Result<User, Error> {
        let found = match self {
            Self::Id(id) => store::user::find_user(conn, id)?,
            // `user::email` refuses placeholders, which the operator sees in place of addresses.
            Self::Email(email) if user::is_placeholder(email) => {
                store::user::find_user_by_email(conn, email)?
            }
            Self::Email(email) => store::user::find_user_by_email(conn, &user::email(email)?)?,
        };
        found.ok_or(Error::NotFound)
    }
}

/// Lists all users, oldest first.
pub async fn list(req: &Request, page: &Page) -> Result<Vec<User>, Error> {
    req.caller.require_operator()?;
    let page = page.clone();
    req.read(move |tx| Ok(store::user::list_users(tx.conn, &page)?))
        .await
}

/// One user.
pub async fn find(req: &Request, named: Named) -> Result<User, Error> {
    req.caller.require_operator()?;
    req.read(move |tx| named.find(tx.conn)).await
}

/// Creates a user. Invalidates all setup links.
pub async fn make(req: &Request, new: CreateUser) -> Result<CreatedUser, Error> {
    req.caller.require_operator()?;
    let new = validate(&req.app, new).await?;
    let no_link = req.app.draw_secret().digest();
    req.change(Action::UserCreated, move |tx| {
        store::user::delete_setup_links(tx.conn, &no_link)?;
        insert(tx, &new, Some(tx.now))
    })
    .await
}

/// Error for a new password of a deactivated user.
pub(super) const DEACTIVATED: Error = Error::Conflict(
    "The user is deactivated. Reactivate the user first, with `doorcode user reactivate`.",
);

const OWN: Error = Error::Conflict(
    "You cannot deactivate yourself. Another operator can, or `doorcode user deactivate` on the server.",
);

/// Deactivates a user and ends its sessions, links and tokens immediately. Fails with
/// [`Error::NotFound`] for an unknown user, and with [`Error::Conflict`] for a user of the operator
/// console who would end the own access; idempotent.
pub async fn deactivate(req: &Request, named: Named) -> Result<User, Error> {
    req.caller.require_operator()?;
    req.change(Action::UserDeactivated, move |tx| {
        let user = named.find(tx.conn)?;
        if let Caller::Console(own) = tx.caller()
            && own.user.id == user.id
        {
            return Err(OWN);
        }
        end_access(tx, &user)?;
        Ok(User {
            standing: Standing::Deactivated,
            is_operator: false,
            ..user
        })
    })
    .await
}

/// Deactivates a user, unless already deactivated, with the audit record.
pub(super) fn end_access(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    if !store::user::mark_deactivated(tx.conn, &user.id)? {
        return Ok(());
    }
    let detail = match user.is_operator {
        true => json!({"operator": false}),
        false => json!({}),
    };
    tx.record_as(Action::UserDeactivated, Some(user.id.as_str()), detail)?;
    store::session::delete_sessions(tx.conn, &user.id, None)?;
    store::account_link::delete_links(tx.conn, &user.id, None)?;
    let filter = TokenFilter::Owner(TokenOwner::User(user.id.clone()));
    end_all(tx, &filter, None, RevocationReason::Deactivated)?;
    deny_approved(tx, Approvals::OfUser(&user.id), None)?;
    for membership in store::org::list_memberships(tx.conn, &user.id)? {
        end_invitations(tx, &membership.organization.id, Some(&user.id))?;
    }
    Ok(())
}

/// Reactivates a user, who can then sign in with the last password. Sessions and tokens stay ended.
/// Fails with [`Error::NotFound`] for an unknown user; idempotent.
pub async fn reactivate(req: &Request, named: Named) -> Result<User, Error> {
    req.caller.require_operator()?;
    req.change(Action::UserReactivated, move |tx| {
        let user = named.find(tx.conn)?;
        if store::user::mark_active(tx.conn, &user.id)? {
            tx.record(Some(user.id.as_str()), json!({}))?;
        }
        Ok(User {
            standing: Standing::Active,
            ..user
        })
    })
    .await
}
