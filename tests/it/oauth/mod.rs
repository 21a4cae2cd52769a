//! The OAuth endpoints and the resource endpoints, rule by rule.

mod authentication;
mod bad_input;
mod bearer;
mod error_form;
mod fuzz;
mod introspection;
mod kinds;
mod metadata;
mod outage;
mod pages;
mod parameters;
mod revocation;
mod slow;

use crate::support::device::{Answer, GRANT};
use crate::support::{API, CLI, TestApp};

/// A form that a test fills and changes.
pub type Fields = Vec<(&'static str, String)>;

/// The endpoints that take parameters, each with a valid form.
pub async fn endpoints(test: &TestApp) -> Vec<(&'static str, Fields)> {
    let device = test.device("tokens:read").await;
    let token = test.token(&["tokens:read"]).await;
    let cli = || ("client_id", CLI.to_owned());
    let poll = || {
        vec![
            ("grant_type", GRANT.to_owned()),
            cli(),
            ("device_code", device.device_code.clone()),
        ]
    };
    vec![
        ("/auth/device", vec![cli()]),
        ("/v1/auth/device", vec![cli()]),
        ("/auth/device/token", poll()),
        ("/v1/auth/device/token", poll()),
        (
            "/auth/introspect",
            vec![
                ("client_id", API.to_owned()),
                ("client_secret", test.api_secret.clone()),
                ("token", token.clone()),
            ],
        ),
        ("/auth/revoke", vec![cli(), ("token", token)]),
    ]
}

/// The fields as the test helpers send them.
pub fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// Sends a body of any type to an endpoint.
pub async fn send(
    test: &TestApp,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let request = test
        .anon()
        .post(test.at(path))
        .header("content-type", content_type)
        .body(body.into());
    Answer::of(request.send().await.unwrap()).await
}

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Asserts an error of RFC 6749 section 5.2: uncached JSON with only the allowed characters.
#[track_caller]
pub fn assert_error(answer: &Answer, status: u16, error: &str, about: &str) {
    assert_eq!(
        (answer.status, answer.error()),
        (status, error),
        "{about}: {answer:?}"
    );
    assert_is_error(answer, about);
}

/// Asserts any error of RFC 6749 section 5.2.
#[track_caller]
pub fn assert_is_error(answer: &Answer, about: &str) {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("content-type"), Some("application/json"), "{about}");
    assert_eq!(header("cache-control"), Some("no-store"), "{about}");
    assert_eq!(header("pragma"), Some("no-cache"), "{about}");
    assert!((400..500).contains(&answer.status), "{about}: {answer:?}");
    for member in ["error", "error_description"] {
        let text = answer.body[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{about}: {answer:?}");
        let is_legal = |c| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        assert!(text.chars().all(is_legal), "{about}: {text}");
    }
    assert_eq!(answer.body.as_object().unwrap().len(), 2, "{about}");
}
