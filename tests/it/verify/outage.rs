//! Database outage: every request is denied, and no token is called invalid.

use super::{API, ORIGINAL};
use crate::support::TestApp;
use crate::support::device::Answer;

#[actix_web::test]
async fn without_its_database_the_server_responds_503() {
    let test = TestApp::with(API).await;
    let token = test.token(&["tokens:read"]).await;
    let outage = test.database.outage();
    let node = test.node_with(API, outage.url());
    let ask = async |path: &str, target: &str, token: Option<&str>| {
        let mut request = test.anon().get(node.at(path));
        if !target.is_empty() {
            request = request
                .header(ORIGINAL[0], "GET")
                .header(ORIGINAL[1], target);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    for (path, target) in [
        ("/auth/verify?scope=app:read", ""),
        ("/auth/verify", "/v1/regions"),
        ("/auth/verify", "/v1/status"),
        ("/auth/verify", "/v1/unnamed"),
        ("/auth/verify", "/v1/health"),
        ("/auth/verify/v1/regions", ""),
    ] {
        let answer = ask(path, target, Some(&token)).await;
        assert_eq!(answer.status, 503, "{path} {target}: {answer:?}");
        assert!(answer.headers.contains_key("retry-after"));
        assert!(!answer.headers.contains_key("www-authenticate"));
    }
    // A decision without a look-up needs no database.
    assert_eq!(ask("/auth/verify", "/v1/health", None).await.status, 204);
    assert_eq!(ask("/auth/verify", "/v1/regions", None).await.status, 401);
    let operator = Some(crate::support::OPERATOR);
    assert_eq!(
        ask("/auth/verify", "/v1/status", operator).await.status,
        204
    );

    outage.end();
    let answer = ask("/auth/verify", "/v1/regions", Some(&token)).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}
