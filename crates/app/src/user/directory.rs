//! User administration for the operator: list, create, deactivate.

use super::{CreateUser, add_as};
use crate::access::Caller;
use crate::idempotency::IdempotencyRecord;
use crate::org::end_invitations;
use crate::token::end_all;
use crate::{App, Context, Error};
use domain::audit::Action;
use domain::id::UserId;
use domain::page::Page;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::{self, Standing, User};
use serde_json::json;
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
            Self::Email(email) => store::user::find_user_by_email(conn, &user::email(email)?)?,
        };
        found.ok_or(Error::NotFound)
    }
}

/// Lists all users, oldest first.
pub async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Vec<User>, Error> {
    caller.require_operator()?;
    let page = page.clone();
    app.store()
        .read(move |conn| {
            let (after, limit) = (page.after(), page.look_for());
            Ok(store::user::list_users(conn, after, limit)?)
        })
        .await
}

/// One user.
pub async fn find(app: &App, caller: &Caller, named: Named) -> Result<User, Error> {
    caller.require_operator()?;
    app.store().read(move |conn| named.find(conn)).await
}

/// Creates a user. Invalidates all setup links.
pub async fn make(
    app: &App,
    context: &Context,
    caller: &Caller,
    new: CreateUser,
    idempotency: IdempotencyRecord<User>,
) -> Result<User, Error> {
    caller.require_operator()?;
    add_as(app, context, caller.actor(), new, idempotency).await
}

/// Deactivates a user and ends its sessions and tokens immediately. Fails with
/// [`Error::NotFound`] for an unknown user; idempotent.
pub async fn deactivate(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: Named,
    idempotency: IdempotencyRecord<User>,
) -> Result<User, Error> {
    caller.require_operator()?;
    let event = app.event(context, caller.actor(), Action::UserDeactivated);
    let revoked = app.event(context, caller.actor(), Action::TokenRevoked);
    let withdrawn = app.events(context, caller.actor(), Action::InvitationWithdrawn);
    app.store()
        .write(move |conn| {
            let user = named.find(conn)?;
            if store::user::mark_deactivated(conn, &user.id)? {
                store::session::delete_sessions(conn, &user.id, None)?;
                let filter = TokenFilter::Owner(TokenOwner::User(user.id.clone()));
                let reason = RevocationReason::Deactivated;
                end_all(conn, &revoked, &filter, None, reason)?;
                store::device::deny_approved(conn, &user.id)?;
                for membership in store::org::list_memberships(conn, &user.id)? {
                    let id = &membership.organization.id;
                    end_invitations(conn, &withdrawn.next(), id, Some(&user.id))?;
                }
                event.write(conn, Some(user.id.as_str()), json!({}))?;
            }
            let user = User {
                standing: Standing::Deactivated,
                ..user
            };
            idempotency.file(conn, &user)?;
            Ok(user)
        })
        .await
}
