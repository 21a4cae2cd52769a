//! Forms from elsewhere: every form that changes something is refused unless the person sent
//! it from a page of ours.

use crate::support::browser::Browser;
use crate::support::{EMAIL, PASSWORD, TestApp};
use std::collections::BTreeSet;

/// The addresses of the pages, as the program registers them.
const ROUTES: &str = include_str!("../../src/web/pages/mod.rs");

/// Every address that takes a form, with fields that would do something there. An address that
/// the program gets and this table does not fails the suite.
const FORMS: [(&str, &[(&str, &str)]); 10] = [
    ("/setup", &[("name", "Eve"), ("email", "eve@example.com")]),
    ("/login", &[("email", EMAIL), ("password", PASSWORD)]),
    ("/logout", &[]),
    ("/device", &[("user_code", "{code}"), ("via", "keyboard")]),
    (
        "/device/decide",
        &[
            ("user_code", "{code}"),
            ("ticket", "{ticket}"),
            ("decision", "approve"),
            ("scope", "tokens:read"),
        ],
    ),
    (
        "/tokens/new",
        &[
            ("name", "Mine"),
            ("scope", "tokens:read"),
            ("expires", "never"),
        ],
    ),
    ("/tokens/revoke-all", &[]),
    ("/tokens/{id}/revoke", &[]),
    ("/account/name", &[("name", "Eve")]),
    (
        "/account/password",
        &[
            ("current_password", PASSWORD),
            ("new_password", "yellow anvil sleeps under"),
        ],
    ),
];

/// The one whose address names something else than a token.
const SIGN_OUT: (&str, &[(&str, &str)]) = ("/account/sessions/{id}/sign-out", &[]);

/// The addresses that have a handler of this kind: `read` or `post`.
fn addresses(kind: &str) -> BTreeSet<&'static str> {
    let handler = format!("{kind}(");
    let addresses: BTreeSet<_> = ROUTES
        .split("resource(")
        .skip(1)
        .filter(|resource| resource.contains(&handler))
        .map(|resource| resource.split('"').nth(1).unwrap())
        .collect();
    assert!(
        addresses.len() > 5,
        "the list is made from the source: {addresses:?}"
    );
    addresses
}

