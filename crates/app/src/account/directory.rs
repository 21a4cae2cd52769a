//! The operator's view of accounts: all of them, making one, switching one off.

use super::{NewAccount, add_as};
use crate::caller::Caller;
use crate::org::end_invitations;
use crate::receipt::Receipt;
use crate::token::end_all;
use crate::{App, Context, Error};
use domain::account::{self, Account, Standing};
use domain::audit::Action;
use domain::id::AccountId;
use domain::page::Page;
use domain::token::{Owner, RevocationReason};
use serde_json::json;
use store::selection::Selection;

/// How an account is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(AccountId),
    /// By its email address.
    Email(String),
}

impl Named {
    pub(crate) fn find(&self, conn: &mut store::Conn) -> Result<Account, Error> {
        let found = match self {
            Self::Id(id) => store::account::find_account(conn, id)?,
            Self::Email(email) => {
                store::account::find_account_by_email(conn, &account::email(email)?)?
            }
        };
        found.ok_or(Error::NotFound)
    }
}

/// Every account, the oldest first.
pub async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Vec<Account>, Error> {
    caller.require_operator()?;
    let page = page.clone();
    app.store()
        .read(move |conn| {
            let (after, limit) = (page.after(), page.look_for());
            Ok(store::account::list_accounts(conn, after, limit)?)
        })
        .await
}

/// One account.
pub async fn find(app: &App, caller: &Caller, named: Named) -> Result<Account, Error> {
    caller.require_operator()?;
    app.store().read(move |conn| named.find(conn)).await
}

/// Makes an account. Links to the first account end with it.
pub async fn make(
    app: &App,
    context: &Context,
    caller: &Caller,
    new: NewAccount,
    receipt: Receipt<Account>,
) -> Result<Account, Error> {
    caller.require_operator()?;
    add_as(app, context, caller.actor(), new, receipt).await
}

/// Switches an account off: its sessions and tokens end at once. Fails with
/// [`Error::NotFound`] for an unknown one; doing it twice is no fault.
pub async fn deactivate(
    app: &App,
    context: &Context,
    caller: &Caller,
    named: Named,
    receipt: Receipt<Account>,
) -> Result<Account, Error> {
    caller.require_operator()?;
    let event = app.event(context, caller.actor(), Action::AccountDeactivated);
    let revoked = app.event(context, caller.actor(), Action::TokenRevoked);
    let withdrawn = app.events(context, caller.actor(), Action::InvitationWithdrawn);
    app.store()
        .write(move |conn| {
            let account = named.find(conn)?;
            if store::account::mark_deactivated(conn, &account.id)? {
                store::session::delete_sessions(conn, &account.id, None)?;
                let selection = Selection::Owner(Owner::Account(account.id.clone()));
                let reason = RevocationReason::Deactivated;
                end_all(conn, &revoked, &selection, None, reason)?;
                store::device::deny_approved(conn, &account.id)?;
                for membership in store::org::list_memberships(conn, &account.id)? {
                    let id = &membership.organization.id;
                    end_invitations(conn, &withdrawn.next(), id, Some(&account.id))?;
                }
                event.write(conn, Some(account.id.as_str()), json!({}))?;
            }
            let account = Account {
                standing: Standing::Deactivated,
                ..account
            };
            receipt.file(conn, &account)?;
            Ok(account)
        })
        .await
}
