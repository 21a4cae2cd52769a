//! Limits of size and time, and ambiguous request boundaries.

use crate::support::TestApp;
use crate::support::exchange::statuses;

fn head(path: &str, headers: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: doorcode\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n").into_bytes()
}

/// DOS-01, T-15: a body beyond 16 KiB is not read, with or without a Content-Length.
#[actix_web::test]
async fn large_body_is_rejected_in_any_form() {
    let test = TestApp::start().await;
    let announced = test.exchange(&head("/login", "Content-Length: 10485760\r\n"));
    assert_eq!(statuses(&announced), [413]);
    assert!(announced.contains("You sent more than this page accepts"));

    let mut chunked = head("/login", "Transfer-Encoding: chunked\r\n");
    for _ in 0..20 {
        chunked.extend_from_slice(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = test.exchange(&chunked);
    assert_eq!(statuses(&answer), [413]);
    assert!(answer.contains("You sent more than this page accepts"));
    test.user().await;
}

/// DOS-01, T-15.
#[actix_web::test]
async fn large_and_many_headers_are_rejected() {
    let test = TestApp::start().await;
    let many: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "y".repeat(200 * 1024));
    for headers in [many, large] {
        let answer = test.exchange(&head("/login", &headers));
        assert!(matches!(statuses(&answer)[..], [400 | 431]), "{answer}");
    }
    test.user().await;
}

/// DOS-02: if a proxy and the server disagreed about the end of a request, its rest would start
/// another user's request.
#[actix_web::test]
async fn request_with_two_lengths_is_rejected() {
    let test = TestApp::start().await;
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 5\r\n X-Folded: 1\r\n",
    ] {
        let mut request = head("/login", headers);
        request.extend_from_slice(b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: doorcode\r\n\r\n");
        let answer = test.exchange(&request);
        assert_eq!(statuses(&answer), [400], "{headers:?}: {answer}");
    }
}

/// T-15: invalid HTTP is rejected without harm.
#[actix_web::test]
async fn invalid_http_is_rejected() {
    let test = TestApp::start().await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"GET /login HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /lo\xffgin HTTP/1.1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let statuses = statuses(&test.exchange(bytes));
        assert!(
            matches!(statuses[..], [] | [400 | 404]),
            "{bytes:?}: {statuses:?}"
        );
    }
    test.user().await;
}

/// DOS-01, T-15: slow clients are disconnected and delay no other client meanwhile.
#[actix_web::test]
async fn slow_client_is_disconnected() {
    let test = TestApp::start().await;
    let slow_body = [head("/login", "Content-Length: 100\r\n"), b"csrf=".to_vec()].concat();
    std::thread::scope(|scope| {
        let body = scope.spawn(|| test.exchange_unfinished(&slow_body));
        let head = scope.spawn(|| test.exchange_unfinished(b"GET /login HTTP/1.1\r\nHost: door"));
        let other =
            test.exchange(b"GET /login HTTP/1.1\r\nHost: doorcode\r\nConnection: close\r\n\r\n");
        assert_eq!(statuses(&other), [200], "others are served");
        assert!(!body.is_finished() && !head.is_finished());
        let answer = body.join().unwrap();
        assert_eq!(statuses(&answer), [408], "{answer}");
        assert!(answer.contains("<h1>"));
        assert_eq!(statuses(&head.join().unwrap()), [408]);
    });
}
