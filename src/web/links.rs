//! Paths and URLs of one-time links, for pages, mails and API responses.

use app::org::{self, InvitationLetter};
use app::user::{self, Letter, NewReset};
use app::{App, Request};
use domain::account_link::LinkPurpose;
use domain::id::TokenId;
use domain::secret::Secret;

/// Path for creating the first user; `link` is the secret of the one-time link.
pub fn setup_path(link: &str) -> String {
    format!("/setup?link={link}")
}

/// Path for accepting an invitation; `link` is the secret of the one-time link.
pub fn invitation_path(link: &str) -> String {
    format!("/invite?link={link}")
}

/// Path for setting a new password; `link` is the secret of the one-time link.
fn reset_path(link: &str) -> String {
    format!("/reset?link={link}")
}

/// URL of a new link for setting a new password.
pub fn reset_url(app: &App, new: &NewReset) -> String {
    reset_link_url(app, &new.link)
}

/// URL of the link with this secret for setting a new password.
pub fn reset_link_url(app: &App, link: &Secret) -> String {
    absolute(app, &reset_path(link.expose()))
}

/// Path for verifying the current address of a user; `link` is the secret of the one-time link.
pub fn verification_path(link: &str) -> String {
    format!("/account/email/verify?link={link}")
}

/// Path for confirming a new address of a user; `link` is the secret of the one-time link.
pub fn email_change_path(link: &str) -> String {
    format!("/account/email/confirm?link={link}")
}

/// Path on which the owner of a token signs in again for it; `max_age` is in seconds.
pub fn confirmation_path(id: &TokenId, max_age: u64) -> String {
    format!("/tokens/{id}/confirm?max_age={max_age}")
}

/// The public URL of a path.
pub fn absolute(app: &App, path: &str) -> String {
    app.config().server.public_url.join(path)
}

/// Mails an invitation.
pub fn send_invitation(app: &App, letter: &InvitationLetter) {
    org::send_invitation(app, letter, |link| {
        absolute(app, &invitation_path(link.expose()))
    });
}

/// Mails a message about an email address.
pub fn send_letter(req: &Request, letter: &Letter) {
    user::send_letter(req, letter, |purpose, link| {
        let path = match purpose {
            LinkPurpose::Reset => reset_path(link.expose()),
            LinkPurpose::Verify => verification_path(link.expose()),
            LinkPurpose::Change => email_change_path(link.expose()),
        };
        absolute(&req.app, &path)
    });
}
