//! The mail that invites a user into an organization.

use super::{Message, moment};
use domain::Instant;
use domain::role::Role;

/// An invitation into an organization.
pub struct Invitation<'a> {
    /// Brand name of the deployment.
    pub brand: &'a str,
    /// Name of the organization.
    pub organization: &'a str,
    /// Name of the inviter.
    pub inviter: &'a str,
    /// Role in the organization.
    pub role: Role,
    /// The one-time link.
    pub url: &'a str,
    /// Expiry of the link.
    pub expires_at: Instant,
}

impl Invitation<'_> {
    /// The message to an address.
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
        let end = moment(self.expires_at);
        Message {
            to: to.to_owned(),
            subject: format!("{inviter} invites you to {organization}"),
            text: format!(
                "{inviter} invites you to join {organization} on {brand} as {role}.\n\n\
                 Open this link to accept:\n\n\
                 {url}\n\n\
                 It works once, until {end}. Anyone who opens it can accept: do not share it.\n\n\
                 If you did not expect this, ignore this message. Nothing changes.\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invitation_names_inviter_organization_role_and_expiry() {
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
             It works once, until 29 November 2026, 12:00 UTC. Anyone who opens it can accept: do \
             not share it.\n\n\
             If you did not expect this, ignore this message. Nothing changes.\n"
        );
    }
}
