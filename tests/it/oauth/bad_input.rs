//! Invalid input: each endpoint rejects it in its own form with a 4xx, and keeps serving all
//! other requests.

use super::{FORM, Fields, assert_error, assert_is_error, borrowed, endpoints, send};
use crate::support::device::Answer;
use crate::support::{CLI, TestApp};
use futures_util::future::join_all;

/// Fields whose values are not encoded, so that they can be malformed.
fn written(fields: &Fields, broken: usize, value: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (i, (name, good)) in fields.iter().enumerate() {
        body.extend_from_slice(name.as_bytes());
        body.push(b'=');
        body.extend_from_slice(if i == broken { value } else { good.as_bytes() });
        body.push(b'&');
    }
    body
}

/// DEV-08, T-15, API-07: invalid UTF-8 or percent-encoding is never repaired.
#[actix_web::test]
async fn malformed_text_is_rejected_in_every_field_of_every_endpoint() {
    let test = TestApp::start().await;
    let before = test.database.dump();
    let broken: [&[u8]; 12] = [
        b"%FF",
        b"%zz",
        b"%",
        b"%4",
        b"%00",
        b"a%00b",
        b"%C0%AF",
        b"%ED%A0%80",
        b"%F4%90%80%80",
        b"\xff\xfe",
        b"\0",
        b"\xc3",
    ];
    for (path, mut fields) in endpoints(&test).await {
        fields.push(("scope", "tokens:read".into()));
        fields.push(("device_name", "x".into()));
        fields.push(("token_type_hint", "x".into()));
        fields.push(("unknown", "x".into()));
        for i in 0..fields.len() {
            for value in broken {
                let body = written(&fields, i, value);
                let about = format!("{path} {}={value:?}", fields[i].0);
                let answer = send(&test, path, FORM, body).await;
                assert_error(&answer, 400, "invalid_request", &about);
            }
        }
        let name = send(&test, path, FORM, b"client_id=cli&%FF=x".to_vec()).await;
        assert_error(&name, 400, "invalid_request", path);
        let query = format!("{path}?x=%FF");
        let answer = test.oauth(&query, &borrowed(&fields)).await;
        assert_error(&answer, 400, "invalid_request", &query);
    }
    assert!(!before.is_empty());
    assert_eq!(test.count("device_grant", "1 = 1"), 2);
}

/// T-15: values that are well formed but meaningless.
#[actix_web::test]
async fn odd_values_are_rejected_in_every_field_of_every_endpoint() {
    let test = TestApp::start().await;
    let long = "x".repeat(12_000);
    let odd = [
        "' OR 1=1 --",
        "é\u{301}\u{202e}😀",
        "\r\nX-Evil: 1",
        "\u{feff}",
        " ",
        "../../etc/passwd",
        "null",
        "-1",
        "{}",
        &long,
    ];
    for (path, fields) in endpoints(&test).await {
        for i in 0..fields.len() {
            for value in odd {
                let mut fields = fields.clone();
                fields[i].1 = value.to_owned();
                let answer = test.oauth(path, &borrowed(&fields)).await;
                let about = format!("{path} {}={value:.20}", fields[i].0);
                // Any text may be introspected or revoked: it is simply no token.
                if fields[i].0 == "token" {
                    assert_eq!(answer.status, 200, "{about}: {answer:?}");
                } else {
                    assert_is_error(&answer, &about);
                }
            }
        }
        for (name, value) in [("scope", "a\tb"), ("scope", "é"), ("device_name", &long)] {
            let fields = [("client_id", CLI), (name, value)];
            let answer = test.oauth(path, &fields).await;
            assert_is_error(&answer, &format!("{path} {name}"));
        }
    }
}

/// T-15, DOS: ten megabytes are rejected immediately, with or without a Content-Length.
#[actix_web::test]
async fn too_large_body_is_rejected() {
    let test = TestApp::start().await;
    let huge = vec![b'a'; 10 * 1024 * 1024];
    let deep = "[".repeat(100_000);
    for (path, _) in endpoints(&test).await {
        let request = |length: &str, rest: &[u8]| {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n{length}\r\n\r\n"
            );
            [head.as_bytes(), rest].concat()
        };
        // With a Content-Length, and no body sent.
        let announced = test.raw(request("Content-Length: 10485760", b""));
        assert_error(&announced, 413, "invalid_request", path);
        // Without a Content-Length: in chunks, until the server stops reading.
        let chunk = [b"10000\r\n".as_slice(), &huge[..0x10000], b"\r\n"].concat();
        let chunked = test.raw(request("Transfer-Encoding: chunked", &chunk));
        assert_error(&chunked, 413, "invalid_request", path);
        // As an ordinary client sends it, with the whole body.
        for body in [huge.clone(), deep.clone().into_bytes()] {
            let answer = send(&test, path, FORM, body).await;
            assert_error(&answer, 413, "invalid_request", path);
        }
        // Just under the limit the body is read, but the form is invalid.
        let answer = send(&test, path, FORM, vec![b'&'; 16 * 1024]).await;
        assert_is_error(&answer, path);
        let answer = send(&test, path, FORM, vec![b'a'; 16 * 1024 + 1]).await;
        assert_error(&answer, 413, "invalid_request", path);
    }
    for path in ["/auth/device", "/auth/device/token"] {
        let answer = send(&test, path, "application/json", deep.clone()).await;
        assert_error(&answer, 413, "invalid_request", path);
    }
    for path in ["/login", "/device", "/setup"] {
        let request = test.anon().post(test.at(path)).header("content-type", FORM);
        let answer = request.body(huge.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 413, "{path}");
        let html = answer.headers()["content-type"].to_str().unwrap();
        assert!(html.starts_with("text/html"), "{path}");
    }
}

