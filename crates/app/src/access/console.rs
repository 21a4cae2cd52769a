//! The operator console: which user of a browser is the operator.
//!
//! The mark of a user counts only in a browser, and only soon after a sign-in with the password:
//! tokens of the user, and sessions that an attacker takes over later, have no part in it.

use super::authority::Denial;
use super::caller::Caller;
use crate::{App, Context, Error};
use chrono::Duration;
use store::Conn;

/// How long after a sign-in the console is open.
pub const OPEN_FOR: Duration = Duration::minutes(10);

/// Whether the console is open to the caller of a request.
pub enum Entry {
    /// It is open; the request continues as this caller.
    Open(Caller),
    /// It is open after a new sign-in.
    SignInAgain,
    /// It does not exist for the caller.
    Closed,
}

/// Whether the console is open to the caller of a request: a user whom the operator marked, from a
/// network that `[operator] networks` allows, who signed in less than [`OPEN_FOR`] ago.
pub fn enter(app: &App, context: &Context, caller: &Caller) -> Entry {
    let Caller::User(signed_in) = caller else {
        return Entry::Closed;
    };
    let networks = &app.config().operator;
    if !signed_in.user.may_operate() || !networks.is_reachable_from(context.source()) {
        return Entry::Closed;
    }
    match signed_in.session.is_recent(app.now(), OPEN_FOR) {
        true => Entry::Open(Caller::Console(signed_in.clone())),
        false => Entry::SignInAgain,
    }
}

/// Fails unless the user of the console is still marked and signed in. A change locks the user, so
/// that this holds until it ends.
pub(crate) fn check(conn: &mut Conn, caller: &Caller, locks: bool) -> Result<(), Error> {
    let Caller::Console(signed_in) = caller else {
        return Ok(());
    };
    let id = &signed_in.user.id;
    let user = match locks {
        true => store::user::lock_user_shared(conn, id)?,
        false => store::user::find_user(conn, id)?,
    };
    let may_operate = user.is_some_and(|user| user.may_operate());
    match may_operate && store::session::is_session(conn, id, &signed_in.session.id)? {
        true => Ok(()),
        false => Err(Denial::OperatorRequired.into()),
    }
}
