//! The mail that asks the owner of a token to rotate it.

use super::Message;

/// A request to rotate a token. It does not contain the name of the token, which any program of the
/// owner may have chosen.
pub struct RotationRequest<'a> {
    /// Brand name of the deployment.
    pub brand: &'a str,
    /// Name of the organization.
    pub organization: &'a str,
    /// Name of the admin who asks.
    pub admin: &'a str,
    /// Prefix and last four characters of the token.
    pub hint: &'a str,
    /// The page of the token.
    pub url: &'a str,
}

impl RotationRequest<'_> {
    /// The message to an address.
    pub fn message(&self, to: &str) -> Message {
        let Self {
            brand,
            organization,
            admin,
            hint,
            url,
        } = self;
        Message {
            to: to.to_owned(),
            subject: format!("Rotate a token that has access to {organization}"),
            text: format!(
                "{admin} asks you to rotate your token {hint} on {brand}. It has access to \
                 {organization}.\n\n\
                 Open the page of the token, choose Rotate, and put the new token in the place of \
                 the old one:\n\n\
                 {url}\n\n\
                 The old token works for another day, so that you can replace it. If you do not \
                 need the token, revoke it on the same page.\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_admin_organization_and_token() {
        let request = RotationRequest {
            brand: "Doorcode",
            organization: "Acme",
            admin: "Ada",
            hint: "dc_…4f2a",
            url: "https://id.example.com/tokens/tok_1",
        };
        let message = request.message("bob@example.com");
        assert_eq!(message.to, "bob@example.com");
        assert_eq!(message.subject, "Rotate a token that has access to Acme");
        assert_eq!(
            message.text,
            "Ada asks you to rotate your token dc_…4f2a on Doorcode. It has access to Acme.\n\n\
             Open the page of the token, choose Rotate, and put the new token in the place of the \
             old one:\n\n\
             https://id.example.com/tokens/tok_1\n\n\
             The old token works for another day, so that you can replace it. If you do not need \
             the token, revoke it on the same page.\n"
        );
    }
}
