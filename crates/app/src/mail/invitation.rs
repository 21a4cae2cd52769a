//! The letter that invites somebody into an organization.

use super::Message;
use domain::Instant;
use domain::org::Role;

/// An invitation into an organization.
pub struct Invitation<'a> {
    /// What the deployment calls itself.
    pub brand: &'a str,
    /// The organization's name.
    pub organization: &'a str,
    /// Who invites.
    pub inviter: &'a str,
    /// What the invited person will be there.
    pub role: Role,
    /// The one-time link.
    pub url: &'a str,
    /// When the link ends.
    pub expires_at: Instant,
}

impl Invitation<'_> {
    /// The letter to an address.
    pub fn message(&self, to: &str) -> Message {
        let Self {
            brand,
            organization,
            inviter,
            url,
            ..
        } = self;
        let role = match self.role {
            Role::Owner => "an owner",
            Role::Admin => "an admin",
            Role::Member => "a member",
        };
        let end = self.expires_at.format("%-d %B %Y, %H:%M UTC");
        Message {
            to: to.to_owned(),
            subject: format!("{inviter} invites you to {organization}"),
            text: format!(
                "{inviter} invites you to join {organization} on {brand} as {role}.\n\n\
                 Open this link to accept:\n\n\
                 {url}\n\n\
                 It works once, until {end}, for whoever opens it: do not pass it on.\n\n\
                 If you did not expect this, do nothing, and nothing happens.\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_says_who_where_how_and_until_when() {
        let invitation = Invitation {
            brand: "Doorcode",
            organization: "Acme",
            inviter: "Ada",
            role: Role::Admin,
            url: "https://id.example.com/invitation?link=1",
            expires_at: "2026-11-29T12:00:00Z".parse().unwrap(),
        };
        let message = invitation.message("eve@example.com");
        assert_eq!(message.to, "eve@example.com");
        assert_eq!(message.subject, "Ada invites you to Acme");
        assert_eq!(
            message.text,
            "Ada invites you to join Acme on Doorcode as an admin.\n\n\
             Open this link to accept:\n\n\
             https://id.example.com/invitation?link=1\n\n\
             It works once, until 29 November 2026, 12:00 UTC, for whoever opens it: do not \
             pass it on.\n\n\
             If you did not expect this, do nothing, and nothing happens.\n"
        );
    }
}
