//! Failed requests. Handlers return a [`Failure`]; the surface of the route writes it in its own
//! form.

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
    /// The use case failed.
    App(app::Error),
    /// The request cannot be parsed; holds the reason.
    Malformed(&'static str),
    /// A parameter of the query is invalid; holds the name and the remedy.
    Parameter(String),
    /// The request came over plain http, but the public URL is https.
    PlainHttp,
    /// The route does not accept the media type of the body.
    UnsupportedMedia,
    /// The body is too large.
    TooLarge,
    /// The body arrived too slowly.
    TooSlow,
    /// No route matches, or the resource does not exist.
    NotFound,
    /// The route does not accept the method; holds the value of `Allow`.
    MethodNotAllowed(String),
    /// The request has no token.
    NoToken,
    /// The token is unknown or inactive.
    InvalidToken,
    /// The request comes from another site.
    CrossSite,
    /// The form belongs to another session.
    StaleForm,
    /// The sign-in form belongs to another browser; holds the path to return to after the sign-in.
    StaleSignIn(String),
    /// The form failed for this reason; its page, with this path and query, shows it again.
    FormAgain(Box<Failure>, String),
    /// The user must sign in first; holds the path to return to.
    SignIn(String),
    /// The sign-in is too old for the page; holds the path to return to.
    SignInAgain(String),
    /// The request is denied for this reason, with any token.
    Denied(&'static str),
    /// The cursor of a list is invalid.
    InvalidCursor,
    /// The body is not JSON.
    InvalidJson,
    /// The Idempotency-Key is missing.
    KeyRequired,
    /// The Idempotency-Key is malformed.
    KeyInvalid,
    /// The body of a management API request is invalid; holds every fault.
    Faults(Vec<json::Fault>),
    /// An internal error; holds the cause for the log.
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

impl Failure {
    /// Default HTTP status; a surface may use another one.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::App(error) => match error {
                app::Error::Invalid(_) | app::Error::Configuration(_) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                app::Error::Unauthenticated => StatusCode::UNAUTHORIZED,
                app::Error::Forbidden(_) | app::Error::SignInTooOld => StatusCode::FORBIDDEN,
                app::Error::ActorRequired | app::Error::ActorUnknown => StatusCode::BAD_REQUEST,
                app::Error::NotFound => StatusCode::NOT_FOUND,
                app::Error::Conflict(_) | app::Error::InProgress => StatusCode::CONFLICT,
                app::Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                app::Error::Throttled(_) | app::Error::TooManyKeys(_) => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                app::Error::OAuth(OAuthError::InvalidClient, _) => StatusCode::UNAUTHORIZED,
                app::Error::OAuth(..) => StatusCode::BAD_REQUEST,
                error if error.is_passing() => StatusCode::SERVICE_UNAVAILABLE,
                app::Error::Busy
                | app::Error::Contradicted
                | app::Error::Store(_)
                | app::Error::Outside(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Malformed(_)
            | Self::Parameter(_)
            | Self::PlainHttp
            | Self::InvalidCursor
            | Self::InvalidJson => StatusCode::BAD_REQUEST,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::KeyRequired | Self::KeyInvalid => StatusCode::BAD_REQUEST,
            Self::CrossSite | Self::StaleForm | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::SignIn(_) | Self::SignInAgain(_) | Self::StaleSignIn(_) | Self::FormAgain(..) => {
                StatusCode::SEE_OTHER
            }
            Self::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The failure itself, without the page that a form returns to.
    pub fn cause(&self) -> &Self {
        match self {
            Self::FormAgain(cause, _) => cause,
            failure => failure,
        }
    }

    /// Audit action and reason, unless another record already covers the failure.
    pub fn refusal(&self) -> Option<(Action, &'static str)> {
        match self {
            Self::CrossSite => Some((Action::FormRefused, "cross_site")),
            Self::StaleForm | Self::StaleSignIn(_) => Some((Action::FormRefused, "stale_form")),
            Self::App(app::Error::Throttled(_) | app::Error::TooManyKeys(_)) => {
                Some((Action::RequestLimited, "too_many_requests"))
            }
            Self::App(app::Error::Forbidden(denial)) => {
                Some((Action::AccessRefused, denial.code()))
            }
            Self::App(app::Error::OAuth(error @ OAuthError::InvalidClient, _)) => {
                Some((Action::AccessRefused, error.as_str()))
            }
            Self::InvalidToken => Some((Action::AccessRefused, "invalid_token")),
            _ => None,
        }
    }

    /// Starts a response with the status and the headers that all surfaces share.
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

    /// The failure behind a response, returned by a handler or derived from a framework error.
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

    /// Logs a server error, once.
    pub fn log(&self, request_id: &str) {
        if self.status().is_server_error() {
            let cause = match self {
                Self::Internal(cause) => cause.clone(),
                failure => failure.to_string(),
            };
            tracing::error!(request_id, cause, "request failed");
        }
    }
}

/// A failure that is borrowed from a response or owned.
pub enum Borrowed<'a> {
    /// Borrowed from the response.
    Ours(&'a Failure),
    /// Created for the response.
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
