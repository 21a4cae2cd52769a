//! Why use cases fail.

use super::caller;
use domain::Fault;

/// Why a use case did not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// The input is wrong; every fault at once.
    Invalid(Vec<Fault>),
    /// The caller has not shown who it is, or not rightly.
    Unauthenticated,
    /// The caller is known, and may not do this.
    Forbidden(caller::Denial),
    /// The operator must name the person that it acts for.
    ActorRequired,
    /// The person that the operator acts for is unknown or deactivated.
    ActorUnknown,
    /// There is no such thing, or it is another's.
    NotFound,
    /// What was asked for contradicts what is there; in words for the person.
    Conflict(&'static str),
    /// Too many attempts: come back after this time.
    Throttled(chrono::Duration),
    /// The same call, by its Idempotency-Key, is at work already.
    InProgress,
    /// The Idempotency-Key was used for another call.
    KeyReused,
    /// An error that the OAuth specifications name.
    OAuth(OAuthError, &'static str),
    /// Too much is going on; nothing was done.
    Busy,
    /// A file or an address outside the database failed; in words for the operator.
    Outside(String),
    /// The database failed; nothing was done.
    Store(store::Error),
}

/// The error names of RFC 6749 section 5.2 and RFC 8628 section 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
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
    /// The registered name.
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
    /// The code of a refusal, as the record of a token's uses says it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(denial) => denial.code(),
            Self::Unauthenticated => "invalid_token",
            _ => "failed",
        }
    }

    /// Whether trying again soon may help: the server is busy, or its database is away.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Store(
                    store::Error::Unavailable(_) | store::Error::Collision | store::Error::Busy
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
        Self::Invalid(vec![fault])
    }
}
