//! Users, clients and the status of the server, for the operator only.

#[cfg(feature = "openapi")]
use super::values::MailStatus;
use super::values::{ClientKind, ClientState, Role};
use serde::{Deserialize, Serialize};

/// Status of the server.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Kind of database: `sqlite` or `postgresql`.
    pub database: String,
    /// Current time of the server.
    pub now: String,
    /// Whether the server sends mail.
    pub sends_mail: bool,
}

/// Attributes of a new user.
// No `Debug`, which keeps the password out of the log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateUserBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Email address for sign-in. It is stored in lower case, with its domain in ASCII.
    pub email: String,
    /// Password, at least 15 characters.
    pub password: String,
    /// Name of the organization to join. If it does not exist, the server creates it for an owner.
    /// For one that a user created, its id.
    pub organization: Option<String>,
    /// Role in the organization: `member`, `admin` or `owner`. Default: `member`, or `owner` of an
    /// organization that does not exist yet.
    pub role: Option<Role>,
}

/// New attributes of a user. Absent ones do not change.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateUserBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// Email address for sign-in. A new one is not verified unless `email_verified` is `true`.
    pub email: Option<String>,
    /// Whether the email address is verified: `true` if the user receives mail at it.
    pub email_verified: Option<bool>,
}

/// A new link to reset a password.
// No `Debug`, which keeps the link out of the log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPasswordReset {
    /// Link for the user, which works once. Returned only once.
    pub url: String,
    /// Expiry time of the link.
    pub expires_at: String,
}

/// A link to reset a password that was mailed to a member.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordResetSent {
    /// Expiry time of the link.
    pub expires_at: String,
    /// Always `sent`: without the mail there is no link.
    #[cfg_attr(feature = "openapi", schema(value_type = MailStatus))]
    pub mail: String,
}

/// A registered OAuth client.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// `client_id` of the client.
    pub id: String,
    /// Name on the consent page.
    pub name: String,
    /// Client type: `public` or `confidential`.
    #[cfg_attr(feature = "openapi", schema(value_type = ClientKind))]
    pub kind: String,
    /// Scopes that the client may request.
    pub scopes: Vec<String>,
    /// Scopes that the client gets if it requests none.
    pub default_scopes: Vec<String>,
    /// State: `active` or `disabled`.
    #[cfg_attr(feature = "openapi", schema(value_type = ClientState))]
    pub state: String,
}

/// Attributes of a new client.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateClientBody {
    /// `client_id` of the client: 1 to 100 letters, digits, dots, dashes and underscores.
    pub id: String,
    /// Name on the consent page.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Client type: `public` or `confidential`. Default: `public`.
    pub kind: Option<ClientKind>,
    /// Scopes that the client may request. Default: all; none for a confidential client.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Scopes that the client gets if it requests none. Default: all that it may request.
    #[serde(default)]
    pub default_scopes: Vec<String>,
}

/// A new client with its secret.
// No `Debug`, which keeps the secret out of the log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewClient {
    /// Secret of a confidential client, returned only once. Absent for a public client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_secret: Option<String>,
    /// Client.
    #[serde(flatten)]
    pub about: Client,
}

/// New attributes of a client. Absent ones do not change.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateClientBody {
    /// Name on the consent page.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// Scopes that the client may request. Its tokens keep their scopes.
    pub scopes: Option<Vec<String>>,
    /// Scopes that the client gets if it requests none. If absent, those that it may no longer
    /// request are dropped.
    pub default_scopes: Option<Vec<String>>,
    /// State: `active` or `disabled`. The tokens of a disabled client are inactive.
    pub state: Option<ClientState>,
}

/// Result of a reload of the configuration.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigReloaded {
    /// Settings that changed: `scopes`, `routes`, or keys such as `branding.name`.
    pub changed: Vec<String>,
    /// Settings that differ from the running ones and need a restart.
    pub needs_restart: Vec<String>,
}
