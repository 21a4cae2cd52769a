//! The hand-off to a page of the company.

use super::{address_in, assert_refused};
use crate::support::TestApp;
use crate::support::browser::{Browser, Page};
use crate::support::provider::{Provider, Signing};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode::app::Clock;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Map, Value, json};

const KEY: &str = "a shared key of more than 32 characters";
const FAILED: &str = "provider-failed";
const PAGE: &str = "https://acme.example/doorcode";

async fn shared() -> TestApp {
    let test = TestApp::with(&format!(
        "[[sign_in.hand_off]]\nid = \"shop\"\nname = \"Acme Shop\"\nhand_off_url = \"{PAGE}\"\n\
         algorithm = \"HS256\"\nkey = \"{KEY}\"\n"
    ))
    .await;
    test.canaries.add(KEY);
    test
}

/// The claims of the request with which the server sent the browser away, whose signature fits.
async fn request(test: &TestApp, location: &str) -> Map<String, Value> {
    let (page, request) = location.split_once("?request=").unwrap();
    assert_eq!(page, PAGE);
    let parts: Vec<_> = request.split('.').collect();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let keys = test.anon().get(test.at("/auth/keys")).send().await.unwrap();
    let keys: Value = keys.json().await.unwrap();
    let key = decode(keys["keys"][0]["x"].as_str().unwrap());
    let message = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message.as_bytes(), &decode(parts[2]))
        .unwrap();
    serde_json::from_slice(&decode(parts[1])).unwrap()
}

/// An honest answer to a request.
fn answer(test: &TestApp, request: &Map<String, Value>) -> Map<String, Value> {
    let now = test.clock.now().timestamp();
    let answer = json!({
        "iss": "https://acme.example", "aud": test.url, "iat": now, "exp": now + 60,
        "sub": "customer-7", "email": "ada@acme.example", "email_verified": true,
        "name": "Ada", "nonce": request["nonce"],
    });
    answer.as_object().unwrap().clone()
}

fn sign(claims: &Map<String, Value>, algorithm: &str, key: &str) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({"alg": algorithm, "typ": "JWT"}));
    let message = format!("{header}.{}", encode(Value::Object(claims.clone())));
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// Where the page sends the browser.
fn back(test: &TestApp, request: &Map<String, Value>, answer: &str) -> String {
    let uri = request["redirect_uri"].as_str().unwrap();
    let path = uri.strip_prefix(&test.url).unwrap();
    format!(
        "{path}?state={}&answer={answer}",
        request["state"].as_str().unwrap()
    )
}

async fn begin(test: &TestApp, browser: &mut Browser) -> Map<String, Value> {
    let page = browser.get("/login/with/shop?return_to=%2Faccount").await;
    assert_eq!(page.status, 303, "{}", page.body);
    request(test, page.location()).await
}

async fn sign_in(test: &TestApp, browser: &mut Browser) -> Page {
    let request = begin(test, browser).await;
    let signed = sign(&answer(test, &request), "HS256", KEY);
    browser.get(&back(test, &request, &signed)).await
}

#[actix_web::test]
async fn page_of_the_company_signs_a_user_in() {
    let test = shared().await;
    let mut browser = test.browser();
    assert!(
        browser
            .get("/login")
            .await
            .contains("Sign in with Acme Shop")
    );
    let page = sign_in(&test, &mut browser).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    assert_eq!(address_in(&mut browser).await, "ada@acme.example");
    let mut other = test.browser();
    sign_in(&test, &mut other).await;
    assert_eq!(address_in(&mut other).await, "ada@acme.example");
    assert_eq!(test.count("identity", "1 = 1"), 1);
}

