//! Envoy sends the method and path of the original request below `/auth/verify/`.

use super::{Api, ORIGINAL, assert_forbidden, assert_lacks, assert_no, header};
use crate::support::OPERATOR;
use reqwest::Method;

#[actix_web::test]
async fn method_and_path_are_those_of_the_original_request() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let ask = async |method: &str, path: &str, token: Option<&str>| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        api.send(method, &format!("/auth/verify{path}"), &[], token)
            .await
    };
    let deploys = format!("/v1/projects/{}/deploys", api.website.id);
    let project = format!("/v1/projects/{}", api.website.id);
    for (method, path) in [
        ("GET", "/v1/apps"),
        ("HEAD", "/v1/apps"),
        ("GET", "/v1/apps?page=2&scope=app:deploy"),
        ("GET", project.as_str()),
        ("PURGE", "/v1/cache"),
        ("GET", "/v1/health"),
        ("OPTIONS", "/v1/status"),
    ] {
        let answer = ask(method, path, Some(&token)).await;
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(header(&answer, "x-auth-token-kind"), Some("personal"));
    }
    assert_lacks(
        &ask("POST", &deploys, Some(&token)).await,
        "app:deploy",
        "POST",
    );
    assert_forbidden(&ask("GET", "/v1/status", Some(&token)).await, "operator");
    assert_eq!(ask("GET", "/v1/status", Some(OPERATOR)).await.status, 200);
    assert_no(&ask("GET", "/v1/apps", None).await, 401, "", "no token");
    for path in ["/", "/v1", "/v1/unnamed", "/auth/verify/v1/health"] {
        for known in [token.as_str(), OPERATOR] {
            assert_forbidden(&ask("GET", path, Some(known)).await, path);
        }
    }

    // The headers of other proxies and the query are ignored here.
    let headers = [(ORIGINAL[0], "GET"), (ORIGINAL[1], "/v1/health")];
    let path = "/auth/verify/v1/status?scope=app:read";
    let answer = api.ask(path, &headers, Some(&token)).await;
    assert_forbidden(&answer, "headers");
    let path = "/auth/verify/v1/unnamed?scope=app:read";
    assert_forbidden(&api.ask(path, &[], Some(&token)).await, "query");
}

/// Raw bytes that no client library sends.
#[actix_web::test]
async fn other_spellings_of_the_path_are_denied() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    for (method, target) in [
        ("GET", "/auth/verify//v1/health"),
        ("GET", "/auth/verify/v1//health"),
        ("GET", "/auth/verify/v1/health/"),
        ("GET", "/auth/verify/v1/./health"),
        ("GET", "/auth/verify/v1/x/../health"),
        ("GET", "/auth/verify/v1/x/%2e%2e/health"),
        ("GET", "/auth/verify/v1%2Fhealth"),
        ("GET", "/auth/verify%2Fv1/health"),
        ("GET", "/auth/verify/v1%2fhealth"),
        ("GET", "/auth/verify/v1%5Chealth"),
        ("GET", "/auth/verify/v1/health%3Fx"),
        ("GET", "/auth/verify/v1/health;x"),
        ("GET", "/auth/verify/v1/health%00"),
        ("GET", "/auth/verify/v1/%2568ealth"),
        ("GET", "/auth/verify/v1/Health"),
        ("get", "/auth/verify/v1/health"),
        ("GET", "/auth/verif%79/v1/health"),
        ("GET", "/%61uth/verify/v1/health"),
        ("GET", "/auth/verify/../verify/v1/health"),
        ("GET", "/auth//verify/v1/health"),
        ("GET", "//auth/verify/v1/health"),
        ("GET", "/auth/../auth/verify/v1/health"),
    ] {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let answer = api.test.raw(request);
        assert!(
            (400..500).contains(&answer.status),
            "{method} {target}: {answer:?}"
        );
        if target.starts_with("/auth/verify/") {
            assert_forbidden(&answer, target);
        }
    }
    // An absolute form names this server, and then a path.
    let request = format!(
        "GET http://x/auth/verify/v1/apps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    assert_eq!(api.test.raw(request).status, 200);
}