/// T-15: long and unusual headers.
#[actix_web::test]
async fn odd_headers_cause_no_error() {
    let test = TestApp::with("[device]\nlive_codes_per_source = 100").await;
    let long = "a".repeat(64 * 1024);
    for name in [
        "authorization",
        "cookie",
        "x-filler",
        "user-agent",
        "x-forwarded-for",
        "x-request-id",
        "accept",
        "prefer",
        "origin",
    ] {
        for (path, fields) in endpoints(&test).await {
            let request = test.anon().post(test.at(path)).header(name, &long);
            let answer = request.form(&borrowed(&fields)).send().await.unwrap();
            let answer = Answer::of(answer).await;
            assert!(answer.status < 500, "{path} {name}: {answer:?}");
            if answer.status >= 400 {
                assert_is_error(&answer, &format!("{path} {name}"));
            }
        }
        let me = test.anon().get(test.at("/v1/me")).header(name, &long);
        let me = me.send().await.unwrap();
        assert!(matches!(me.status().as_u16(), 400 | 401), "{name}: {me:?}");
        assert_eq!(me.headers()["content-type"], "application/problem+json");
    }
    let everything = vec![format!("X-Filler: {long}"); 4].join("\r\n");
    let answer = test.raw(format!("GET /v1/me HTTP/1.1\r\n{everything}\r\n\r\n"));
    assert_eq!(answer.status, 431);

    for value in [b"Basic \xff\xfe".as_slice(), b"Bearer \xff", b"\xff"] {
        for path in ["/auth/introspect", "/auth/device", "/v1/me"] {
            let verb = if path == "/v1/me" { "GET" } else { "POST" };
            let head = format!(
                "{verb} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 13\r\nAuthorization: "
            );
            let answer = test.raw([head.as_bytes(), value, b"\r\n\r\nclient_id=cli"].concat());
            assert_eq!(answer.status, 400, "{path} {value:?} {answer:?}");
            let code = answer.body["error"]
                .as_str()
                .or(answer.body["code"].as_str());
            assert_eq!(code, Some("invalid_request"), "{path} {value:?}");
        }
    }
}

/// T-15: data other than HTTP, and two interpretations of one length.
#[actix_web::test]
async fn invalid_http_is_rejected() {
    let test = TestApp::start().await;
    let post = "POST /auth/device HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for garbage in [
        "garbage\r\n\r\n".to_owned(),
        "GET /v1/me\r\n\r\n".to_owned(),
        "GET /v1/me HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n".to_owned(),
        format!("{post}Content-Length: x\r\n\r\nclient_id=cli"),
        format!("{post}Content-Length: 13\r\nContent-Length: 14\r\n\r\nclient_id=cli"),
        format!("{post}Content-Length: -1\r\n\r\nclient_id=cli"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 13\r\n\r\nclient_id=cli"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ] {
        let answer = test.raw(&garbage);
        assert_eq!(answer.status, 400, "{garbage:?}: {answer:?}");
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
    assert_eq!(test.me("x").await.status(), 401);
}

/// T-15: the resource endpoints respond with problem details.
#[actix_web::test]
async fn resource_endpoints_respond_with_problem_details() {
    let test = TestApp::start().await;
    let token = test.token(&[]).await;
    for (method, path, status, code) in [
        ("POST", "/v1/me", 405, "method_not_allowed"),
        ("DELETE", "/v1/scopes", 405, "method_not_allowed"),
        ("BREW", "/v1/me", 405, "method_not_allowed"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/me/", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/%00", 404, "not_found"),
        ("GET", "/v1/%ff%fe", 404, "not_found"),
        ("GET", "/v1/..%2fauth", 404, "not_found"),
        ("POST", "/v1/me?x=%FF", 405, "method_not_allowed"),
    ] {
        let request = test
            .anon()
            .request(method.parse().unwrap(), test.at(path))
            .bearer_auth(&token)
            .body("{\"a\":");
        let answer = Answer::of(request.send().await.unwrap()).await;
        let about = format!("{method} {path}: {answer:?}");
        assert_eq!(answer.status, status, "{about}");
        assert_eq!(answer.body["code"], code, "{about}");
        let kind = &answer.headers["content-type"];
        assert_eq!(kind, "application/problem+json", "{about}");
        if status == 405 {
            assert_eq!(answer.headers["allow"], "GET, HEAD", "{about}");
        }
        for member in ["type", "title", "detail", "request_id"] {
            assert!(answer.body[member].is_string(), "{about}");
        }
    }
    // Unknown query parameters are ignored here.
    for query in ["?limit=-1", "?x=%FF", "?&&&=", "?limit=1&limit=2"] {
        let me = test.anon().get(test.at(&format!("/v1/me{query}")));
        let me = me.bearer_auth(&token).send().await.unwrap();
        assert_eq!(me.status(), 200, "{query}");
    }
}

/// T-15: invalid requests of others delay no request.
#[actix_web::test]
async fn fifty_concurrent_bad_requests_all_get_a_response() {
    let test = TestApp::start().await;
    let token = test.token(&[]).await;
    let bad = (0..50).map(|i| {
        let body = vec![b'a' + (i % 20) as u8; 300 * i];
        send(&test, "/auth/device", FORM, body)
    });
    let good = (0..50).map(|_| test.me(&token));
    let (bad, good) = futures_util::future::join(join_all(bad), join_all(good)).await;
    for answer in bad {
        assert_is_error(&answer, "nonsense");
    }
    for answer in good {
        assert_eq!(answer.status(), 200);
    }
}
