//! The value of the header `Retry-After`.

use super::failure::Failure;
use actix_web::http::StatusCode;

/// Seconds while the server is busy or its database is unreachable.
const RETRY_SECONDS: u64 = 2;

/// Seconds while the operator has to act.
const OPERATOR_SECONDS: u64 = 30;

impl Failure {
    /// Seconds until a retry is useful.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::App(app::Error::Throttled(wait) | app::Error::TooManyKeys(wait)) => {
                // Rounded up: a retry after exactly this time must not be too early.
                Some(
                    u64::try_from(wait.num_milliseconds().max(0))
                        .unwrap_or(0)
                        .div_ceil(1000),
                )
            }
            Self::App(app::Error::InProgress) => Some(RETRY_SECONDS),
            Self::App(app::Error::Contradicted) => Some(OPERATOR_SECONDS),
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_SECONDS),
            _ => None,
        }
    }
}
