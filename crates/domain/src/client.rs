//! Clients: the registered applications.

use super::scope::ScopeSet;
use super::secret::Digest;
use super::{Fault, Instant};

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
    /// Whether each start takes its name and scopes from the settings: those of the built-in client,
    /// until the operator changes them.
    pub follows_settings: bool,
}

/// How a client authenticates (RFC 6749 section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// It cannot authenticate, since every copy of a command line is the same.
    Public,
    /// By a secret. Such a client may introspect tokens.
    Confidential(ClientSecret),
}

/// The secret of a client, stored as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Digest of the current secret.
    pub current: Digest,
    /// The secret before it, during the overlap of a rotation.
    pub previous: Option<PreviousSecret>,
}

/// A client secret that a rotation replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// Digest of the secret.
    pub digest: Digest,
    /// End of the overlap.
    pub ends_at: Instant,
}

impl ClientSecret {
    /// A secret without a predecessor.
    pub fn new(current: Digest) -> Self {
        Self {
            current,
            previous: None,
        }
    }

    /// Whether this is the digest of a secret that is valid now.
    pub fn matches(&self, digest: &Digest, now: Instant) -> bool {
        let is_previous = self
            .previous
            .as_ref()
            .is_some_and(|previous| previous.digest.matches(digest) && now < previous.ends_at);
        self.current.matches(digest) | is_previous
    }
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
