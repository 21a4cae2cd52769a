//! The bodies of the OAuth endpoints.
//!
//! Types that hold secrets have no `Debug`, so that no log line can hold them either.

use serde::{Deserialize, Serialize};

pub use domain::client::CLI_CLIENT_ID;

/// The grant type of RFC 8628 section 3.4.
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The device authorization response (RFC 8628 section 3.2).
#[derive(Serialize, Deserialize)]
pub struct DeviceAuthorizationResponse {
    /// The secret with which the device asks for its token.
    pub device_code: String,
    /// The short code that the person compares and approves.
    pub user_code: String,
    /// Where the person enters the code.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: String,
    /// Seconds until both codes end.
    pub expires_in: u64,
    /// Seconds to wait between polls.
    pub interval: u64,
}

/// A successful token response (RFC 6749 section 5.1).
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the token ends; left out if it never does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in: Option<u64>,
    /// The scopes that were granted, separated by spaces.
    pub scope: String,
}

/// An error response (RFC 6749 section 5.2, RFC 8628 section 3.5).
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The error's registered name.
    pub error: String,
    /// What went wrong, for the developer of the client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_description: Option<String>,
}

/// An introspection response (RFC 7662 section 2.2). Of a token that is not active, only
/// `active` is sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether the token may be used.
    pub active: bool,
    /// Everything else, of an active token alone.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub token: Option<ActiveToken>,
}

/// What introspection tells of an active token.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActiveToken {
    /// What the token may do now, separated by spaces.
    pub scope: String,
    /// The client that asked for the token; left out if a person made it in the console.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    /// The email address of the token's owner; left out for organization tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    /// The id of the owner: a user or an organization.
    pub sub: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// When the token ends, in seconds since 1970; left out if it never does. One that a policy
    /// does not admit any more ends with its grace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// When the token was issued, in seconds since 1970.
    pub iat: i64,
    /// This server.
    pub iss: String,
    /// The token's id.
    pub jti: String,
    /// `personal` or `organization`.
    pub kind: String,
    /// The organization that owns the token, or that it is limited to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub organization: Option<String>,
    /// The projects that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub projects: Option<Vec<String>>,
}

/// Authorization server metadata (RFC 8414 section 2).
#[derive(Debug, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the members are those of the registry of RFC 8414"
)]
pub struct ServerMetadata {
    pub issuer: String,
    pub device_authorization_endpoint: String,
    pub token_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
}

/// Protected resource metadata (RFC 9728 section 2).
#[derive(Debug, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the members are those of the registry of RFC 9728"
)]
pub struct ResourceMetadata {
    pub resource: String,
    pub authorization_servers: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub bearer_methods_supported: Vec<String>,
    pub resource_name: String,
}
