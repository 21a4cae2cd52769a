//! Other spellings of a request, and ambiguous headers.

use super::{Api, FORWARDED, ORIGINAL, assert_forbidden, assert_yes};
use crate::support::OPERATOR;

#[actix_web::test]
async fn other_spellings_of_a_request_are_denied() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    for asked in [
        ("GET", "/v1//apps"),
        ("GET", "//v1/apps"),
        ("GET", "/v1/apps/"),
        ("GET", "/v1/apps/?page=2"),
        ("GET", "/v1/./apps"),
        ("GET", "/v1/health/../apps"),
        ("GET", "/v1/health/../status"),
        ("GET", "/v1/health/%2e%2e/status"),
        ("GET", "/v1/health/%2E%2E/apps"),
        ("GET", "/v1/health/..%2Fstatus"),
        ("GET", "/v1%2Fapps"),
        ("GET", "/v1%2fhealth"),
        ("GET", "/v1%5Chealth"),
        ("GET", "/v1/health/..%ef%bc%8fstatus"),
        ("GET", "/v1/%EF%BD%93tatus"),
        ("GET", "/v1\\health"),
        ("GET", "/v1/health\\..\\status"),
        ("GET", "/v1/health;x=y"),
        ("GET", "/v1/status;/v1/health"),
        ("GET", "/v1/health%3Bx"),
        ("GET", "/v1/health%3F"),
        ("GET", "/v1/health#x"),
        ("GET", "/v1/health%00"),
        ("GET", "/v1/health%252e"),
        ("GET", "/v1/%zz"),
        ("GET", "/v1/Health"),
        ("GET", "/V1/health"),
        ("GET", "v1/health"),
        ("GET", " /v1/health x"),
        ("GET", "http://api.example.com/v1/health"),
        ("GET", "api.example.com:443"),
        ("GET", "*"),
        ("GET", ""),
        ("OPTIONS", "*"),
        ("get", "/v1/health"),
        ("Get", "/v1/apps"),
        ("options", "/v1/status"),
        ("", "/v1/health"),
        ("GET POST", "/v1/health"),
        ("GET,GET", "/v1/health"),
        ("*", "/v1/apps"),
    ] {
        for family in [ORIGINAL, FORWARDED] {
            for known in [token.as_str(), OPERATOR] {
                let answer = api.named(family, asked, Some(known)).await;
                assert_forbidden(&answer, &format!("{asked:?}"));
            }
            // Not even a public route is allowed.
            assert_eq!(
                api.named(family, asked, None).await.status,
                401,
                "{asked:?}"
            );
        }
    }
    for asked in [
        ("GET", "/v1/apps?/v1/../status"),
        ("GET", "/v1/%61pps"),
        ("GET", "/v1/apps?"),
    ] {
        let answer = api.route(asked, &token).await;
        match asked.1.contains('%') {
            // Some servers treat the two spellings as different.
            true => assert_eq!(answer.status, 204, "{asked:?}"),
            false => assert_yes(&answer, asked.1),
        }
    }
}

#[actix_web::test]
async fn ambiguous_headers_are_denied() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let [method, uri] = ORIGINAL;
    let [forwarded_method, forwarded_uri] = FORWARDED;
    for headers in [
        &[(uri, "/v1/health")][..],
        &[(method, "GET")],
        &[(method, "GET"), (forwarded_uri, "/v1/health")],
        &[(forwarded_method, "GET"), (uri, "/v1/health")],
        &[(method, "GET"), (uri, "/v1/health"), (uri, "/v1/health")],
        &[(method, "GET"), (method, "GET"), (uri, "/v1/health")],
        &[
            (method, "GET"),
            (uri, "/v1/health"),
            (forwarded_uri, "/v1/health"),
        ],
        &[
            (method, "GET"),
            (uri, "/v1/health"),
            (forwarded_method, "GET"),
            (forwarded_uri, "/v1/status"),
        ],
        &[
            (method, "GET"),
            (uri, "/v1/health"),
            (forwarded_method, "POST"),
            (forwarded_uri, "/v1/health"),
        ],
        &[(method, "GET"), (uri, "/v1/health\u{e9}")],
        &[],
    ] {
        for path in ["/auth/verify", "/auth/verify?scope=app:read"] {
            if headers.is_empty() && path.contains('?') {
                continue;
            }
            for known in [token.as_str(), OPERATOR] {
                let answer = api.ask(path, headers, Some(known)).await;
                assert_forbidden(&answer, &format!("{path} {headers:?}"));
            }
        }
    }
    let both = [
        (method, "GET"),
        (uri, "/v1/apps"),
        (forwarded_method, "GET"),
        (forwarded_uri, "/v1/apps"),
    ];
    let answer = api.ask("/auth/verify", &both, Some(&token)).await;
    assert_yes(&answer, "both families say the same");
}
