//! Messages about a user's own account.

use super::{Message, reserve, send};
use crate::App;
use domain::Instant;
use domain::audit::Actor;
use domain::user::User;

/// A link to reset a password.
pub struct PasswordReset<'a> {
    /// Brand name of the deployment.
    pub brand: &'a str,
    /// Name of the admin who requested the link; `None` if the user requested it on `/forgot`.
    pub by: Option<&'a str>,
    /// The one-time link.
    pub url: &'a str,
    /// Expiry of the link.
    pub expires_at: Instant,
}

impl PasswordReset<'_> {
    /// The message to an address.
    pub fn message(&self, to: &str) -> Message {
        let Self { brand, url, .. } = self;
        let request = match self.by {
            Some(admin) => format!("{admin} sent you a link to set a new password for {brand}."),
            None => format!("A new password was requested for your account on {brand}."),
        };
        let end = self.expires_at.format("%-d %B %Y, %H:%M UTC");
        Message {
            to: to.to_owned(),
            subject: format!("Set a new password for {brand}"),
            text: format!(
                "{request}\n\n\
                 Open this link to set it:\n\n\
                 {url}\n\n\
                 It works once, until {end}. Do not share it.\n\n\
                 If you did not expect this, ignore this message. Your password stays the same.\n"
            ),
        }
    }
}

/// Tells a user that the password was changed, at the address if it is verified.
pub(crate) fn tell_password_changed(app: &App, user: &User) {
    if user.email_verified_at.is_none() {
        return;
    }
    let Some(slot) = reserve(app, user.id.as_str()) else {
        return;
    };
    let brand = &app.config().branding.name;
    let url = &app.config().server.public_url;
    let at = app.now().format("%-d %B %Y, %H:%M UTC");
    send(
        app,
        slot,
        Message {
            to: user.email.clone(),
            subject: format!("Your password for {brand} was changed"),
            text: format!(
                "The password of your account on {brand} was changed on {at}.\n\n\
                 If you changed it, you need not do anything.\n\n\
                 If you did not change it, choose \"Forgot password?\" on the sign-in page, set a new \
                 password and revoke your tokens:\n\n\
                 {url}\n"
            ),
        },
    );
}

/// Tells both addresses that the operator replaced the first with the second.
pub(crate) fn tell_address_changed(app: &App, [old, new]: [&str; 2]) {
    let brand = &app.config().branding.name;
    for to in [old, new] {
        let Some(slot) = reserve(app, Actor::Operator.label()) else {
            return;
        };
        send(
            app,
            slot,
            Message {
                to: to.to_owned(),
                subject: format!("Your email address for {brand} was changed"),
                text: format!(
                    "The operator of {brand} changed the email address of your account to \
                     {new}.\n\n\
                     Sign in with this address from now on. Your password and your tokens stay \
                     the same.\n"
                ),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_letter_names_its_sender_and_the_expiry() {
        let letter = PasswordReset {
            brand: "Doorcode",
            by: None,
            url: "https://id.example.com/reset?link=1",
            expires_at: "2026-11-29T12:00:00Z".parse().unwrap(),
        };
        let message = letter.message("eve@example.com");
        assert_eq!(message.to, "eve@example.com");
        assert_eq!(message.subject, "Set a new password for Doorcode");
        assert_eq!(
            message.text,
            "A new password was requested for your account on Doorcode.\n\n\
             Open this link to set it:\n\n\
             https://id.example.com/reset?link=1\n\n\
             It works once, until 29 November 2026, 12:00 UTC. Do not share it.\n\n\
             If you did not expect this, ignore this message. Your password stays the same.\n"
        );
        let by_admin = PasswordReset {
            by: Some("Ada"),
            ..letter
        };
        let text = by_admin.message("eve@example.com").text;
        assert!(text.starts_with("Ada sent you a link to set a new password for Doorcode.\n"));
    }
}
