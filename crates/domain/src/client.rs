//! Clients: the registered applications.

use super::Fault;
use super::scope::ScopeSet;
use super::secret::Digest;

/// The client that the first start registers: the `doorcode` command line itself.
pub const CLI_CLIENT_ID: &str = "doorcode-cli";

/// A registered application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its name, as the consent page shows it.
    pub name: String,
    /// How it authenticates.
    pub credential: Credential,
    /// The scopes that it may request.
    pub scopes: ScopeSet,
    /// The scopes that it gets if it requests none.
    pub default_scopes: ScopeSet,
    /// Whether it is active.
    pub standing: Standing,
}

/// How a client authenticates (RFC 6749 section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// It cannot authenticate, since every copy of a command line is the same.
    Public,
    /// By a secret, stored as a digest. Such a client may introspect tokens.
    Confidential(Digest),
}

/// Whether a client is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    Active,
    /// It was disabled.
    Disabled,
}

/// Checks a new `client_id`: 1 to 100 letters, digits, dots, dashes and underscores. An id
/// that looks like a user's or an organization's is refused, since both can be the subject
/// of a token (RFC 9700 section 4.15).
pub fn id(text: &str) -> Result<String, Fault> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || text.len() > 100 || !text.chars().all(legal) {
        return Err(Fault::new(
            "client_id",
            "Use 1 to 100 letters, digits, dots, dashes and underscores.",
        ));
    }
    if text.starts_with("usr_") || text.starts_with("org_") {
        return Err(Fault::new(
            "client_id",
            "Do not begin with `usr_` or `org_`: these are kept for users and organizations.",
        ));
    }
    Ok(text.to_owned())
}
