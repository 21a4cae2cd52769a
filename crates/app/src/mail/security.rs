//! Notices to users about changes of how they sign in.

use super::{Message, moment, reserve, send};
use crate::App;
use domain::user::User;

/// A change of how a user signs in, other than of the password and the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecurityChange<'a> {
    /// A provider with this name was connected.
    ProviderConnected(&'a str),
    /// A provider with this name was disconnected.
    ProviderDisconnected(&'a str),
    /// A factor was added, such as `a passkey`.
    FactorAdded(&'a str),
    /// A factor was removed or replaced, such as `an authenticator app`.
    FactorRemoved(&'a str),
    /// New recovery codes replaced the earlier ones.
    CodesReplaced,
    /// Sessions were ended from another browser.
    SessionsEnded,
}

impl SecurityChange<'_> {
    fn subject(self, brand: &str) -> String {
        match self {
            Self::SessionsEnded => format!("Sessions of your account on {brand} were ended"),
            _ => format!("How you sign in to {brand} was changed"),
        }
    }

    /// What happened, without a full stop.
    fn sentence(self, brand: &str) -> String {
        match self {
            Self::ProviderConnected(name) => {
                format!("{name} was connected to your account on {brand} and signs you in")
            }
            Self::ProviderDisconnected(name) => {
                format!("{name} was disconnected from your account on {brand}")
            }
            Self::FactorAdded(what) => format!("You sign in to {brand} with {what} from now on"),
            Self::FactorRemoved(what) => format!("You no longer sign in to {brand} with {what}"),
            Self::CodesReplaced => {
                format!("New recovery codes for {brand} replaced your earlier ones")
            }
            Self::SessionsEnded => {
                format!("Browsers were signed out of your account on {brand} from another one")
            }
        }
    }
}

/// Tells a user about a change of how they sign in, at the address if it is verified. A full queue
/// does not stop the change.
pub(crate) fn tell_security_changed(app: &App, user: &User, change: SecurityChange<'_>) {
    if user.email_verified_at.is_none() {
        return;
    }
    let Some(slot) = reserve(app, user.id.as_str()) else {
        return;
    };
    let brand = &app.config().branding.name;
    let url = app.config().server.public_url.join("/account/security");
    let (what, at) = (change.sentence(brand), moment(app.now()));
    let message = Message {
        to: user.email.clone(),
        subject: change.subject(brand),
        text: format!(
            "{what}. This was changed on {at}.\n\n\
             If you changed it, you need not do anything.\n\n\
             If you did not change it, open this page, sign out the other sessions, change your \
             password and revoke your tokens:\n\n\
             {url}\n"
        ),
    };
    send(app, slot, message);
}
