//! Why a request gets no answer of its own. Handlers return a [`Failure`]; the surface of
//! the address writes it in its own form.

use super::api::problem::Kind;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use app::OAuthError;
use domain::audit::Action;
use wire::json;

/// Why a request failed.
#[derive(Debug)]
pub enum Failure {
    /// The use case refused.
    App(app::Error),
    /// The request cannot be read; what is wrong with it.
    Malformed(&'static str),
    /// The request came over plain http to a deployment that is reached by https.
    PlainHttp,
    /// The body is of another type than the address takes.
    UnsupportedMedia,
    /// The body is too large.
    TooLarge,
    /// The body came too slowly.
    TooSlow,
    /// There is nothing at this address.
    NotFound,
    /// The address does not take this method; those that it takes.
    MethodNotAllowed(String),
    /// The request has no token.
    NoToken,
    /// The token cannot be used.
    InvalidToken,
    /// The request comes from another site.
    CrossSite,
    /// The form was made for another session.
    StaleForm,
    /// The person must sign in first; where to go then.
    SignIn(String),
    /// A problem of the management API, and what to do about it this time.
    Problem(Kind, &'static str),
    /// The body of a call of the management API is wrong; every fault.
    Faults(Vec<json::Fault>),
    /// Something broke that should not; what, for the log.
    Internal(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.respond(self.status()).finish()
    }
}

impl From<app::Error> for Failure {
    fn from(error: app::Error) -> Self {
        Self::App(error)
    }
}

/// How long to wait before trying again when the server is busy or its database is away.
const RETRY_SECONDS: u64 = 2;

impl Failure {
    /// The status, unless a surface has a reason for another one.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::App(error) => match error {
                app::Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                app::Error::Unauthenticated => StatusCode::UNAUTHORIZED,
                app::Error::Forbidden(_) => StatusCode::FORBIDDEN,
                app::Error::ActorRequired | app::Error::ActorUnknown => StatusCode::BAD_REQUEST,
                app::Error::NotFound => StatusCode::NOT_FOUND,
                app::Error::Conflict(_) | app::Error::InProgress => StatusCode::CONFLICT,
                app::Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                app::Error::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
                app::Error::OAuth(OAuthError::InvalidClient, _) => StatusCode::UNAUTHORIZED,
                app::Error::OAuth(..) => StatusCode::BAD_REQUEST,
                error if error.is_passing() => StatusCode::SERVICE_UNAVAILABLE,
                app::Error::Busy | app::Error::Store(_) | app::Error::Outside(_) => {
                    StatusCode::INTERNAL_SERVER_ERROR
                }
            },
            Self::Malformed(_) | Self::PlainHttp => StatusCode::BAD_REQUEST,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::CrossSite | Self::StaleForm => StatusCode::FORBIDDEN,
            Self::SignIn(_) => StatusCode::SEE_OTHER,
            Self::Problem(kind, _) => kind.status(),
            Self::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Seconds until it makes sense to try again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::App(app::Error::Throttled(wait)) => {
                // Rounded up: whoever comes back at the named second must not be too early.
                Some(
                    u64::try_from(wait.num_milliseconds().max(0))
                        .unwrap_or(0)
                        .div_ceil(1000),
                )
            }
            Self::App(app::Error::InProgress) => Some(RETRY_SECONDS),
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_SECONDS),
            _ => None,
        }
    }

    /// What the audit log calls it, and why, if no other record tells of it.
    pub fn refusal(&self) -> Option<(Action, &'static str)> {
        match self {
            Self::CrossSite => Some((Action::FormRefused, "cross_site")),
            Self::StaleForm => Some((Action::FormRefused, "stale_form")),
            Self::App(app::Error::Throttled(_)) => {
                Some((Action::RequestLimited, Kind::TooManyRequests.code()))
            }
            Self::App(app::Error::Forbidden(denial)) => {
                Some((Action::AccessRefused, denial.code()))
            }
            Self::App(app::Error::OAuth(
                error @ (OAuthError::InvalidClient | OAuthError::UnauthorizedClient),
                _,
            )) => Some((Action::AccessRefused, error.as_str())),
            Self::InvalidToken => Some((Action::AccessRefused, Kind::InvalidToken.code())),
            _ => None,
        }
    }

    /// Begins an answer: the status, and the headers that every surface sends with it.
    pub fn respond(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Self::MethodNotAllowed(allowed) = self {
            response.insert_header((header::ALLOW, allowed.as_str()));
        }
        response
    }

    /// The failure behind an answer: a handler's own, or what the framework answered by itself.
    pub fn of<B: MessageBody>(response: &ServiceResponse<B>) -> Option<Borrowed<'_>> {
        if let Some(error) = response.response().error() {
            return Some(match error.as_error::<Failure>() {
                Some(failure) => Borrowed::Ours(failure),
                None => Borrowed::Made(match response.status() {
                    StatusCode::NOT_FOUND => Failure::NotFound,
                    status if status.is_client_error() => {
                        Failure::Malformed("The request cannot be read.")
                    }
                    _ => Failure::Internal(error.to_string()),
                }),
            });
        }
        None
    }

    /// Writes what went wrong on our side into the log, once.
    pub fn log(&self, request_id: &str) {
        if self.status().is_server_error() {
            let cause = match self {
                Self::Internal(cause) => cause.clone(),
                failure => failure.to_string(),
            };
            tracing::error!(request_id, cause, "a request failed");
        }
    }
}

/// A failure that somebody else holds, or that was made on the spot.
pub enum Borrowed<'a> {
    /// Held by the answer.
    Ours(&'a Failure),
    /// Made for it.
    Made(Failure),
}

impl std::ops::Deref for Borrowed<'_> {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        match self {
            Self::Ours(failure) => failure,
            Self::Made(failure) => failure,
        }
    }
}
