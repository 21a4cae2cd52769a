//! The owner and permissions of a token, from the server.

use serde_json::Value;

use crate::branding::Words;
use crate::output::{moment, plain};
use wire::api::{Me, Organization};

/// The response of `/v1/me`.
pub struct Identity {
    /// The members that this version knows.
    pub me: Me,
    /// The whole document, for `--json`.
    pub document: Value,
    words: Words,
}

impl Identity {
    /// Parses the response; texts about it use these words.
    pub fn read(document: Value, words: &Words) -> serde_json::Result<Self> {
        let me = serde::Deserialize::deserialize(&document)?;
        let words = words.clone();
        Ok(Self {
            me,
            document,
            words,
        })
    }

    /// Whether this is the operator token of the server.
    pub fn is_operator(&self) -> bool {
        self.me.token.kind == "operator"
    }

    /// The owner of the token.
    pub fn owner(&self) -> String {
        match (&self.me.user, &self.me.organization) {
            (Some(user), _) => format!("{} <{}>", plain(&user.name), plain(&user.email)),
            (None, Some(organization)) => {
                format!(
                    "the {} {}",
                    self.words.organization,
                    plain(&organization.name)
                )
            }
            (None, None) if self.is_operator() => "the operator".to_owned(),
            (None, None) => "an unnamed owner".to_owned(),
        }
    }

    /// The name and hint of the token.
    pub fn token(&self) -> String {
        let token = &self.me.token;
        match token.hint.as_str() {
            "" => plain(&token.name).into_owned(),
            hint => format!("{} ({})", plain(&token.name), plain(hint)),
        }
    }

    /// The scopes of the token.
    pub fn scopes(&self) -> String {
        let scopes: Vec<_> = self.me.scopes.iter().map(|scope| plain(scope)).collect();
        or_none(scopes.join(" "))
    }

    /// The end of the token, in the local time zone, with the days that are left.
    pub fn expiry(&self) -> String {
        moment::end(self.me.token.end(), moment::current_time())
    }

    /// The organizations that the token of a user reaches, with the user's roles; `None` if no user
    /// owns the token.
    pub fn organizations(&self) -> Option<String> {
        self.me.user.as_ref()?;
        let named = |organization: &Organization| match &organization.role {
            Some(role) => format!("{} ({})", plain(&organization.name), plain(role)),
            None => plain(&organization.name).into_owned(),
        };
        let organizations: Vec<_> = self.me.organizations.iter().map(named).collect();
        Some(or_none(organizations.join(", ")))
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "user": {
                "id": "usr_1", "name": "Ada\u{1b}[31m", "email": "ada@example.com",
                "email_verified": true
            },
            "token": {
                "id": "tok_1", "kind": "personal", "name": "laptop", "hint": "dc_…ab12",
                "created_at": "2026-01-01T00:00:00Z", "expires_at": null, "more": 1
            },
            "scopes": ["orgs:read", "tokens:read"],
            "organizations": [
                { "id": "org_1", "slug": "engines", "name": "Engines", "role": "owner" },
                { "id": "org_2", "slug": "b", "name": "B" }
            ],
            "projects": [],
            "more": true
        })
    }

    #[test]
    fn identity_is_formatted_and_the_document_is_unchanged() {
        let identity = Identity::read(document(), &Words::default()).unwrap();
        assert_eq!(identity.owner(), "Ada[31m <ada@example.com>");
        assert_eq!(identity.token(), "laptop (dc_…ab12)");
        assert_eq!(identity.scopes(), "orgs:read tokens:read");
        assert_eq!(identity.expiry(), "never");
        assert_eq!(
            identity.organizations().as_deref(),
            Some("Engines (owner), B")
        );
        assert_eq!(identity.document, document());
    }

    #[test]
    fn organization_token_without_scopes() {
        let mut document = document();
        document["organization"] = document["organizations"][0].clone();
        for (member, value) in [
            ("user", json!(null)),
            ("scopes", json!([])),
            ("organizations", json!([])),
        ] {
            document[member] = value;
        }
        document["token"]["expires_at"] = "2027-02-20T12:00:00Z".into();
        let identity = Identity::read(document, &Words::default()).unwrap();
        assert_eq!(identity.owner(), "the organization Engines");
        assert_eq!(identity.scopes(), "none");
        assert_eq!(identity.organizations(), None);
        assert!(
            identity.expiry().contains("February 2027"),
            "{}",
            identity.expiry()
        );
    }
}
