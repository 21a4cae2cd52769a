//! Advice about the proxy in front of the server.

use crate::support::deployment::Deployment;
use crate::support::http;

/// A header that is ignored is logged once, and not for each request.
#[actix_web::test]
async fn ignored_forwarded_address_is_logged_once() {
    let deployment = Deployment::new();
    let server = deployment.start();
    assert_eq!(deployment.status("/login").await, 200);
    for value in ["", " , ,", "203.0.113.7", "unknown", "203.0.113.8"] {
        let request = http()
            .get(deployment.at("/login"))
            .header("x-forwarded-for", value);
        assert_eq!(request.send().await.unwrap().status(), 200, "{value}");
    }
    server.signal("TERM");
    let finished = server.finish().exited(0);
    let warnings = finished
        .stderr
        .matches("X-Forwarded-For is ignored: its sender is not in [server] trusted_proxies")
        .count();
    assert_eq!(warnings, 1, "{finished:?}");
}
