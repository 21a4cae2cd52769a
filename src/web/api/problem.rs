//! Problem details (RFC 9457): every kind of problem that the management API answers, in one
//! table, and how failures become problems. Each kind has a page below `/problems`, which its
//! `type` names.

use crate::web::failure::Failure;
use crate::web::oauth;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use app::App;
use app::caller::Denial;
use domain::policy::Violation;
use std::borrow::Cow;
use wire::api::Problem;
use wire::json;

/// The media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($name:ident = ($status:literal, $code:literal, $title:literal, $meaning:literal, $advice:literal),)+) => {
        /// A kind of problem. Codes and titles never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $meaning] $name,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable name, for programs.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The kind in words; the same for every problem of the kind.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// What to do about it, if nothing better is known.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }

            fn number(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }
    };
}

kinds! {
    InvalidRequest = (400, "invalid_request", "Invalid request",
        "A header, the query or the address cannot be read.",
        "Correct what the detail names."),
    InvalidJson = (400, "invalid_json", "Not JSON",
        "The body is no JSON document: it broke off, something follows it, or it is not UTF-8.",
        "Send one JSON object."),
    InvalidCursor = (400, "invalid_cursor", "Invalid cursor",
        "The cursor was changed, or was given to another caller or for another list.",
        "Send next_cursor as it came, or begin without a cursor."),
    IdempotencyKeyRequired = (400, "idempotency_key_required", "Idempotency-Key required",
        "Every POST needs the header Idempotency-Key, so that repeating it after a lost answer does nothing twice. For 24 hours, the same key gets the first answer again.",
        "Send `Idempotency-Key` with a new random value, such as a UUID, and repeat a call with the same one."),
    IdempotencyKeyInvalid = (400, "idempotency_key_invalid", "Idempotency-Key invalid",
        "The header Idempotency-Key is empty, longer than 255 characters, there twice, or holds characters that no key may have.",
        "Send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID."),
    HttpsRequired = (400, "https_required", "HTTPS required",
        "The request came over plain http. Its token may have been seen by others.",
        "Use https, and replace the token."),
    Unauthorized = (401, "unauthorized", "No token",
        "The request bears no token.",
        "Send a token in the header `Authorization: Bearer …`. `doorcode login` gets one."),
    InvalidToken = (401, "invalid_token", "Token refused",
        "The token is unknown, has expired or was revoked. Which of them is not told.",
        "Sign in again or use another token."),
    InsufficientScope = (403, "insufficient_scope", "Scope missing",
        "The token lacks the scope that the call needs, or its owner's role does not allow that scope now. The header WWW-Authenticate names the scope.",
        "Use a token that has the scope."),
    Forbidden = (403, "forbidden", "Not allowed",
        "The caller has no part in what the call is about, its role is too low, or its token is limited to something else.",
        "Ask an owner or admin of the organization, or use another token."),
    OperatorRequired = (403, "operator_required", "For the operator alone",
        "The address takes no token but the operator's.",
        "Use the operator token."),
    PlanRequired = (403, "plan_required", "Not in this plan",
        "The organization's plan does not include what was asked.",
        "Change the organization's plan."),
    Policy = (403, "policy", "Against the policy",
        "The organization's policy does not allow what was asked.",
        "Ask for what the policy allows, or have an owner change it."),
    NotFound = (404, "not_found", "Not found",
        "There is nothing at this address.",
        "Check the address and the ids in it."),
    MethodNotAllowed = (405, "method_not_allowed", "Method not allowed",
        "The address does not take this method.",
        "The header Allow lists the methods that it takes."),
    RequestTimeout = (408, "request_timeout", "Request too slow",
        "The body came too slowly. Nothing was done.",
        "Try again."),
    Conflict = (409, "conflict", "Conflict",
        "What was asked for contradicts what is there.",
        "Look at what is there, and ask for something that fits."),
    IdempotencyInProgress = (409, "idempotency_in_progress", "Call in progress",
        "The same call, by its Idempotency-Key, is at work already.",
        "Repeat the call after the seconds that Retry-After names; it gets the first one's answer."),
    PayloadTooLarge = (413, "payload_too_large", "Body too large",
        "The body is larger than 16 KiB.",
        "Send less."),
    UnsupportedMediaType = (415, "unsupported_media_type", "Unsupported media type",
        "The body is of another type than application/json.",
        "Send JSON, with the header `Content-Type: application/json`."),
    Invalid = (422, "invalid", "Invalid body",
        "The body is JSON, and something in it is wrong. The member `errors` names everything, each with a pointer to its place.",
        "Correct what `errors` names."),
    IdempotencyKeyReused = (422, "idempotency_key_reused", "Idempotency-Key reused",
        "The Idempotency-Key was used for another call: another method, address or body. The order of keys in an object makes no difference.",
        "Send a new Idempotency-Key with each new call."),
    TooManyRequests = (429, "too_many_requests", "Too many requests",
        "Something was tried too often.",
        "Come back after the seconds that Retry-After names."),
    Internal = (500, "internal", "Internal error",
        "Something went wrong on our side.",
        "Name the request id when you ask for help."),
    Unavailable = (503, "unavailable", "Unavailable",
        "The server is busy or its database is away. Nothing was done.",
        "Try again after the seconds that Retry-After names."),
}