/// A signed-in person with everything that the forms could change.
pub struct Scene {
    pub test: TestApp,
    pub browser: Browser,
    /// Every form, with the ids and codes of the scene.
    pub forms: Vec<(String, Vec<(&'static str, String)>)>,
}

impl Scene {
    pub async fn new() -> Self {
        let test = TestApp::start().await;
        test.token(&["tokens:read"]).await;
        let device = test.device("tokens:read").await;
        let mut browser = test.user().await;
        let consent = browser.type_code(&device.user_code).await;
        let ticket = consent.field("ticket").unwrap();
        let tokens = browser.get("/tokens").await;
        let id_after = |page: &str, before: &str| {
            let (_, id) = page.split_once(before).unwrap();
            id.split_once('/').unwrap().0.to_owned()
        };
        let token_id = id_after(&tokens.body, r#"href="/tokens/tok_"#);
        let account = browser.get("/account").await;
        let session_id = id_after(&account.body, "/account/sessions/");
        let forms = FORMS
            .iter()
            .chain([&SIGN_OUT])
            .map(|(address, fields)| {
                let id = match address.starts_with("/account") {
                    true => session_id.clone(),
                    false => format!("tok_{token_id}"),
                };
                let fields = fields.iter().map(|(name, value)| {
                    let value = value.replace("{code}", &device.user_code);
                    (*name, value.replace("{ticket}", &ticket))
                });
                (address.replace("{id}", &id), fields.collect())
            })
            .collect();
        Self {
            test,
            browser,
            forms,
        }
    }
}

pub fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// CSR-01: the table above is complete.
#[test]
fn every_address_that_takes_a_form_is_tried() {
    let tried: BTreeSet<_> = FORMS
        .iter()
        .chain([&SIGN_OUT])
        .map(|(address, _)| *address)
        .collect();
    assert_eq!(tried, addresses("post"));
}

/// CSR-01, SES-06, T-12.
#[actix_web::test]
async fn a_form_without_the_token_of_this_session_changes_nothing() {
    let Scene {
        test,
        mut browser,
        forms,
    } = Scene::new().await;
    let stranger = {
        let mut stranger = test.browser();
        stranger.get("/login").await;
        stranger.csrf
    };
    let other_session = {
        let mut other = test.user().await;
        other.get("/account").await;
        other.csrf
    };
    let own = {
        browser.get("/account").await;
        browser.csrf.clone()
    };
    let before = test.database.dump();
    for (address, fields) in &forms {
        let bare = browser.post_bare(address, &borrowed(fields)).await;
        assert_eq!(bare.status, 403, "{address}");
        assert!(bare.contains("This form is out of date"), "{address}");
        for csrf in [
            "",
            "x",
            &stranger,
            &other_session,
            &own[..63],
            &own.to_uppercase(),
        ] {
            let mut fields = borrowed(fields);
            fields.push(("csrf", csrf));
            let page = browser.post_bare(address, &fields).await;
            assert_eq!(page.status, 403, "{address} with {csrf:?}");
        }
        let mut twice = borrowed(fields);
        twice.extend([("csrf", own.as_str()), ("csrf", own.as_str())]);
        assert_eq!(
            browser.post_bare(address, &twice).await.status,
            400,
            "{address}"
        );
        // In the address instead of the body.
        let query = format!("{address}?csrf={own}");
        assert_eq!(
            browser.post_bare(&query, &borrowed(fields)).await.status,
            403
        );
        // A cookie alone, without the visitor's that the form belongs to.
        let mut cookieless = browser.clone();
        cookieless.cookies.remove("doorcode_visitor");
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        assert_eq!(
            cookieless.post_bare(address, &fields).await.status,
            403,
            "{address}"
        );
    }
    assert!(before == test.database.dump(), "something was written");
}

/// CSR-01, CSR-02, DEV-36, T-12: what browsers fetch by themselves changes nothing.
#[actix_web::test]
async fn reading_any_address_changes_nothing() {
    let Scene {
        test,
        mut browser,
        forms,
    } = Scene::new().await;
    let own = browser.csrf.clone();
    let before = test.database.dump();
    for address in addresses("read") {
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let (path, _) = forms
                .iter()
                .find(|(path, _)| path.starts_with("/tokens/tok_"))
                .unwrap();
            let address = address.replace("/tokens/{id}/revoke", path);
            let request = browser.request(method.clone(), &address);
            let page = browser.send(request).await;
            assert!(
                matches!(page.status, 200 | 303 | 404),
                "{address}: {}",
                page.status
            );
            assert!(method == reqwest::Method::GET || page.body.is_empty());
        }
    }
    for (address, fields) in &forms {
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        let query = urlencode(&fields);
        for method in [
            reqwest::Method::GET,
            reqwest::Method::HEAD,
            reqwest::Method::PUT,
            reqwest::Method::DELETE,
        ] {
            let request = browser.request(method.clone(), &format!("{address}?{query}"));
            let page = browser.send(request).await;
            let is_read = method == reqwest::Method::GET || method == reqwest::Method::HEAD;
            assert!(
                page.status == 405 || (is_read && matches!(page.status, 200 | 303 | 404)),
                "{method} {address}: {}",
                page.status
            );
            if page.status == 405 {
                assert!(page.headers["allow"].to_str().unwrap().contains("POST"));
            }
        }
    }
    assert!(before == test.database.dump(), "something was written");
}

/// Fields as a query or a body.
pub fn urlencode(fields: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://x/", fields).unwrap();
    url.query().unwrap_or_default().to_owned()
}