#[actix_web::test]
async fn answers_that_prove_nothing_are_refused() {
    let test = shared().await;
    let mut browser = test.browser();
    let request = begin(&test, &mut browser).await;
    let now = test.clock.now().timestamp();
    for (claim, value) in [
        ("aud", json!("https://other.example")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 361)),
        ("exp", json!(null)),
        ("iat", json!(now + 61)),
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("sub", json!("")),
    ] {
        let mut claims = answer(&test, &request);
        claims.insert(claim.to_owned(), value.clone());
        let signed = sign(&claims, "HS256", KEY);
        let page = browser.get(&back(&test, &request, &signed)).await;
        assert!(
            page.location().ends_with(FAILED),
            "{claim} {value}: {}",
            page.location()
        );
        assert_refused(&test, &page, FAILED);
    }
    let claims = answer(&test, &request);
    for signed in [
        sign(&claims, "HS256", "another key of more than 32 characters"),
        sign(&claims, "none", KEY),
        sign(&claims, "HS512", KEY),
        sign(&claims, "RS256", KEY),
        sign(&claims, "HS256", KEY)
            .rsplit_once('.')
            .unwrap()
            .0
            .to_owned()
            + ".",
        String::new(),
    ] {
        let page = browser.get(&back(&test, &request, &signed)).await;
        assert_refused(&test, &page, FAILED);
    }
    // In another browser.
    let signed = sign(&claims, "HS256", KEY);
    let page = test.browser().get(&back(&test, &request, &signed)).await;
    assert_refused(&test, &page, "provider-stale");
    assert_eq!(
        browser
            .get(&back(&test, &request, &signed))
            .await
            .location(),
        "/account"
    );
}

/// The answer is in the history of the browser.
#[actix_web::test]
async fn answer_is_used_once_also_by_50_at_once() {
    let test = shared().await;
    let mut browser = test.browser();
    let request = begin(&test, &mut browser).await;
    let path = back(
        &test,
        &request,
        &sign(&answer(&test, &request), "HS256", KEY),
    );
    let uses = (0..50).map(|_| {
        let mut browser = browser.clone();
        let path = path.clone();
        async move { browser.get(&path).await }
    });
    let pages = futures_util::future::join_all(uses).await;
    let entered = pages.iter().filter(|page| page.location() == "/account");
    assert_eq!(entered.count(), 1);
    let refused = pages
        .iter()
        .filter(|page| page.location().ends_with(FAILED));
    assert_eq!(refused.count(), 49);
    // Another answer to the same request is no second chance.
    let mut other = answer(&test, &request);
    other.insert("sub".to_owned(), json!("customer-8"));
    let signed = sign(&other, "HS256", KEY);
    let page = browser.get(&back(&test, &request, &signed)).await;
    assert!(page.location().ends_with(FAILED), "{}", page.location());
    assert_eq!(test.count("session", "1 = 1"), 1);
    assert_eq!(test.count("users", "email = 'ada@acme.example'"), 1);
}

/// With published keys, only the configured algorithm counts.
#[actix_web::test]
async fn algorithm_is_that_of_the_settings() {
    let company = Provider::start();
    let test = TestApp::with(&format!(
        "[[sign_in.hand_off]]\nid = \"shop\"\nname = \"Acme Shop\"\nhand_off_url = \"{PAGE}\"\n\
         issuer = \"https://acme.example\"\nalgorithm = \"ES256\"\njwks_url = \"{}/keys\"\n",
        company.url
    ))
    .await;
    company.follow(&test);
    let mut browser = test.browser();
    let request = begin(&test, &mut browser).await;
    let claims = Value::Object(answer(&test, &request));
    for signing in [
        Signing::Rs256,
        Signing::EdDsa,
        Signing::Unsigned,
        Signing::Confused,
    ] {
        company.desk().signing = signing;
        let signed = company.token(&claims);
        let page = browser.get(&back(&test, &request, &signed)).await;
        assert_refused(&test, &page, FAILED);
    }
    company.desk().signing = Signing::Es256;
    let signed = company.token(&claims);
    assert_eq!(
        browser
            .get(&back(&test, &request, &signed))
            .await
            .location(),
        "/account"
    );
}
