//! Tokens.

#[cfg(feature = "openapi")]
use super::values::{TokenKind, TokenState};
use crate::json::rules;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A token without its secret.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// ID, `tok_…`.
    pub id: String,
    /// Kind: `personal`, `organization` or `operator`.
    #[cfg_attr(feature = "openapi", schema(value_type = TokenKind))]
    pub kind: String,
    /// Name that the creator chose.
    pub name: String,
    /// Prefix and last four characters, to recognize the token.
    pub hint: String,
    /// Granted scopes. The effective ones are fewer if the owner's role allows fewer.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// ID of the organization that owns the token or that the token is limited to; `null` if none.
    #[serde(default)]
    pub organization: Option<String>,
    /// IDs of the projects that the token is limited to. `null` if there is no such limit.
    #[serde(default)]
    pub projects: Option<Vec<String>>,
    /// `client_id` of the client that the token was issued to. `null` if there is none.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Name that the device gave itself; unverified. `null` if there is none.
    #[serde(default)]
    pub device_name: Option<String>,
    /// Creator: the ID of a user, token or client, or `operator`. `null` where a token of an
    /// organization reads about itself.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Creation time.
    pub created_at: String,
    /// Expiry time. `null` if the token never expires.
    pub expires_at: Option<String>,
    /// End of the grace period. `null` while a policy allows the token. After the end, the token is
    /// inactive until a policy allows it again.
    #[serde(default)]
    pub grace_ends_at: Option<String>,
    /// Reason why no policy allows the token, so that it is inactive: `plan`, `role`,
    /// `never_expires` or `lifetime`. `null` if a policy allows it.
    #[serde(default)]
    pub violation: Option<String>,
    /// Time of the last use. `null` if the token was never used.
    #[serde(default)]
    pub last_used_at: Option<String>,
    /// IP address of the last use. `null` if the token was never used.
    #[serde(default)]
    pub last_used_address: Option<String>,
    /// Time at which the owner last signed in for the token. `null` if no user did.
    #[serde(default)]
    pub confirmed_at: Option<String>,
    /// Time of the revocation. `null` if the token was not revoked.
    #[serde(default)]
    pub revoked_at: Option<String>,
    /// Actor that revoked the token. `null` if the token was not revoked.
    #[serde(default)]
    pub revoked_by: Option<String>,
    /// Reason for the revocation. `null` if the token was not revoked.
    #[serde(default)]
    pub revoked_reason: Option<String>,
    /// ID of the token that this token replaces. `null` if there is none.
    #[serde(default)]
    pub replaces: Option<String>,
    /// ID of the token with which this one was created. `null` if there is none. Revoking that
    /// token revokes this one too.
    #[serde(default)]
    pub made_by_token: Option<String>,
    /// State: `live`, `expired` or `revoked`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = TokenState))]
    pub state: String,
}

impl Token {
    /// The earlier of expiry and end of the grace period; `None` if the token has no end.
    pub fn end(&self) -> Option<&str> {
        // RFC 3339 times in UTC with the same format sort as text.
        [&self.expires_at, &self.grace_ends_at]
            .into_iter()
            .flatten()
            .min()
            .map(String::as_str)
    }
}

/// Attributes of a new token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTokenBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Names of the scopes. The caller must have each of them.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// `never`, `30d`, `90d`, `1y`, or the last day of use, such as `2030-01-31`. Default: as
    /// configured on the server.
    pub expires: Option<String>,
    /// ID or slug of the only organization that the token can access. Default: all.
    pub organization: Option<String>,
    /// IDs of the only projects that the token can access, all in one organization. Default: all.
    #[serde(default)]
    pub projects: Vec<String>,
}

/// New attributes of a token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateTokenBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
}

/// A new token with its secret.
// No `Debug`, which keeps the secret out of the log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// Secret of the token, returned only once.
    pub token: String,
    /// Token without its secret.
    #[serde(flatten)]
    pub about: Token,
}

/// Options of a rotation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Time until the old token or secret expires, in seconds, at most 30 days. Default: 24 hours.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 2_592_000))]
    #[serde(default, deserialize_with = "rules::within::<_, 0, 2_592_000>")]
    pub overlap_seconds: Option<u32>,
}

/// Filter of the tokens to revoke.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeAll {
    /// Revokes only tokens created before this time. Required for the operator at
    /// `/v1/tokens/revoke-all` without the actor header, which revokes the tokens of all users.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    #[serde(default, deserialize_with = "rules::time")]
    pub issued_before: Option<DateTime<Utc>>,
}

/// Result of a revocation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revoked {
    /// Number of active tokens that were revoked, including those that were created with them.
    pub revoked: usize,
    /// Number of open invitations that were created with them and have ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withdrawn_invitations: usize,
}

/// What revoking a token would also revoke: the tokens and invitations that were created with it,
/// directly or with those tokens.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Descendants {
    /// Number of active tokens.
    pub tokens: usize,
    /// Number of open invitations.
    pub invitations: usize,
    /// The newest of the tokens, at most 20, without those of organizations that the caller does
    /// not manage.
    #[serde(default)]
    pub newest: Vec<Descendant>,
}

/// A token that was created with another one.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Descendant {
    /// ID, `tok_…`.
    pub id: String,
    /// Name that the creator chose.
    pub name: String,
    /// Prefix and last four characters, to recognize the token.
    pub hint: String,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
