//! The redirect after signing in or out leads only to pages of this server.

use crate::support::{EMAIL, PASSWORD, TestApp};

/// URLs of another site that browsers, proxies and incomplete checks parse differently.
const FOREIGN: [&str; 31] = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "%2f%2fevil.example",
    "https:evil.example",
    "https://evil.example",
    "https:/evil.example",
    "HTTPS://evil.example/tokens",
    "http://127.0.0.1@evil.example",
    "/..//evil.example",
    "/tokens/..//evil.example",
    "/tokens//evil.example",
    "/./\\evil.example",
    "/.evil.example",
    ".evil.example",
    "@evil.example",
    ":@evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//tokens",
    "data:text/html,<script>alert(1)</script>",
    "\t//evil.example",
    "/\t/evil.example",
    " //evil.example",
    "\r\n//evil.example",
    "/tokens\r\nSet-Cookie: a=b",
    "/tokens#//evil.example",
    "/tokens?to=//evil.example",
];

/// RED-01, T-18.
#[actix_web::test]
async fn sign_in_redirects_to_no_other_site() {
    let test = TestApp::start().await;
    for foreign in FOREIGN
        .into_iter()
        .chain(["", "/logout", "/setup", "tokens"])
    {
        let mut browser = test.browser();
        let query = [("return_to", foreign)];
        let login = reqwest::Url::parse_with_params("http://x/login", query).unwrap();
        let page = browser.get(after_host(&login)).await;
        assert_eq!(
            page.field("return_to").as_deref(),
            Some("/tokens"),
            "{foreign:?}"
        );
        let fields = [
            ("email", EMAIL),
            ("password", PASSWORD),
            ("return_to", foreign),
        ];
        let signed_in = browser.post("/login", &fields).await;
        assert_eq!(
            (signed_in.status, signed_in.location()),
            (303, "/tokens"),
            "{foreign:?}"
        );

        // A signed-in user is redirected immediately.
        let page = browser.get(after_host(&login)).await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/tokens"),
            "{foreign:?}"
        );

        browser.get("/account").await;
        let out = browser.post("/logout", &[("return_to", foreign)]).await;
        let expected = match foreign {
            "" => "/login?notice=signed-out",
            _ => "/login?return_to=%2Ftokens",
        };
        assert_eq!((out.status, out.location()), (303, expected), "{foreign:?}");
    }
}

/// The part of a URL after the host.
fn after_host(url: &reqwest::Url) -> &str {
    url.as_str().strip_prefix("http://x").unwrap()
}

/// RED-01: a local destination is kept, including its query.
#[actix_web::test]
async fn sign_in_leads_back_to_the_requested_page() {
    let test = TestApp::start().await;
    for (path, expected) in [
        ("/account", "/account"),
        ("/tokens/new", "/tokens/new"),
        ("/tokens/revoke-all", "/tokens/revoke-all"),
        ("/device", "/device"),
        (
            "/device?user_code=wdjb%20mjht",
            "/device?user_code=WDJB-MJHT",
        ),
        ("/", "/tokens"),
    ] {
        let mut browser = test.browser();
        let away = browser.get(path).await;
        assert_eq!(away.status, 303);
        let login = browser.get(away.location()).await;
        assert_eq!(login.status, 200);
        let return_to = login.field("return_to").unwrap().replace("&#38;", "&");
        let fields = [
            ("email", EMAIL),
            ("password", "wrong"),
            ("return_to", &return_to),
        ];
        let repeated = browser.post("/login", &fields).await;
        assert_eq!(repeated.status, 401);
        assert_eq!(
            repeated.field("return_to"),
            login.field("return_to"),
            "a mistake loses it"
        );
        let fields = [
            ("email", EMAIL),
            ("password", PASSWORD),
            ("return_to", &return_to),
        ];
        let signed_in = browser.post("/login", &fields).await;
        assert_eq!((signed_in.status, signed_in.location()), (303, expected));
        assert_eq!(browser.get(signed_in.location()).await.status, 200);
    }
}

/// RED-01: the server could use one of two parameters and a proxy the other.
#[actix_web::test]
async fn repeated_destination_is_rejected_or_local() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let page = browser
        .get("/login?return_to=%2Faccount&return_to=%2F%2Fevil.example")
        .await;
    assert!(page.status == 400 || page.field("return_to").as_deref() == Some("/account"));
    browser.get("/login").await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/account"),
        ("return_to", "//evil.example"),
    ];
    assert_eq!(browser.post("/login", &fields).await.status, 400);
}
