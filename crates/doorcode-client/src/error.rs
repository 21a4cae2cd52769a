//! Errors, as texts for the user. A text states what happened; a command adds what to do.

use std::fmt;
use std::time::Duration;

use crate::api::proxy::Proxy;
use crate::credentials::FileError;
use crate::host::Host;
use crate::output::duration;

/// Why a command failed.
#[derive(Debug)]
pub enum Error {
    /// Wrong usage of the command.
    Usage(String),
    /// There is no token for this server.
    NotSignedIn(String),
    /// The server refuses the token.
    TokenRefused(Host),
    /// The token cannot be one, so it was not sent.
    TokenMalformed,
    /// The server refuses a token that a command was to check.
    Inactive(Host),
    /// The owner of the token has to sign in again for the request.
    ConfirmationNeeded {
        /// How recent the sign-in must be, in seconds.
        max_age: u64,
    },
    /// The token is valid but does not allow the operation.
    NotAllowed {
        /// Why.
        text: String,
        /// The scope that the token lacks, if that is the reason.
        scope: Option<String>,
    },
    /// The server sent no response.
    Unreachable {
        /// The server.
        host: Host,
        /// Why the connection failed, without a full stop.
        cause: String,
        /// The proxy that was to connect to it.
        proxy: Option<Proxy>,
    },
    /// The connection fails until something is changed: an address, a proxy or a certificate.
    Connection {
        /// The server.
        host: Host,
        /// What is wrong, without a full stop.
        what: String,
        /// What the user can do.
        advice: String,
    },
    /// The server is overloaded or failing (429 or 5xx).
    Busy {
        /// The server.
        host: Host,
        /// The HTTP status.
        status: u16,
        /// The detail of the problem (RFC 9457).
        detail: Option<String>,
        /// The pause from `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The response is not from a Doorcode server.
    Unexpected {
        /// The server.
        host: Host,
        /// The deviation, without a full stop.
        what: String,
    },
    /// An OAuth error response (RFC 6749 section 5.2).
    OAuth {
        /// `error`: the registered code.
        name: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// The server issues no token without scopes, and the sign-in names none. The scopes of the
    /// server, if it lists them.
    ScopeNeeded(Vec<String>),
    /// The device grant was denied, with the server's reason.
    Denied(Option<String>),
    /// The code expired before it was approved.
    Expired,
    /// The code was used, but the response with the token was lost on the way.
    TokenLost,
    /// The token could not be revoked, so it is kept.
    NotRevoked(Box<Error>),
    /// The credentials file cannot be read or written.
    File(FileError),
    /// Any other local error.
    Failed(String),
    /// The user pressed Ctrl-C.
    Cancelled,
    /// The user pressed Ctrl-C while the code could be approved.
    CancelledAfterCode,
}

impl Error {
    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotSignedIn(_)
            | Self::TokenRefused(_)
            | Self::Inactive(_)
            | Self::ConfirmationNeeded { .. }
            | Self::TokenMalformed => 3,
            Self::NotAllowed { .. } => 4,
            Self::Cancelled | Self::CancelledAfterCode => 130,
            _ => 1,
        }
    }

    /// Whether the user cancelled the command, which is not a failure.
    pub fn is_cancellation(&self) -> bool {
        matches!(self, Self::Cancelled | Self::CancelledAfterCode)
    }

    /// `Some` if a later retry may succeed, with the pause from `Retry-After`, if any.
    pub fn passing(&self) -> Option<Option<Duration>> {
        match self {
            Self::Unreachable { .. } => Some(None),
            Self::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text)
            | Self::NotSignedIn(text)
            | Self::NotAllowed { text, .. }
            | Self::Failed(text) => f.write_str(text),
            Self::TokenRefused(host) | Self::Inactive(host) => write!(
                f,
                "{host} refused the token: it is expired, revoked or mistyped."
            ),
            Self::ConfirmationNeeded { max_age } => write!(
                f,
                "The request needs a sign-in of the last {}.",
                duration(Duration::from_secs(*max_age))
            ),
            Self::TokenMalformed => f.write_str(
                "The token is malformed: it consists of letters, digits and underscores, without \
                 spaces.",
            ),
            Self::Unreachable {
                host,
                cause,
                proxy: None,
            } => write!(f, "Cannot reach {host}: {cause}."),
            Self::Unreachable {
                host,
                cause,
                proxy: Some(proxy),
            } => write!(f, "Cannot reach {host} through the proxy {proxy}: {cause}."),
            Self::Connection { host, what, .. } => {
                write!(f, "Cannot connect to {host}: {what}.")
            }
            Self::Busy {
                host,
                status,
                detail,
                ..
            } => {
                write!(f, "{host} is not available now (HTTP {status}).")?;
                detail.iter().try_for_each(|text| write!(f, " {text}"))
            }
            Self::Unexpected { host, what } => {
                write!(f, "The response from {host} is not as expected: {what}.")
            }
            Self::OAuth {
                name,
                description: None,
            } => {
                write!(f, "The server refused: {name}.")
            }
            Self::OAuth {
                name,
                description: Some(text),
            } => {
                write!(f, "The server refused: {text} ({name})")
            }
            Self::ScopeNeeded(scopes) => {
                f.write_str("The sign-in needs at least one scope.")?;
                match scopes.join(", ") {
                    scopes if scopes.is_empty() => Ok(()),
                    scopes => write!(f, " The scopes are: {scopes}."),
                }
            }
            Self::Denied(Some(reason)) => f.write_str(reason),
            Self::Denied(None) => f.write_str("The sign-in was denied."),
            Self::Expired => f.write_str("The code expired before it was approved."),
            Self::TokenLost => f.write_str(
                "The sign-in was approved, but the response with the token was lost. Nothing was \
                 saved.",
            ),
            Self::NotRevoked(cause) => write!(f, "{cause}"),
            Self::File(error) => write!(f, "{error}"),
            Self::Cancelled | Self::CancelledAfterCode => {
                f.write_str("Cancelled. Nothing was saved.")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::Failed(format!("Cannot write the output: {cause}."))
    }
}
