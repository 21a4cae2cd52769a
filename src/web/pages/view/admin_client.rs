//! The operator console: clients.

use super::filters;
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use domain::scope::Risk;

/// `/admin/clients`.
#[derive(Debug, Template)]
#[template(path = "admin_clients.html")]
pub struct ClientsPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The clients, by ID.
    pub clients: Vec<ClientRow>,
    /// URL of the next page.
    pub next: Option<String>,
}

/// A client in the operator console.
#[derive(Debug, Clone)]
pub struct ClientRow {
    /// The `client_id`.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether it has a secret.
    pub is_confidential: bool,
    /// Whether it can be used.
    pub is_active: bool,
    /// The scopes that it may request.
    pub scopes: Vec<String>,
    /// When the secret before the current one ends, if it still works.
    pub previous_secret_ends: Option<Moment>,
}

/// `/admin/clients/{client}`. Posts to `…/enable`.
#[derive(Debug, Template)]
#[template(path = "admin_client.html")]
pub struct ClientPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The client.
    pub client: ClientRow,
    /// The scopes of a request that names none.
    pub default_scopes: Vec<String>,
    /// Whether name and scopes follow the settings of the server.
    pub follows_settings: bool,
    /// Number of active tokens that were issued to it.
    pub tokens: u64,
    /// The notice of the last action.
    pub notice: Option<ClientNotice>,
}

/// The last action on a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientNotice {
    /// Its scopes were saved.
    Scopes,
    /// It was disabled.
    Disabled,
    /// It was enabled.
    Enabled,
}

/// `GET /admin/clients/{client}/scopes`. Posts to the same path the fields `scope` and
/// `default_scope`.
#[derive(Debug, Template)]
#[template(path = "admin_client_scopes.html")]
pub struct ClientScopesPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The client.
    pub client: ClientRow,
    /// Whether name and scopes follow the settings of the server, until they are changed here.
    pub follows_settings: bool,
    /// All scopes.
    pub scopes: Vec<ClientScope>,
    /// Form errors; fields `scope`, `default_scope`.
    pub errors: FieldErrors,
}

/// A scope with the choices for a client.
#[derive(Debug, Clone)]
pub struct ClientScope {
    /// The name.
    pub name: String,
    /// What it grants.
    pub description: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// Whether the client may request it.
    pub is_allowed: bool,
    /// Whether a request that names no scope gets it.
    pub is_default: bool,
}

impl ClientScope {
    fn is_high(&self) -> bool {
        self.risk == Risk::High
    }
}

/// `GET /admin/clients/{client}/rotate`. Posts to the same path the field `overlap`.
#[derive(Debug, Template)]
#[template(path = "admin_client_rotate.html")]
pub struct RotateSecretPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The client.
    pub client: ClientRow,
    /// The overlaps.
    pub overlap: Vec<Choice>,
    /// Form errors; field `overlap`.
    pub errors: FieldErrors,
}

/// `GET /admin/clients/{client}/secret`.
#[derive(Debug, Template)]
#[template(path = "admin_client_secret.html")]
pub struct SecretPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The client.
    pub client: ClientRow,
    /// The secret; `None` if it was shown before.
    pub secret: Option<String>,
}

/// `GET /admin/clients/{client}/disable`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "admin_client_disable.html")]
pub struct DisableClientPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The client.
    pub client: ClientRow,
    /// Number of active tokens that were issued to it, which become inactive.
    pub tokens: u64,
}
