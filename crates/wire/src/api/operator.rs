//! What the operator alone sees: users, clients and the state of the deployment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of the deployment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// The server's clock.
    pub now: String,
    /// Whether invitations are sent by mail.
    pub sends_mail: bool,
}

/// What a new account is to be.
// Without `Debug`: it holds a password.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUserBody {
    /// The name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// The password, at least 15 characters.
    pub password: String,
    /// The organization to join, by name; it is made if it is not there.
    pub organization: Option<String>,
    /// The role in it: `member`, `admin` or `owner`; `member` if left out.
    pub role: Option<String>,
}

/// A registered application.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// The name that people see when they approve.
    pub name: String,
    /// `public` or `confidential`.
    pub kind: String,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// What it gets when it asks for nothing.
    pub default_scopes: Vec<String>,
    /// `active` or `disabled`.
    pub state: String,
}

/// What a new client is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateClientBody {
    /// Its `client_id`: 1 to 100 letters, digits, dots, dashes and underscores.
    pub id: String,
    /// The name that people see when they approve.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `public` or `confidential`; `public` if left out.
    pub kind: Option<String>,
    /// What it may ask for; left out for everything, or nothing for a confidential client.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What it gets when it asks for nothing; left out for all that it may ask for.
    #[serde(default)]
    pub default_scopes: Vec<String>,
}

/// A client that was just registered, with its secret.
// Without `Debug`, so that no log line can hold the secret.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewClient {
    /// The secret of a confidential client. It is shown once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_secret: Option<String>,
    /// The client.
    #[serde(flatten)]
    pub about: Client,
}

/// What is to change of a client.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateClientBody {
    /// `active` or `disabled`. While it is disabled its tokens cannot be used.
    pub state: String,
}
