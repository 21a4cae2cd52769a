//! Problem details (RFC 9457): the conversion of failures to problems.

use crate::web::challenge;
use crate::web::failure::Failure;
use crate::web::problem_kind::{Kind, path};
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use app::App;
use app::access::Denial;
use domain::MOST_FAULTS;
use domain::policy::Violation;
use std::borrow::Cow;
use wire::api::Problem;
use wire::json;

/// Media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";

const NO_ORGANIZATION: &str = "The user belongs to no organization that allows this token. Ask \
     to be invited to one, or limit the token to an organization of the user.";

const TOO_MANY_KEYS: &str = "The token, or all tokens of its owner together, sent too many new \
     Idempotency-Keys in a day. Repetitions of earlier requests still work. Send new ones after \
     the seconds in Retry-After.";

const PAUSED: &str = "The server refuses requests until its operator has checked the database. Nothing \
     changed. Ask the operator, or try again later.";

/// Kind and detail of a problem.
struct ProblemText<'a> {
    kind: Kind,
    detail: Cow<'a, str>,
    errors: Vec<json::Fault>,
    /// Scope that the request needs.
    scope: Option<&'a str>,
}

impl<'a> ProblemText<'a> {
    fn of(kind: Kind, detail: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            scope: None,
        }
    }

    fn faults(errors: Vec<json::Fault>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.detail.clone(),
            errors if errors.len() >= MOST_FAULTS => {
                "The body has many faults. Correct those that `errors` lists.".to_owned()
            }
            errors => format!(
                "The body has {} faults. Correct those that `errors` lists.",
                errors.len()
            ),
        };
        Self {
            errors,
            ..Self::of(Kind::Invalid, detail)
        }
    }

    fn scope(scope: &'a str) -> Self {
        Self {
            scope: Some(scope),
            ..Self::of(
                Kind::InsufficientScope,
                format!("The token lacks the scope {scope}. Use a token that has it."),
            )
        }
    }
}

fn tell(failure: &Failure) -> ProblemText<'_> {
    let usual = |kind: Kind| ProblemText::of(kind, kind.advice());
    match failure {
        Failure::App(error) => match error {
            app::Error::Invalid(faults) => {
                ProblemText::faults(faults.iter().cloned().map(Into::into).collect())
            }
            app::Error::Conflict(what) => ProblemText::of(Kind::Conflict, *what),
            app::Error::Configuration(faults) => {
                ProblemText::of(Kind::ConfigurationInvalid, faults.as_str())
            }
            app::Error::OAuth(_, what) => ProblemText::of(Kind::InvalidRequest, *what),
            app::Error::Unauthenticated => usual(Kind::InvalidToken),
            app::Error::Forbidden(denial) => match denial {
                Denial::Scope(scope) => ProblemText::scope(scope.as_str()),
                Denial::UnknownScope => ProblemText::of(
                    Kind::InsufficientScope,
                    "No token of this server has the scope of this request. Use the console, or the operator token.",
                ),
                Denial::NoAccess => usual(Kind::Forbidden),
                Denial::NoOrganization => ProblemText::of(Kind::Forbidden, NO_ORGANIZATION),
                Denial::Limited => ProblemText::of(
                    Kind::Forbidden,
                    "The token is limited to another organization or to other projects. Use another token.",
                ),
                Denial::Role(role) => ProblemText::of(
                    Kind::Forbidden,
                    format!(
                        "The request needs the role {} in the organization. Ask an owner for it.",
                        role.as_str()
                    ),
                ),
                Denial::BeyondToken => ProblemText::of(
                    Kind::Forbidden,
                    "The new token would exceed the scopes or limits of this token. Request fewer, or use another token.",
                ),
                Denial::Policy(Violation::Plan) => usual(Kind::PlanRequired),
                Denial::Policy(violation) => ProblemText::of(Kind::Policy, violation.explain()),
                Denial::OperatorRequired => usual(Kind::OperatorRequired),
                Denial::NotConfirmed(..) | Denial::UserRequired => usual(Kind::Forbidden),
                Denial::SessionRequired => ProblemText::of(
                    Kind::Forbidden,
                    "A token cannot make owners. Ask an owner to do it in the console.",
                ),
            },
            // Only users in browsers are asked to sign in again.
            app::Error::SignInTooOld => usual(Kind::Forbidden),
            app::Error::ActorRequired => ProblemText::of(
                Kind::InvalidRequest,
                "The request names no user to act for. Send the actor header.",
            ),
            app::Error::ActorUnknown => ProblemText::of(
                Kind::InvalidRequest,
                "The user in the actor header is unknown or deactivated. Name an active user.",
            ),
            app::Error::NotFound => usual(Kind::NotFound),
            app::Error::InProgress => usual(Kind::IdempotencyInProgress),
            app::Error::KeyReused => usual(Kind::IdempotencyKeyReused),
            app::Error::Throttled(_) => usual(Kind::TooManyRequests),
            app::Error::TooManyKeys(_) => ProblemText::of(Kind::TooManyRequests, TOO_MANY_KEYS),
            app::Error::Contradicted => ProblemText::of(Kind::Unavailable, PAUSED),
            error if error.is_passing() => usual(Kind::Unavailable),
            app::Error::Busy | app::Error::Store(_) | app::Error::Outside(_) => {
                usual(Kind::Internal)
            }
        },
        Failure::Denied(why) => ProblemText::of(Kind::Forbidden, *why),
        Failure::InvalidCursor => usual(Kind::InvalidCursor),
        Failure::InvalidJson => usual(Kind::InvalidJson),
        Failure::KeyRequired => usual(Kind::IdempotencyKeyRequired),
        Failure::KeyInvalid => usual(Kind::IdempotencyKeyInvalid),
        Failure::Faults(faults) => ProblemText::faults(faults.clone()),
        Failure::Malformed(what) => ProblemText::of(Kind::InvalidRequest, *what),
        Failure::Parameter(what) => ProblemText::of(Kind::InvalidRequest, what.clone()),
        Failure::PlainHttp => usual(Kind::HttpsRequired),
        Failure::UnsupportedMedia => usual(Kind::UnsupportedMediaType),
        Failure::TooLarge => usual(Kind::PayloadTooLarge),
        Failure::TooSlow => usual(Kind::RequestTimeout),
        Failure::NotFound => usual(Kind::NotFound),
        Failure::MethodNotAllowed(_) => usual(Kind::MethodNotAllowed),
        Failure::NoToken => usual(Kind::Unauthorized),
        Failure::InvalidToken => usual(Kind::InvalidToken),
        Failure::CrossSite
        | Failure::StaleForm
        | Failure::StaleSignIn(_)
        | Failure::SignInAgain(_)
        | Failure::SignIn(_)
        | Failure::FormAgain(..) => usual(Kind::Forbidden),
        Failure::Internal(_) => usual(Kind::Internal),
    }
}

