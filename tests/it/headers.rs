//! Security headers of every response.

use crate::support::browser::Page;
use crate::support::{EMAIL, PASSWORD, TestApp, log};
use reqwest::Method;

/// One named response of each kind from the pages, the endpoints and the assets.
async fn answers(test: &TestApp) -> Vec<(&'static str, Page)> {
    let mut browser = test.browser();
    browser.set_header("origin", "https://evil.example");
    let mut all = Vec::new();
    for (name, path) in [
        ("sign-in page", "/login"),
        ("to the sign-in", "/tokens"),
        ("code page unknown", "/device"),
        ("closed setup", "/setup?link=x"),
        ("no page", "/nothing"),
        ("no method", "/logout"),
        ("broken query", "/login?a=%FF"),
        ("no asset", "/assets/app.css"),
        ("health", "/healthz"),
        ("ready", "/readyz"),
        ("no token", "/v1/me"),
        ("no API", "/v1/nothing"),
        ("metadata", "/.well-known/oauth-authorization-server"),
        ("OAuth method", "/auth/device"),
        ("no OAuth", "/auth/nothing"),
    ] {
        all.push((name, browser.get(path).await));
    }
    let login = all[0].1.clone();
    for (name, attribute) in [
        ("script", "script src"),
        ("style", "stylesheet\" href"),
        ("icon", "icon\" href"),
    ] {
        let path = login.attribute(attribute).unwrap();
        all.push((name, browser.get(&path).await));
    }
    all.push(("cross-site form", browser.post("/login", &[]).await));
    browser.headers.remove("origin");
    all.push(("stale form", browser.post_bare("/login", &[]).await));
    all.push((
        "wrong password",
        browser.post("/login", &[("email", EMAIL)]).await,
    ));
    let large = "x".repeat(17 * 1024);
    all.push((
        "too large",
        browser.post("/login", &[("email", &large)]).await,
    ));
    let json = browser.request(Method::POST, "/login").json(&0);
    all.push(("no form", browser.send(json).await));
    browser.sign_in(EMAIL, PASSWORD).await;
    for (name, path) in [
        ("tokens", "/tokens"),
        ("new token", "/tokens/new"),
        ("revoke all", "/tokens/revoke-all"),
        ("foreign token", "/tokens/tok_x/revoke"),
        ("account", "/account"),
        ("code page", "/device?user_code=WDJB-MJHT"),
    ] {
        all.push((name, browser.get(path).await));
    }
    all.push(("bad field", browser.post("/tokens/new", &[]).await));
    let fields = [("name", "x"), ("expires", "never")];
    all.push(("shown once", browser.post("/tokens/new", &fields).await));
    for _ in 0..5 {
        browser.type_code("BBBB-BBBB").await;
    }
    all.push(("throttled", browser.type_code("BBBB-BBBB").await));
    all.push(("signed out", browser.post("/logout", &[]).await));
    test.database
        .execute("UPDATE users SET password_hash = 'broken'");
    all.push(("our fault", browser.try_sign_in(EMAIL, PASSWORD).await));
    all
}

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    page.headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// HDR-01, HDR-02, HDR-03, HDR-04, OAU-17, OAU-18.
#[actix_web::test]
async fn every_kind_of_response_has_strict_headers() {
    let test = TestApp::with("[server]\npublic_url = \"https://doorcode.example\"").await;
    let answers = answers(&test).await;
    let mut seen: Vec<u16> = answers.iter().map(|(_, page)| page.status).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(
        seen,
        [200, 303, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500]
    );
    for (name, page) in &answers {
        let policy = header(page, "content-security-policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(
                policy.split("; ").any(|d| d == directive),
                "{name}: {policy}"
            );
        }
        assert!(!policy.contains("unsafe"), "{name}");
        for (header_name, expected) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(header(page, header_name), expected, "{name}: {header_name}");
        }
        assert_eq!(header(page, "x-request-id").len(), 32, "{name}");
        for absent in ["server", "x-powered-by", "via"] {
            assert!(!page.headers.contains_key(absent), "{name}: {absent}");
        }
        assert!(
            !page
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-")),
            "{name} opens itself to other sites"
        );
        let media = header(page, "content-type");
        if media.starts_with("text/") {
            assert!(media.ends_with("; charset=utf-8"), "{name}: {media}");
        }
        match *name {
            "script" | "style" | "icon" => {
                assert_eq!(
                    header(page, "cache-control"),
                    "public, max-age=31536000, immutable"
                );
            }
            "health" | "ready" => {}
            _ => assert_eq!(header(page, "cache-control"), "no-store", "{name}"),
        }
    }
}

