//! Sensitive changes need a recent sign-in: a session that an attacker takes over later has no part
//! in them.

use super::caller::Caller;
use crate::tx::Tx;
use crate::{App, Error};
use domain::Instant;
use domain::scope::{Risk, ScopeSet};

impl Tx<'_> {
    /// Fails with [`Error::SignInTooOld`] unless the user in a browser signed in recently; see
    /// [`check`].
    pub(crate) fn require_recent_sign_in(&self) -> Result<(), Error> {
        check(self.app(), self.caller(), self.now)
    }

    /// The same for a token with these scopes, if one of them has a high risk.
    pub(crate) fn require_recent_sign_in_for(&self, scopes: &ScopeSet) -> Result<(), Error> {
        let catalogue = &self.config().scopes;
        let mut named = scopes.iter().filter_map(|name| catalogue.find(name));
        match named.any(|scope| scope.risk == Risk::High) {
            true => self.require_recent_sign_in(),
            false => Ok(()),
        }
    }
}

/// Fails with [`Error::SignInTooOld`] for a user in a browser who signed in longer than
/// `[sign_in] fresh_for` ago. Other callers pass: the scopes of a token say what it may do, and the
/// operator console has its own limit.
pub fn check(app: &App, caller: &Caller, now: Instant) -> Result<(), Error> {
    match caller {
        Caller::User(signed_in) if !is_recent(app, &signed_in.session, now) => {
            Err(Error::SignInTooOld)
        }
        _ => Ok(()),
    }
}

/// Whether the sign-in of a session is recent enough for sensitive changes.
pub fn is_recent(app: &App, session: &domain::user::Session, now: Instant) -> bool {
    let limit = app.config().sign_in.fresh_for.limit();
    let limit = limit.and_then(|limit| chrono::Duration::from_std(limit).ok());
    limit.is_none_or(|within| session.is_recent(now, within))
}
