//! Errors of the use cases.

use super::access;
use domain::{Fault, Faults};

/// Error of a use case.
#[derive(Debug)]
pub enum Error {
    /// The input is invalid; contains its faults.
    Invalid(Faults),
    /// The caller is not authenticated, or its credentials are wrong.
    Unauthenticated,
    /// The user in a browser signed in too long ago for this change, and has to sign in again.
    SignInTooOld,
    /// The caller is authenticated and lacks the permission.
    Forbidden(access::Denial),
    /// The operator must name the user that it acts for.
    ActorRequired,
    /// The user that the operator acts for is unknown or deactivated.
    ActorUnknown,
    /// The resource does not exist, or belongs to another owner.
    NotFound,
    /// The request conflicts with the current state; the text is for the user.
    Conflict(&'static str),
    /// Too many attempts; retry after this duration.
    Throttled(chrono::Duration),
    /// The caller used too many Idempotency-Keys; new ones are accepted after this duration.
    TooManyKeys(chrono::Duration),
    /// A request with the same Idempotency-Key is in progress.
    InProgress,
    /// The Idempotency-Key was used for another request.
    KeyReused,
    /// The configuration is invalid; the text has one fault per line.
    Configuration(String),
    /// An error defined by the OAuth specifications.
    OAuth(OAuthError, &'static str),
    /// The server is overloaded; nothing was changed.
    Busy,
    /// The audit log contradicts its checkpoints: the database may be an old copy. The operator has
    /// to restore the right one or to recover the log.
    Contradicted,
    /// A file or network operation outside the database failed; the text is for the operator.
    Outside(String),
    /// The database failed; nothing was changed.
    Store(store::Error),
}

/// The error codes of RFC 6749 section 5.2 and RFC 8628 section 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are defined by the RFCs")]
pub enum OAuthError {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredToken,
}

impl OAuthError {
    /// The registered error code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }
}

impl Error {
    /// An error of the server itself, for the log.
    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::Store(store::Error::Other(why.into()))
    }

    /// Error code for the record of token uses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(denial) => denial.code(),
            Self::Unauthenticated => "invalid_token",
            _ => "failed",
        }
    }

    /// Whether a retry may succeed: the server is busy, or its database is unavailable or has to be
    /// checked by the operator.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Contradicted
                | Self::Store(
                    store::Error::Unavailable(_)
                        | store::Error::ReadOnly
                        | store::Error::Full
                        | store::Error::Collision
                        | store::Error::Busy
                )
        )
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Busy => Self::Busy,
            error => Self::Store(error),
        }
    }
}

impl store::Fails for Error {
    fn store_error(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Invalid(fault.into())
    }
}