impl Kind {
    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The kind of this code.
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// Where a kind's page is.
pub fn path(code: &str) -> String {
    format!("/problems/{code}")
}

/// A failure as a problem: its kind, and what to do about it this time.
struct ProblemText<'a> {
    kind: Kind,
    detail: Cow<'a, str>,
    errors: Vec<json::Fault>,
    /// The scope that would have been needed.
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
            errors => format!("There are {} faults; `errors` names each.", errors.len()),
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
                format!("The call needs a token with the scope {scope}."),
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
            app::Error::OAuth(_, what) => ProblemText::of(Kind::InvalidRequest, *what),
            app::Error::Unauthenticated => usual(Kind::InvalidToken),
            app::Error::Forbidden(denial) => match denial {
                Denial::Scope(scope) => ProblemText::scope(scope.as_str()),
                Denial::UnknownScope => usual(Kind::InsufficientScope),
                Denial::NoAccess => usual(Kind::Forbidden),
                Denial::Limited => ProblemText::of(
                    Kind::Forbidden,
                    "The token is limited to another organization or to other projects. Use one that is not.",
                ),
                Denial::Role(role) => ProblemText::of(
                    Kind::Forbidden,
                    format!("This takes the role {} in the organization.", role.as_str()),
                ),
                Denial::BeyondToken => ProblemText::of(
                    Kind::Forbidden,
                    "A token can only give scopes and reach that it has itself. Ask for less, or use a token that has them.",
                ),
                Denial::Policy(Violation::Plan) => usual(Kind::PlanRequired),
                Denial::Policy(violation) => ProblemText::of(Kind::Policy, violation.explain()),
                Denial::OperatorRequired => usual(Kind::OperatorRequired),
            },
            app::Error::ActorRequired => ProblemText::of(
                Kind::InvalidRequest,
                "Name the person that you act for in the header for actors.",
            ),
            app::Error::ActorUnknown => ProblemText::of(
                Kind::InvalidRequest,
                "The person in the header for actors is unknown or deactivated.",
            ),
            app::Error::NotFound => usual(Kind::NotFound),
            app::Error::InProgress => usual(Kind::IdempotencyInProgress),
            app::Error::KeyReused => usual(Kind::IdempotencyKeyReused),
            app::Error::Throttled(_) => usual(Kind::TooManyRequests),
            error if error.is_passing() => usual(Kind::Unavailable),
            app::Error::Busy | app::Error::Store(_) | app::Error::Outside(_) => {
                usual(Kind::Internal)
            }
        },
        Failure::Problem(kind, detail) => ProblemText::of(*kind, *detail),
        Failure::Faults(faults) => ProblemText::faults(faults.clone()),
        Failure::Malformed(what) => ProblemText::of(Kind::InvalidRequest, *what),
        Failure::PlainHttp => usual(Kind::HttpsRequired),
        Failure::UnsupportedMedia => usual(Kind::UnsupportedMediaType),
        Failure::TooLarge => usual(Kind::PayloadTooLarge),
        Failure::TooSlow => usual(Kind::RequestTimeout),
        Failure::NotFound => usual(Kind::NotFound),
        Failure::MethodNotAllowed(_) => usual(Kind::MethodNotAllowed),
        Failure::NoToken => usual(Kind::Unauthorized),
        Failure::InvalidToken => usual(Kind::InvalidToken),
        Failure::CrossSite | Failure::StaleForm | Failure::SignIn(_) => usual(Kind::Forbidden),
        Failure::Internal(_) => usual(Kind::Internal),
    }
}

/// The document of a failure.
pub fn document(app: &App, failure: &Failure, request_id: &str) -> Problem {
    let ProblemText {
        kind,
        detail,
        errors,
        ..
    } = tell(failure);
    Problem {
        kind: app.config().server.public_url.join(&path(kind.code())),
        title: kind.title().to_owned(),
        status: kind.number(),
        code: kind.code().to_owned(),
        detail: detail.into_owned(),
        request_id: request_id.to_owned(),
        errors,
    }
}

/// Answers a failure.
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

/// That a call was refused, for the record of its token's uses.
pub struct Refused {
    /// The code of the problem.
    pub code: &'static str,
    /// The scope that would have been needed.
    pub scope: Option<String>,
}

/// What RFC 6750 section 3 has to say of a problem. Without a token there is no error to name.
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
        // RFC 6750 section 3.1 has this one name for all that takes higher privileges.
        kind if kind.status() == StatusCode::FORBIDDEN => {
            r#", error="insufficient_scope""#.to_owned()
        }
        _ => return None,
    };
    Some(oauth::challenge(app, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_a_code_and_a_title_of_its_own() {
        let codes: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let titles: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.title()).collect();
        assert_eq!(
            (codes.len(), titles.len()),
            (Kind::ALL.len(), Kind::ALL.len())
        );
        for kind in Kind::ALL {
            let is_legal = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(kind.code().chars().all(is_legal), "{kind:?}");
            assert_eq!(kind.status().as_u16(), kind.number());
            assert!(!kind.status().is_success(), "{kind:?}");
            assert!(kind.meaning().ends_with('.') && kind.advice().ends_with('.'));
            assert_eq!(Kind::find(kind.code()), Some(*kind));
        }
    }
}
