//! The kinds of problems of the management API (RFC 9457). The `type` of a problem is the URL of a
//! page below `/problems` that documents its kind.

use actix_web::http::StatusCode;

macro_rules! kinds {
    ($($name:ident = ($status:literal, $code:literal, $title:literal, $meaning:literal, $advice:literal),)+) => {
        /// Kind of problem. Codes and titles are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $meaning] $name,)+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Stable, machine-readable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Summary, the same for all problems of the kind.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Explanation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// Default remedy.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }

            /// HTTP status code.
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }
    };
}

kinds! {
    InvalidRequest = (400, "invalid_request", "Invalid request",
        "A header, the query or the path of the request is invalid.",
        "Correct the error that the detail describes."),
    InvalidJson = (400, "invalid_json", "Invalid JSON",
        "The body is not a JSON document: it is truncated, has trailing data, or is not UTF-8.",
        "Send one JSON object."),
    InvalidCursor = (400, "invalid_cursor", "Invalid cursor",
        "The cursor was modified or belongs to another caller or list.",
        "Send `next_cursor` unchanged, or start without a cursor."),
    IdempotencyKeyRequired = (400, "idempotency_key_required", "Idempotency-Key required",
        "The POST request has no Idempotency-Key. With it, a repetition after a lost response has no second effect: for 24 hours, the same key gets the first response.",
        "Send `Idempotency-Key` with a new random value, such as a UUID, and repeat a request with the same value."),
    IdempotencyKeyInvalid = (400, "idempotency_key_invalid", "Idempotency-Key invalid",
        "The header Idempotency-Key is empty, repeated, longer than 255 characters, or has invalid characters.",
        "Send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID."),
    HttpsRequired = (400, "https_required", "HTTPS required",
        "The request came over plain http. Its token may be known to others.",
        "Use https and rotate the token."),
    Unauthorized = (401, "unauthorized", "No token",
        "The request has no token.",
        "Send a token in the header `Authorization: Bearer …`. Sign in on the command line, or create one on the Tokens page."),
    InvalidToken = (401, "invalid_token", "Invalid token",
        "The token is unknown, expired or revoked.",
        "Sign in again or use another token."),
    InsufficientScope = (403, "insufficient_scope", "Scope missing",
        "The token lacks the scope that the request needs, or the role of its owner does not allow the scope. The header WWW-Authenticate names the scope.",
        "Use a token that has the scope."),
    Forbidden = (403, "forbidden", "Not allowed",
        "The caller has no access to the resource, its role is too low, or its token is limited to other resources.",
        "Ask an owner or admin of the organization, or use another token."),
    OperatorRequired = (403, "operator_required", "Operator token required",
        "The endpoint accepts only the operator token.",
        "Use the operator token."),
    PlanRequired = (403, "plan_required", "Plan required",
        "The plan of the organization does not include the requested feature.",
        "Ask the operator to change the plan of the organization."),
    Policy = (403, "policy", "Policy violation",
        "The policy of the organization does not allow the request.",
        "Change the request to comply with the policy, or ask an owner to change the policy."),
    NotFound = (404, "not_found", "Not found",
        "No resource exists at this path.",
        "Check the path and the ids in it."),
    MethodNotAllowed = (405, "method_not_allowed", "Method not allowed",
        "The endpoint does not accept this method.",
        "Use a method that the header Allow lists."),
    RequestTimeout = (408, "request_timeout", "Request timeout",
        "The body arrived too slowly. Nothing changed.",
        "Try again."),
    Conflict = (409, "conflict", "Conflict",
        "The request conflicts with the current state of the resource.",
        "Get the current state and send a request that fits it."),
    IdempotencyInProgress = (409, "idempotency_in_progress", "Request in progress",
        "The server is still processing a request with this Idempotency-Key.",
        "Repeat the request after the seconds in Retry-After to get the response of the first one."),
    PayloadTooLarge = (413, "payload_too_large", "Body too large",
        "The body is larger than 16 KiB.",
        "Send a smaller body."),
    UnsupportedMediaType = (415, "unsupported_media_type", "Unsupported media type",
        "The media type of the body is not application/json.",
        "Send JSON, with the header `Content-Type: application/json`."),
    Invalid = (422, "invalid", "Invalid body",
        "The body is JSON but has faults. The member `errors` lists all of them, each with a JSON Pointer.",
        "Correct the faults that `errors` lists."),
    ConfigurationInvalid = (422, "configuration_invalid", "Invalid configuration",
        "The configuration of the server has faults. It was not reloaded, and nothing changed.",
        "Correct the faults in the configuration file and reload again."),
    IdempotencyKeyReused = (422, "idempotency_key_reused", "Idempotency-Key reused",
        "The Idempotency-Key was used for a request with another method, path or body. The order of keys in an object is irrelevant.",
        "Send a new Idempotency-Key with each new request."),
    TooManyRequests = (429, "too_many_requests", "Too many requests",
        "The caller exceeded a rate limit.",
        "Try again after the seconds in Retry-After."),
    Internal = (500, "internal", "Internal error",
        "The server has an internal error.",
        "Include the request id when you contact support."),
    Unavailable = (503, "unavailable", "Unavailable",
        "The server is busy or its database is unreachable. Nothing changed.",
        "Try again after the seconds in Retry-After."),
}

impl Kind {
    /// HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Kind with this code.
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// Path of the page that documents a kind.
pub fn path(code: &str) -> String {
    format!("/problems/{code}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_titles_of_kinds_are_unique() {
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
