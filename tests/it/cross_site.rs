//! Browser headers about the origin of a form.

use crate::csrf::{Scene, borrowed, urlencode};
use crate::support::{EMAIL, PASSWORD, TestApp};

/// CSR-02, SES-06, T-12: browsers send the origin of a form.
#[actix_web::test]
async fn cross_site_form_is_rejected() {
    let Scene {
        test,
        mut browser,
        forms,
        ..
    } = Scene::new().await;
    browser.get("/account").await;
    let own = browser.csrf.clone();
    let ours = test.url.clone();
    let port = ours.rsplit_once(':').unwrap().1;
    let localhost = format!("http://localhost:{port}");
    let foreign: [(Option<&str>, Option<&str>); 9] = [
        (Some("cross-site"), None),
        (Some("same-site"), Some(&ours)),
        (Some("cross-site"), Some(&ours)),
        (Some("nonsense"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
        (None, Some("http://127.0.0.1")),
        (None, Some(&localhost)),
        (None, Some("")),
    ];
    let before = test.database.dump();
    for (address, fields) in &forms {
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        for (site, origin) in foreign {
            let mut browser = browser.clone();
            site.inspect(|site| browser.set_header("sec-fetch-site", site));
            origin.inspect(|origin| browser.set_header("origin", origin));
            let page = browser.post_bare(address, &fields).await;
            assert_eq!(page.status, 403, "{address}: {site:?} {origin:?}");
        }
    }
    assert!(before == test.database.dump(), "something was written");

    for (site, origin) in [
        (Some("same-origin"), Some(ours.as_str())),
        (Some("same-origin"), Some("null")),
        (Some("none"), None),
        (None, Some(&ours)),
        (None, None),
    ] {
        let mut browser = browser.clone();
        site.inspect(|site| browser.set_header("sec-fetch-site", site));
        origin.inspect(|origin| browser.set_header("origin", origin));
        let page = browser.post("/account/name", &[("name", "Ada")]).await;
        assert_eq!(page.status, 303, "{site:?} {origin:?}");
    }
}

/// CSR-02: the origin is compared with the public URL, not with the request's host.
#[actix_web::test]
async fn origin_must_be_the_configured_one() {
    let test = TestApp::with("[server]\npublic_url = \"https://doorcode.example\"").await;
    let mut browser = test.browser();
    browser.get("/login").await;
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    for origin in [
        &test.url,
        "http://doorcode.example",
        "https://doorcode.example:8443",
        "https://doorcode.example.evil.example",
        "null",
    ] {
        browser.set_header("origin", origin);
        assert_eq!(
            browser.post("/login", &fields).await.status,
            403,
            "{origin}"
        );
    }
    browser.set_header("origin", "https://doorcode.example");
    assert_eq!(browser.post("/login", &fields).await.status, 303);
}

/// CSR-03: another site can submit a `text/plain` form without a preflight.
#[actix_web::test]
async fn pages_accept_only_urlencoded_forms() {
    let Scene {
        test,
        mut browser,
        forms,
        ..
    } = Scene::new().await;
    let own = browser.csrf.clone();
    let before = test.database.dump();
    for (address, fields) in &forms {
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        let body = urlencode(&fields);
        for media in [
            "text/plain",
            "application/json",
            "multipart/form-data; boundary=x",
            "",
        ] {
            let request = browser
                .request(reqwest::Method::POST, address)
                .header("content-type", media)
                .body(body.clone());
            let page = browser.send(request).await;
            assert_eq!(page.status, 415, "{address} as {media:?}");
            assert!(page.contains("We could not read that format"));
        }
    }
    assert!(before == test.database.dump(), "something was written");
}
