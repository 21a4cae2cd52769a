//! Forms that no page sends: each gets a page with a suitable status.

use crate::support::browser::{Browser, Page};
use crate::support::{EMAIL, PASSWORD, TestApp};
use reqwest::Method;

/// Every path that takes a form, with an id if it needs one.
const FORMS: [&str; 11] = [
    "/setup",
    "/login",
    "/logout",
    "/device",
    "/device/decide",
    "/tokens/new",
    "/tokens/revoke-all",
    "/tokens/tok_x/revoke",
    "/account/name",
    "/account/password",
    "/account/sessions/ses_x/sign-out",
];

async fn send(browser: &mut Browser, path: &str, body: Vec<u8>) -> Page {
    let request = browser
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    browser.send(request).await
}

fn assert_page(page: &Page, status: u16, what: &str) {
    assert_eq!(page.status, status, "{what}: {}", page.body);
    assert_eq!(
        page.headers["content-type"], "text/html; charset=utf-8",
        "{what}"
    );
    assert!(page.contains("<h1>"), "{what}");
}

/// Bad input; DOS-01, T-15.
#[actix_web::test]
async fn unreadable_form_gets_an_error_page() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let csrf = browser.csrf.clone();
    let with_csrf = |rest: &[u8]| [format!("csrf={csrf}&").as_bytes(), rest].concat();
    let before = test.database.dump();
    for path in FORMS {
        let broken: [&[u8]; 7] = [
            b"name=%FF",
            b"name=%zz",
            b"name=%",
            b"name=a%00b",
            b"%00=1",
            b"name=%C0%AF",
            b"name=\xff\xfe",
        ];
        for rest in broken {
            let what = format!("{path} {:?}", String::from_utf8_lossy(rest));
            assert_page(&send(&mut browser, path, with_csrf(rest)).await, 400, &what);
        }
        for field in [
            "email",
            "name",
            "password",
            "user_code",
            "ticket",
            "decision",
            "expires",
            "csrf",
        ] {
            let doubled = with_csrf(format!("{field}=a&{field}=b").as_bytes());
            assert_page(
                &send(&mut browser, path, doubled).await,
                400,
                &format!("{path} {field} twice"),
            );
        }
        let large = with_csrf(format!("name={}", "x".repeat(16 * 1024)).as_bytes());
        assert_page(&send(&mut browser, path, large).await, 413, path);
        for empty in [b"".as_slice(), b"&&&", b"=", b"csrf"] {
            let page = send(&mut browser, path, empty.to_vec()).await;
            match path {
                // The sign-in form of another tab leads on, since the user is signed in.
                "/login" => assert_eq!(page.status, 303),
                _ => assert_page(&page, 403, path),
            }
        }
    }
    assert!(before == test.database.dump(), "something was written");
}

/// Bad input: a valid form without data.
#[actix_web::test]
async fn empty_form_gets_an_error_for_the_missing_fields() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    for (path, status, text) in [
        ("/setup", 404, "Setup is done"),
        ("/device", 422, "Enter the code that your device shows."),
        ("/device/decide", 400, "We could not read that request"),
        ("/tokens/new", 422, "Enter a name."),
        ("/tokens/tok_x/revoke", 404, "Page not found"),
        ("/account/name", 422, "Enter a name."),
        ("/account/password", 422, "Use at least 15 characters."),
        (
            "/account/sessions/ses_x/sign-out",
            404,
            "It no longer exists",
        ),
    ] {
        let page = browser.post(path, &[("unknown", "x"), ("empty", "")]).await;
        assert_page(&page, status, path);
        assert!(page.contains(text), "{path}: {}", page.body);
    }
    assert_page(&browser.clone().post("/login", &[]).await, 401, "/login");
    // Unknown fields are ignored.
    let mut fresh = test.browser();
    fresh.get("/login").await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("admin", "yes"),
        ("role", "owner"),
    ];
    assert_eq!(fresh.post("/login", &fields).await.status, 303);
}

/// Bad input: URLs.
#[actix_web::test]
async fn odd_urls_are_not_found() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let long = format!("/tokens/{}/revoke", "x".repeat(4000));
    for path in [
        "/tokens/%FF/revoke",
        "/tokens/%00/revoke",
        "/tokens/..%2f..%2faccount/revoke",
        "/tokens/tok_%F0%9F%92%A9/revoke",
        "/tokens//revoke",
        "/tokens/'%20OR%201=1/revoke",
        &long,
        "/account/",
        "/TOKENS",
        "/%2e%2e/etc/passwd",
        "/\u{e9}",
    ] {
        let page = browser.get(path).await;
        assert!(matches!(page.status, 400 | 404), "{path}: {}", page.status);
        assert_page(&page, page.status, path);
    }
    for path in [
        "/login?return_to=%FF",
        "/device?user_code=%zz",
        "/tokens?revoked=%00",
        "/setup?link=%C0%AF",
        "/account?done=%",
    ] {
        assert_page(&browser.clone().get(path).await, 400, path);
    }
    for path in [
        "/device?user_code=%F0%9F%92%A9%CC%81",
        "/tokens?revoked=tok_x",
        "/tokens?revoked-all=-1",
        "/tokens?revoked-all=99999999999999999999",
        "/account?done=x",
    ] {
        assert_page(&browser.get(path).await, 200, path);
    }
}
