//! Messages about the email address of a user.

use super::{Message, moment};
use crate::App;
use domain::Instant;

/// Message with a link that verifies an address; `url` is the complete link.
pub(crate) fn address_link(app: &App, to: &str, url: &str, expires_at: Instant) -> Message {
    let (brand, end) = (&app.config().branding.name, moment(expires_at));
    Message {
        to: to.to_owned(),
        subject: format!("Confirm your email address for {brand}"),
        text: format!(
            "Open this link to confirm that {to} is the email address of your account on {brand}:\n\n\
             {url}\n\n\
             It works once, until {end}, in a browser where you are signed in to that account.\n\n\
             If you did not request this, ignore this message. Nothing changes.\n"
        ),
    }
}

/// Message to the user of an address that another user tried to use.
pub(crate) fn address_taken(app: &App, to: &str) -> Message {
    let brand = &app.config().branding.name;
    Message {
        to: to.to_owned(),
        subject: format!("You have an account on {brand}"),
        text: format!(
            "A request was made on {brand} to use {to} for another account. You have an account \
             with this address, so nothing was changed.\n\n\
             If you made the request: sign in with {to}, or use another address for the other \
             account.\n\n\
             If you did not make it, ignore this message.\n"
        ),
    }
}

/// Message to the old address of a user who changed it.
pub(crate) fn address_changed(app: &App, to: &str, user_id: &str) -> Message {
    let brand = &app.config().branding.name;
    Message {
        to: to.to_owned(),
        subject: format!("Your email address for {brand} was changed"),
        text: format!(
            "Your account on {brand} has a new email address. You no longer sign in with \
             {to}.\n\n\
             If you changed it, you need not do anything.\n\n\
             If you did not change it, tell the operator of {brand} at once, and name your account: \
             {user_id}\n"
        ),
    }
}
