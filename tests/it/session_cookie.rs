//! The session cookie: its attributes, and the names and values that are accepted.

use crate::support::browser::Page;
use crate::support::exchange::statuses;
use crate::support::{EMAIL, PASSWORD, TestApp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const HTTPS: &str = "[server]\npublic_url = \"https://doorcode.example\"";

/// Every cookie that a response sets: its name, its value and its attributes in lower case.
fn cookies(page: &Page) -> Vec<(String, String, Vec<String>)> {
    let all = page.headers.get_all("set-cookie").iter();
    all.map(|set| {
        let mut parts = set.to_str().unwrap().split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes = parts.map(str::to_lowercase).collect();
        (name.to_owned(), value.to_owned(), attributes)
    })
    .collect()
}

/// SES-02, HDR-02.
#[actix_web::test]
async fn cookies_are_inaccessible_to_scripts_and_other_sites() {
    for (settings, prefix, is_secure) in [("", "", false), (HTTPS, "__Host-", true)] {
        let test = TestApp::with(settings).await;
        let mut browser = test.browser();
        let first = browser.get("/login").await;
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        let signed_in = browser.post("/login", &fields).await;
        assert_eq!(signed_in.status, 303);
        browser.get("/account").await;
        let signed_out = browser.post("/logout", &[]).await;
        let mut names = Vec::new();
        for (name, value, attributes) in [&first, &signed_in, &signed_out]
            .into_iter()
            .flat_map(cookies)
        {
            let has = |attribute: &str| attributes.iter().any(|a| a == attribute);
            assert!(
                has("httponly") && has("samesite=lax") && has("path=/"),
                "{attributes:?}"
            );
            assert_eq!(has("secure"), is_secure);
            assert!(!attributes.iter().any(|a| a.starts_with("domain")));
            // Only random bytes: no name, no address, no time.
            assert!(
                value.is_empty()
                    || (value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()))
            );
            names.push(name);
        }
        let of = |name: &str| format!("{prefix}doorcode_{name}");
        let expected = ["visitor", "session", "known_browser", "visitor", "session"];
        assert_eq!(names, expected.map(of));
        assert_eq!(
            first.headers.contains_key("strict-transport-security"),
            is_secure
        );
        assert!(cookies(&signed_out)[0].2.contains(&"max-age=0".to_owned()));
    }
}

/// SES-01: a cookie planted by an attacker before the sign-in is useless after it.
#[actix_web::test]
async fn sign_in_starts_a_new_session_despite_an_existing_cookie() {
    let test = TestApp::start().await;
    let planted = "ab".repeat(32);
    let mut browser = test.browser();
    browser
        .cookies
        .insert("doorcode_session".into(), planted.clone());
    browser.sign_in(EMAIL, PASSWORD).await;
    let first = browser.cookies["doorcode_session"].clone();
    assert_ne!(first, planted);
    let mut attacker = test.browser();
    attacker.cookies.insert("doorcode_session".into(), planted);
    assert_eq!(attacker.get("/tokens").await.status, 303);

    // A second sign-in in the same browser ends the previous session.
    let mut visitor = browser.clone();
    visitor.get("/account").await;
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(visitor.post("/login", &fields).await.status, 303);
    let second = visitor.cookies["doorcode_session"].clone();
    assert_ne!(first, second);
    assert_eq!(
        browser.get("/tokens").await.status,
        303,
        "the first session is over"
    );
    assert_eq!(visitor.get("/tokens").await.status, 200);

    // Confirming the password for its change does so too.
    visitor.get("/account").await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "yellow anvil sleeps under"),
    ];
    let mut thief = visitor.clone();
    assert_eq!(visitor.post("/account/password", &fields).await.status, 303);
    assert_ne!(visitor.cookies["doorcode_session"], second);
    assert_eq!(visitor.get("/tokens").await.status, 200);
    assert_eq!(thief.get("/tokens").await.status, 303);

    let dump = test.database.dump();
    for secret in [&first, &second, &visitor.csrf] {
        assert!(!dump.contains(secret.as_str()), "it is stored as it is");
    }
}

/// SES-02: a sibling domain can set cookies, but none that begins with `__Host-`; so no other
/// name may be accepted for it.
#[actix_web::test]
async fn only_the_exact_cookie_name_is_accepted() {
    let test = TestApp::with(HTTPS).await;
    let session = test.user().await.cookies["__Host-doorcode_session"].clone();
    for (name, is_known) in [
        ("__Host-doorcode_session", true),
        ("doorcode_session", false),
        ("__%48ost-doorcode_session", false),
        ("__Host%2Ddoorcode_session", false),
        ("__Host-doorcode%5Fsession", false),
        ("__host-doorcode_session", false),
        ("__Secure-doorcode_session", false),
        ("\u{2003}__Host-doorcode_session", false),
    ] {
        let mut browser = test.browser();
        browser.cookies.insert(name.into(), session.clone());
        let expected = if is_known { 200 } else { 303 };
        assert_eq!(browser.get("/tokens").await.status, expected, "{name}");
    }
}

/// One request for a page with a cookie header of any bytes.
fn with_cookie(test: &TestApp, cookie: &[u8]) -> String {
    let mut request =
        b"GET /tokens HTTP/1.1\r\nHost: doorcode\r\nConnection: close\r\nCookie: ".to_vec();
    request.extend_from_slice(cookie);
    request.extend_from_slice(b"\r\n\r\n");
    test.exchange(&request)
}

/// Cookies of other applications on the same host end no session, however malformed.
#[actix_web::test]
async fn malformed_foreign_cookies_do_no_harm() {
    let test = TestApp::start().await;
    let session = test.user().await.cookies["doorcode_session"].clone();
    for odd in [
        b"=".as_slice(),
        b"lonely",
        b"a=%FF%zz",
        b"latin=caf\xe9",
        b"\xff\xfe=\xff",
        b"a=b; a=b",
        b"quoted=\"x;y\"",
        b";;; ;",
    ] {
        let mut cookie = odd.to_vec();
        cookie.extend_from_slice(format!("; doorcode_session={session}; z=1").as_bytes());
        let answer = with_cookie(&test, &cookie);
        assert_eq!(
            statuses(&answer),
            [200],
            "{:?}",
            String::from_utf8_lossy(odd)
        );
    }
}

/// Bad input: the cookie header. No bytes cause a server error or sign a user in.
#[actix_web::test]
async fn no_cookie_header_causes_a_server_error() {
    let test = TestApp::start().await;
    let config = Config {
        cases: 256,
        failure_persistence: None,
        ..Config::default()
    };
    let near_misses = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "(__Host-)?doorcode_(session|visitor)=[0-9a-fA-FgG%;= ]{0,80}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..70).prop_map(|value| [
            b"doorcode_session=".as_slice(),
            &value
        ]
        .concat()),
    ];
    TestRunner::new(config)
        .run(&near_misses, |cookie| {
            let answer = with_cookie(&test, &cookie);
            let statuses = statuses(&answer);
            prop_assert!(!statuses.is_empty(), "no answer");
            for status in statuses {
                prop_assert!(matches!(status, 303 | 400), "{}", status);
            }
            Ok(())
        })
        .unwrap();
    test.user().await;
}
