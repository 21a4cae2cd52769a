//! Clients that send slowly or stop halfway.

use super::{FORM, assert_error, endpoints};
use crate::support::TestApp;
use crate::support::raw::Line;

fn begin(test: &TestApp, path: &str) -> Line {
    let mut line = test.line();
    line.send(format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 13\r\n\r\nclient"
    ));
    line
}

/// T-15: a slow client delays no other, and gets a response once its body is complete.
#[actix_web::test]
async fn slow_body_delays_no_other_client() {
    let test = TestApp::start().await;
    let token = test.token(&[]).await;
    let mut slow: Vec<Line> = (0..64).map(|_| begin(&test, "/auth/device")).collect();
    let halves: Vec<Line> = (0..16)
        .map(|_| {
            let mut line = test.line();
            line.send("POST /auth/device HTTP/1.1\r\nHos");
            line
        })
        .collect();
    assert_eq!(test.me(&token).await.status(), 200);
    test.device("tokens:read").await;
    for line in &mut slow[..8] {
        line.send("_id=cli");
        assert_eq!(line.answer().status, 200);
    }
    // Others disconnect halfway.
    drop((slow, halves));
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.count("device_grant", "client_id = 'cli'"), 10);
}

/// T-15: after ten seconds the server responds with an error in the endpoint's own form. All
/// endpoints are tested in parallel.
#[actix_web::test]
async fn unfinished_body_times_out() {
    let test = TestApp::start().await;
    let endpoints = endpoints(&test).await;
    let mut lines: Vec<_> = endpoints
        .iter()
        .map(|(path, _)| (*path, begin(&test, path)))
        .collect();
    let mut page = begin(&test, "/login");
    let mut head = test.line();
    head.send("GET /v1/me HTTP/1.1\r\nHos");
    for (path, line) in &mut lines {
        assert_error(&line.answer(), 408, "invalid_request", path);
    }
    let page = page.answer();
    assert_eq!(page.status, 408);
    let html = page.headers["content-type"].to_str().unwrap();
    assert!(html.starts_with("text/html"), "{html}");
    assert_eq!(head.answer().status, 408);
}
