//! Bodies of the OAuth endpoints.
//!
//! Types with secrets have no `Debug`, which keeps them out of the log.

use serde::{Deserialize, Serialize};

pub use domain::client::CLI_CLIENT_ID;

/// Grant type of RFC 8628 section 3.4.
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Device authorization response (RFC 8628 section 3.2).
#[derive(Serialize, Deserialize)]
pub struct DeviceAuthorizationResponse {
    /// Device code: the secret that the device sends when it polls for its token.
    pub device_code: String,
    /// User code: the short code that the user compares and approves.
    pub user_code: String,
    /// URL of the page where the user enters the code.
    pub verification_uri: String,
    /// The same URL with the user code filled in.
    pub verification_uri_complete: String,
    /// Seconds until both codes expire.
    pub expires_in: u64,
    /// Minimum time between polls, in seconds.
    pub interval: u64,
}

/// Successful token response (RFC 6749 section 5.1).
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// Token, with its secret.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the token expires. Absent if it never expires.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in: Option<u64>,
    /// Granted scopes, separated by spaces.
    pub scope: String,
}

/// Error response (RFC 6749 section 5.2, RFC 8628 section 3.5).
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// Registered error code.
    pub error: String,
    /// Explanation for the developer of the client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_description: Option<String>,
}

/// Introspection response (RFC 7662 section 2.2). For an inactive token it has only `active`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether the token can be used.
    pub active: bool,
    /// Remaining members. Absent for an inactive token.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub token: Option<ActiveToken>,
}

/// Introspection result of an active token.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActiveToken {
    /// Scopes that the token has now, separated by spaces.
    pub scope: String,
    /// Client that the token was issued to. Absent if a user created it in the console.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    /// Email address of the owner, if it is verified. Absent for organization tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    /// Whether the email address of the owner is verified. Absent for organization tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email_verified: Option<bool>,
    /// Id of the owner, a user or an organization.
    pub sub: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Expiry in seconds since 1970. Absent if the token never expires. If a policy no longer
    /// allows the token, its grace period ends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// Issue time in seconds since 1970.
    pub iat: i64,
    /// Time at which the owner last signed in for the token, in seconds since 1970 (RFC 9470
    /// section 6.2). Absent if no user did, as for organization tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_time: Option<i64>,
    /// Issuer: the public URL of the server.
    pub iss: String,
    /// Id of the token.
    pub jti: String,
    /// `personal` or `organization`.
    pub kind: String,
    /// Organization that owns the token or that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub organization: Option<String>,
    /// Projects that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub projects: Option<Vec<String>>,
}

/// Authorization server metadata (RFC 8414 section 2).
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "RFC 8414 defines the members")]
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
#[expect(missing_docs, reason = "RFC 9728 defines the members")]
pub struct ResourceMetadata {
    pub resource: String,
    pub authorization_servers: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub bearer_methods_supported: Vec<String>,
    pub resource_name: String,
}