/// Problem document of a failure.
pub fn document(app: &App, failure: &Failure, request_id: &str) -> Problem {
    let ProblemText {
        kind,
        detail,
        mut errors,
        ..
    } = tell(failure);
    let words = &app.config().branding.words;
    for error in &mut errors {
        error.detail = words.apply(&error.detail).into_owned();
    }
    Problem {
        kind: app.config().server.public_url.join(&path(kind.code())),
        title: kind.title().to_owned(),
        status: kind.number(),
        code: kind.code().to_owned(),
        detail: words.apply(&detail).into_owned(),
        request_id: request_id.to_owned(),
        errors,
    }
}

/// Builds the response for a failure.
pub fn write(app: &App, failure: &Failure, request_id: &str) -> HttpResponse {
    let problem = tell(failure);
    let mut response = failure.respond(problem.kind.status());
    if let Some(challenge) = challenge(app, &problem) {
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if problem.kind.status() == StatusCode::FORBIDDEN {
        response.extensions_mut().insert(Refused {
            code: problem.kind.code(),
            scope: problem.scope.map(str::to_owned),
        });
    }
    response
        .content_type(MEDIA_TYPE)
        .json(document(app, failure, request_id))
}

/// Marks a denied request, for the usage record of its token.
pub struct Refused {
    /// Code of the problem.
    pub code: &'static str,
    /// Scope that the request needs.
    pub scope: Option<String>,
}

/// Challenge for a problem (RFC 6750 section 3). Without a token it has no error.
fn challenge(app: &App, problem: &ProblemText<'_>) -> Option<String> {
    let error = match problem.kind {
        Kind::Unauthorized => String::new(),
        Kind::InvalidRequest | Kind::InvalidToken => {
            format!(r#", error="{}""#, problem.kind.code())
        }
        Kind::InsufficientScope => match problem.scope {
            Some(scope) => format!(r#", error="insufficient_scope", scope="{scope}""#),
            None => r#", error="insufficient_scope""#.to_owned(),
        },
        // RFC 6750 section 3.1 has only this code for missing privileges.
        kind if kind.status() == StatusCode::FORBIDDEN => {
            r#", error="insufficient_scope""#.to_owned()
        }
        _ => return None,
    };
    Some(challenge::challenge(app, &error))
}
