//! Responses that deny a request (RFC 6750 section 3).
//!
//! Proxies hand them to the callers of the API, whole or by their headers: nginx drops the body, so
//! the code and the description are in `X-Error-Code` and `X-Error-Description` too.

use crate::web::challenge::challenge;
use crate::web::failure::Failure;
use crate::web::links;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use app::App;
use app::access::Denial;
use config::{ErrorFormat, Verify};
use domain::id::TokenId;
use serde_json::json;
use std::time::Duration;
use wire::oauth::ErrorResponse;

/// A denied request.
pub(super) struct Refusal<'a> {
    status: StatusCode,
    /// Code of RFC 6750 section 3.1; `None` if the request has no token.
    error: Option<&'static str>,
    /// Exact code of the refusal.
    code: &'static str,
    /// Scope that the request needs.
    scope: Option<&'a str>,
    /// Token whose owner has to sign in again, and how recent the sign-in must be (RFC 9470).
    confirm: Option<(&'a TokenId, Duration)>,
    description: &'a str,
}

impl<'a> Refusal<'a> {
    /// Converts a failure; `None` for an error of the server.
    pub(super) fn of(failure: &'a Failure) -> Option<Self> {
        let unauthorized = |error: Option<&'static str>, description| Self {
            status: StatusCode::UNAUTHORIZED,
            error,
            code: error.unwrap_or("unauthorized"),
            scope: None,
            confirm: None,
            description,
        };
        let forbidden = |scope, description| Self {
            status: StatusCode::FORBIDDEN,
            error: Some("insufficient_scope"),
            code: code(failure),
            scope,
            confirm: None,
            description,
        };
        Some(match failure {
            Failure::NoToken => unauthorized(
                None,
                "The request has no token. Send Authorization: Bearer.",
            ),
            Failure::App(app::Error::Unauthenticated) | Failure::InvalidToken => unauthorized(
                Some("invalid_token"),
                "The token is unknown, expired or revoked. Use another token.",
            ),
            Failure::Malformed(what) => unauthorized(Some("invalid_request"), what),
            Failure::PlainHttp => unauthorized(
                Some("invalid_request"),
                "The request came over plain http. Use https.",
            ),
            Failure::App(app::Error::Forbidden(denial)) => match denial {
                Denial::Scope(scope) => {
                    forbidden(Some(scope.as_str()), "The token lacks the required scope.")
                }
                Denial::OperatorRequired => {
                    forbidden(None, "The request needs the operator token.")
                }
                Denial::NotConfirmed(token_id, max_age) => Self {
                    error: Some(denial.code()),
                    code: denial.code(),
                    confirm: Some((token_id, *max_age)),
                    ..unauthorized(
                        None,
                        "The request needs a recent sign-in of the token's owner. Open confirm_uri, \
                         sign in there and repeat the request.",
                    )
                },
                Denial::UserRequired => forbidden(
                    None,
                    "The request needs a recent sign-in of a user. Use a personal token.",
                ),
                Denial::Role(_) => forbidden(
                    None,
                    "The owner of the token needs a higher role for this request.",
                ),
                _ => forbidden(None, "The token does not permit this request."),
            },
            Failure::App(app::Error::ActorUnknown) => forbidden(
                None,
                "The user in the actor header is unknown or deactivated. Name an active user.",
            ),
            Failure::KeyRequired => Self {
                error: Some("invalid_request"),
                ..forbidden(
                    None,
                    "The request needs an Idempotency-Key. Send the header.",
                )
            },
            Failure::KeyInvalid => Self {
                error: Some("invalid_request"),
                ..forbidden(
                    None,
                    "The Idempotency-Key is invalid. Send it once, with 1 to 255 characters.",
                )
            },
            Failure::Denied(why) => forbidden(None, why),
            failure if failure.status().is_server_error() => return None,
            _ => forbidden(None, "The token does not permit this request."),
        })
    }

    /// The code that the configuration has instead. The code of an invalid request stays: no
    /// token changes anything about it.
    fn replacement<'b>(&self, verify: &'b Verify) -> Option<&'b str> {
        match self.status {
            // Clients act on this one.
            StatusCode::UNAUTHORIZED if self.confirm.is_some() => None,
            StatusCode::UNAUTHORIZED => verify.code_401.as_deref(),
            _ if self.error == Some("invalid_request") => None,
            _ => verify.code_403.as_deref(),
        }
    }
}

/// Exact code of a request that is denied with 403.
pub(super) fn code(failure: &Failure) -> &'static str {
    match failure {
        Failure::App(app::Error::Forbidden(denial)) => denial.code(),
        Failure::App(app::Error::ActorUnknown) => "actor_unknown",
        Failure::KeyRequired => "idempotency_key_required",
        Failure::KeyInvalid => "idempotency_key_invalid",
        _ => "forbidden",
    }
}

/// Writes a failure in the configured form, with a challenge.
pub(super) fn write(app: &App, failure: &Failure, request_id: &str) -> HttpResponse {
    let Some(refusal) = Refusal::of(failure) else {
        return super::super::write(app, failure);
    };
    let error = refusal.error.map(|error| format!(r#", error="{error}""#));
    let scope = refusal.scope.map(|scope| format!(r#", scope="{scope}""#));
    let confirm = refusal.confirm.map(|(token_id, max_age)| {
        let seconds = max_age.as_secs();
        let uri = links::absolute(app, &links::confirmation_path(token_id, seconds));
        format!(r#", max_age="{seconds}", confirm_uri="{uri}""#)
    });
    let wrong = [error, scope, confirm]
        .into_iter()
        .flatten()
        .collect::<String>();
    let verify = &app.config().verify;
    let replacement = refusal.replacement(verify);
    let code = replacement.unwrap_or(refusal.code);
    let mut response = HttpResponse::build(refusal.status);
    response
        .insert_header((header::WWW_AUTHENTICATE, challenge(app, &wrong)))
        .insert_header(("x-error-code", code))
        .insert_header(("x-error-description", refusal.description));
    match verify.errors {
        ErrorFormat::OAuth => response.json(ErrorResponse {
            error: replacement
                .or(refusal.error)
                .unwrap_or("unauthorized")
                .to_owned(),
            error_description: Some(refusal.description.to_owned()),
        }),
        ErrorFormat::Code => response.json(json!({
            "code": code,
            "message": refusal.description,
            "request_id": request_id,
        })),
        ErrorFormat::Problem => response
            .content_type("application/problem+json")
            .json(json!({
                "title": refusal.status.canonical_reason(),
                "status": refusal.status.as_u16(),
                "code": code,
                "detail": refusal.description,
                "request_id": request_id,
            })),
    }
}
