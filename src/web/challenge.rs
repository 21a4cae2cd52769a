//! The header `WWW-Authenticate` of requests that a token does not allow.

use app::App;

/// Path of the protected resource metadata of the management API.
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Challenge of a denied request (RFC 6750 section 3). `wrong` holds further parameters that
/// describe the error; `resource_metadata` is the URL of the metadata (RFC 9728 section 5.1).
pub fn challenge(app: &App, wrong: &str) -> String {
    let metadata = app.config().server.public_url.join(PROTECTED_RESOURCE);
    format!(r#"Bearer realm="Doorcode"{wrong}, resource_metadata="{metadata}""#)
}
