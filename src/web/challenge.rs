//! The header `WWW-Authenticate` of refused requests.

use app::App;

/// Path of the protected resource metadata of the management API.
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Challenge of a denied request (RFC 6750 section 3). `wrong` holds further parameters that
/// describe the error; `resource_metadata` is the URL of the metadata (RFC 9728 section 5.1).
pub fn challenge(app: &App, wrong: &str) -> String {
    let metadata = app.config().server.public_url.join(PROTECTED_RESOURCE);
    let realm = realm(app);
    format!(r#"Bearer {realm}{wrong}, resource_metadata="{metadata}""#)
}

/// The parameter `realm` of a challenge (RFC 9110 section 11.5): `[branding] name`.
pub fn realm(app: &App) -> String {
    let config = app.config();
    let name = quoted(&config.branding.name);
    // A header has ASCII only.
    let name = name.unwrap_or_else(|| config.server.public_url.host().to_owned());
    format!(r#"realm="{name}""#)
}

/// The content of a quoted string (RFC 9110 section 5.6.4). `None` if a character is not printable
/// ASCII.
fn quoted(text: &str) -> Option<String> {
    let is_printable = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    is_printable.then(|| text.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ascii_is_quoted() {
        for (name, expected) in [
            ("Acme Tools", Some("Acme Tools")),
            (r#"The "A" \ B"#, Some(r#"The \"A\" \\ B"#)),
            ("Bräu", None),
        ] {
            assert_eq!(quoted(name).as_deref(), expected);
        }
    }
}
