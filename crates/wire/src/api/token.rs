//! Tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token, without its text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The id, `tok_…`.
    pub id: String,
    /// `personal`, `organization` or `operator`.
    pub kind: String,
    /// The name that its maker gave it.
    pub name: String,
    /// The prefix and the last four characters, to tell tokens apart.
    pub hint: String,
    /// What it was granted. It may do less now, if its owner's role is less.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The organization that owns it, or that it is limited to.
    #[serde(default)]
    pub organization: Option<String>,
    /// The projects that it is limited to; `null` if to none.
    #[serde(default)]
    pub projects: Option<Vec<String>>,
    /// The client that asked for it.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The device that asked for it, by its own unverified word.
    #[serde(default)]
    pub device_name: Option<String>,
    /// Who made it: the id of a user, a token or a client, or `operator`.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it ends; `null` if it never does.
    pub expires_at: Option<String>,
    /// Until when it goes on although no policy admits it any more; `null` if one does. It goes
    /// on after that if a policy is loosened.
    #[serde(default)]
    pub grace_ends_at: Option<String>,
    /// Why no policy admits it, so that it can do nothing: `plan`, `role`, `never_expires` or
    /// `lifetime`; `null` if it is admitted.
    #[serde(default)]
    pub violation: Option<String>,
    /// When it was last used.
    #[serde(default)]
    pub last_used_at: Option<String>,
    /// From which address it was last used.
    #[serde(default)]
    pub last_used_address: Option<String>,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<String>,
    /// Who revoked it.
    #[serde(default)]
    pub revoked_by: Option<String>,
    /// Why it was revoked.
    #[serde(default)]
    pub revoked_reason: Option<String>,
    /// The token in whose place it came.
    #[serde(default)]
    pub replaces: Option<String>,
    /// `live`, `expired` or `revoked`.
    #[serde(default)]
    pub state: String,
}

/// What a new token is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTokenBody {
    /// The name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The names of its scopes; only such as the caller has itself.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// `never`, `30d`, `90d`, `1y`, or a date such as `2030-01-31`, at whose end it ends. Left
    /// out for the deployment's default.
    pub expires: Option<String>,
    /// The one organization that it is to reach, by id or address. Left out for all of them.
    pub organization: Option<String>,
    /// The projects that it is to reach, all of one organization. Left out for all of them.
    #[serde(default)]
    pub projects: Vec<String>,
}

/// A token that was just made, with its text.
// Without `Debug`, so that no log line can hold it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token's text. It is shown once.
    pub token: String,
    /// The token, without its text.
    #[serde(flatten)]
    pub about: Token,
}

/// How a token is to be rotated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long the old token lives on, in seconds, at most 30 days; 24 hours if left out.
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub overlap_seconds: Option<u32>,
}

/// Which tokens are to be revoked at once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAll {
    /// Only those that were made before this moment. The operator, acting for nobody at
    /// `/v1/tokens/revoke-all`, revokes everybody's and must name it.
    #[schema(format = DateTime)]
    pub issued_before: Option<String>,
}

/// How many tokens were revoked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Revoked {
    /// How many of them could still be used.
    pub revoked: usize,
}