/// HDR-01: no page violates its own Content-Security-Policy.
#[actix_web::test]
async fn no_page_has_inline_scripts_or_styles() {
    let test = TestApp::start().await;
    let mut pages: Vec<_> = answers(&test).await;
    pages.retain(|(_, page)| header(page, "content-type").starts_with("text/html"));
    assert!(pages.len() > 15);
    for (name, page) in pages {
        for tag in page.body.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            assert!(
                !tag.starts_with("style") && !tag.contains(" style="),
                "{name}: {tag}"
            );
            assert!(
                !tag.starts_with("script") || tag.starts_with("script src=\"/assets/"),
                "{name}"
            );
            assert!(
                !tag.contains(" on") && !tag.contains("javascript:"),
                "{name}: {tag}"
            );
        }
    }
}

/// HDR-02: over plain http the header would lock users out of a server on their own machine.
#[actix_web::test]
async fn strict_transport_security_is_not_sent_over_plain_http() {
    let test = TestApp::start().await;
    for (name, page) in answers(&test).await {
        assert_eq!(header(&page, "strict-transport-security"), "", "{name}");
        let failed = [400, 401, 403, 404, 405, 413, 415, 422, 429, 500].contains(&page.status);
        if failed && header(&page, "content-type").starts_with("text/html") {
            assert!(page.contains("<html lang=\"en\">"), "{name}");
            assert!(
                !page.contains("panicked") && !page.contains("src/"),
                "{name}"
            );
        }
    }
}

/// HDR-02, field row 17.
#[actix_web::test]
async fn strict_transport_security_covers_what_is_configured() {
    for (url, setting, expected) in [
        ("https://example.com", "", "max-age=31536000"),
        ("https://example.com", "host", "max-age=31536000"),
        (
            "https://example.com",
            "subdomains",
            "max-age=31536000; includeSubDomains",
        ),
        ("https://example.com", "off", ""),
        ("https://localhost:8443", "subdomains", ""),
        ("https://127.0.0.1:8443", "host", ""),
        ("http://127.0.0.1:8080", "subdomains", ""),
    ] {
        let hsts = match setting {
            "" => String::new(),
            setting => format!("hsts = \"{setting}\""),
        };
        let test = TestApp::empty(&format!("[server]\npublic_url = \"{url}\"\n{hsts}")).await;
        let page = test.browser().get("/login").await;
        let sent = header(&page, "strict-transport-security");
        assert_eq!(sent, expected, "{url} {setting}");
    }
}

/// HDR-04: TRACE would return headers that scripts must not see.
#[actix_web::test]
async fn unused_methods_are_rejected_everywhere() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let user = browser.get("/account").await;
    let script = user.attribute("script src").unwrap();
    for path in [
        "/login",
        "/setup",
        "/tokens",
        "/account",
        "/device",
        "/device/decide",
        "/logout",
        "/healthz",
        "/readyz",
        "/v1/me",
        "/auth/device",
        "/auth/introspect",
        "/.well-known/oauth-authorization-server",
        &script,
    ] {
        for method in [
            Method::TRACE,
            Method::OPTIONS,
            Method::PATCH,
            Method::DELETE,
        ] {
            let request = browser.request(method.clone(), path);
            let page = browser.send(request).await;
            assert_eq!(page.status, 405, "{method} {path}");
            assert!(page.headers.contains_key("allow"), "{method} {path}");
            assert!(!page.contains("doorcode_session"), "{method} {path}");
        }
    }
    for path in ["/debug", "/.git/config", "/server-status"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

/// A secret in the wrong header is neither repeated nor stored.
#[actix_web::test]
async fn token_is_not_accepted_as_a_request_id() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let me = test.anon().get(test.at("/v1/me")).bearer_auth(&token);
    let answer = me.header("x-request-id", &token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-request-id"].len(), 32);
    test.settle().await;
    assert!(!test.database.dump().contains(&token));
}

/// PAT-21, AUD-03: a secret in place of an id is not logged. Valid ids are logged, since they
/// identify the resource.
#[actix_web::test]
async fn path_is_logged_as_its_pattern_with_its_ids() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read", "tokens:write"]).await;
    let id = test.introspect(&token).await["jti"].clone();
    let code = test.device("tokens:read").await.user_code;
    let id = id.as_str().unwrap();
    for path in [
        format!("/v1/tokens/{token}"),
        format!("/v1/orgs/{code}/tokens/{id}"),
        format!("/tokens/{token}"),
        format!("/{token}/{code}"),
    ] {
        let asked = test.anon().delete(test.at(&path)).bearer_auth(&token);
        let answer = asked.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}");
    }
    let log = log::text();
    assert!(!log.contains(&token) && !log.contains(&code));
    assert!(log.contains("\"path\":\"/v1/tokens/{id}\""));
    assert!(log.contains(&format!("\"path\":\"/v1/orgs/{{org}}/tokens/{id}\"")));
}
