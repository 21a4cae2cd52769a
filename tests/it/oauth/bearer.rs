//! Bearer tokens at the resource endpoints (RFC 6750).

use crate::support::device::Answer;
use crate::support::{CLI, PROXY, TestApp};
use doorcode::domain::token;

const RESOURCES: [&str; 2] = ["/v1/me", "/v1/scopes"];

async fn with(test: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(test.anon().get(test.at(path)), |request, (name, value)| {
            request.header(*name, *value)
        });
    Answer::of(request.send().await.unwrap()).await
}

fn challenge(answer: &Answer) -> &str {
    answer.headers["www-authenticate"].to_str().unwrap()
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.body["code"], code, "{answer:?}");
    assert_eq!(answer.body["status"], status);
}

/// OAU-19.
#[actix_web::test]
async fn scheme_is_case_insensitive() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    for path in RESOURCES {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let value = format!("{scheme} {token}");
            let answer = with(&test, path, &[("authorization", &value)]).await;
            assert_eq!(answer.status, 200, "{scheme}: {answer:?}");
        }
    }
}

/// OAU-20, PAT-21.
#[actix_web::test]
async fn token_in_the_url_is_ignored_and_not_logged() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let answer = with(&test, &format!("/v1/me?access_token={token}"), &[]).await;
    assert_problem(&answer, 401, "unauthorized");
    assert!(!challenge(&answer).contains("error="));
    let page = test
        .anon()
        .get(test.at(&format!("/tokens?access_token={token}")))
        .send();
    assert_eq!(page.await.unwrap().status(), 303);
    assert!(!crate::support::log::text().contains(&token));
}

/// OAU-21.
#[actix_web::test]
async fn two_authorization_headers_are_rejected() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let bearer = format!("Bearer {token}");
    for second in [bearer.as_str(), "Basic eDp5", "Bearer other"] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("authorization", second),
        ];
        let answer = with(&test, "/v1/me", &headers).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    // A second token in the body is ignored.
    let request = test
        .anon()
        .get(test.at("/v1/me"))
        .form(&[("access_token", &token)]);
    assert_eq!(request.send().await.unwrap().status(), 401);
}

/// OAU-22, OAU-23, PRM-02: without a token there is no error code; every unusable token gets the
/// same response.
#[actix_web::test]
async fn rejection_does_not_reveal_the_reason() {
    let test = TestApp::with(PROXY).await;
    let mut user = test.user().await;
    let revoked = user.new_token("gone", &["tokens:read"], "never").await;
    let expired = user.new_token("old", &["tokens:read"], "30d").await;
    let orphan = user.new_token("orphan", &["tokens:read"], "never").await;
    let form = [("client_id", CLI), ("token", revoked.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    test.clock.advance(30 * 24 * 3600);
    test.database
        .execute("UPDATE users SET state = 'deactivated'");

    let metadata = test.at("/.well-known/oauth-protected-resource");
    let never_issued = token::write("dc", &[7; 20]);
    for path in RESOURCES {
        let none = with(&test, path, &[]).await;
        assert_problem(&none, 401, "unauthorized");
        let expected = format!(r#"Bearer realm="Doorcode", resource_metadata="{metadata}""#);
        assert_eq!(challenge(&none), expected);

        let mut answers = Vec::new();
        for bad in [
            revoked.as_str(),
            &expired,
            &orphan,
            never_issued.expose(),
            "garbage",
        ] {
            let value = format!("Bearer {bad}");
            let headers = [
                ("authorization", value.as_str()),
                ("x-request-id", "the-same-one"),
            ];
            let answer = with(&test, path, &headers).await;
            assert_problem(&answer, 401, "invalid_token");
            let expected = format!(
                r#"Bearer realm="Doorcode", error="invalid_token", resource_metadata="{metadata}""#
            );
            assert_eq!(challenge(&answer), expected);
            answers.push(answer.body);
        }
        assert!(
            answers.iter().all(|body| *body == answers[0]),
            "{answers:?}"
        );
    }
}

/// OAU-25.
#[actix_web::test]
async fn malformed_header_is_an_invalid_request() {
    let test = TestApp::start().await;
    let long = format!("Bearer {}", "a".repeat(9_000));
    for path in RESOURCES {
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer \"a\"",
            "Bearer a,b",
            &long,
        ] {
            let answer = with(&test, path, &[("authorization", bad)]).await;
            assert_problem(&answer, 400, "invalid_request");
            assert!(
                challenge(&answer).contains(r#"error="invalid_request""#),
                "{bad:.20}"
            );
        }
        // Another scheme is no bearer token at all.
        for other in ["Basic eDp5", "Negotiate x", "Bearerx"] {
            let answer = with(&test, path, &[("authorization", other)]).await;
            assert_problem(&answer, 401, "unauthorized");
        }
    }
}

/// OAU-24 needs a route that requires a scope; these require none.
#[actix_web::test]
async fn token_without_scopes_can_read_its_identity() {
    let test = TestApp::start().await;
    let token = test.user().await.new_token("bare", &[], "90d").await;
    let bearer = format!("Bearer {token}");
    for path in RESOURCES {
        let answer = with(&test, path, &[("authorization", &bearer)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}
