//! Second factor bypass through a provider: its sign-ins count as two factors only if it says so.

use super::assert_signed_in;
use super::phone::{Phone, enrol, link_of, second_step};
use crate::support::provider::{ID, Provider};
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::Clock;
use serde_json::{Value, json};

/// A user of the provider with an authenticator app.
async fn with_app(provider: &Provider, settings: &str) -> (TestApp, Phone) {
    let test = provider.server(settings).await;
    let mut browser = test.browser();
    // A change of the factors needs a recent sign-in.
    let now = test.clock.now().timestamp();
    provider.state("auth_time", json!(now));
    provider.sign_in(&mut browser).await;
    let (phone, _) = enrol(&test, &mut browser).await;
    (test, phone)
}

#[actix_web::test]
async fn sign_in_with_a_provider_asks_for_the_second_factor() {
    let provider = Provider::start();
    let (test, phone) = with_app(&provider, "").await;
    let mut browser = test.browser();
    let link = link_of(&provider.sign_in(&mut browser).await);
    assert_eq!(browser.get("/tokens").await.status, 303);
    assert_signed_in(&second_step(&mut browser, &link, &phone.next_value()).await);
    assert_eq!(browser.get("/tokens").await.status, 200);
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 2);
}

#[actix_web::test]
async fn only_a_statement_of_two_factors_replaces_it() {
    let provider = Provider::start();
    let (test, _) = with_app(&provider, "").await;
    let cases: [(&str, Value, bool); 11] = [
        ("amr", json!(["pwd", "mfa"]), true),
        ("amr", json!(["pwd", "otp"]), false),
        ("amr", json!(["hwk"]), false),
        ("amr", json!("mfa"), false),
        ("amr", json!(null), false),
        ("acr", json!("phrh"), false),
        ("acr", json!("https://refeds.org/profile/mfa"), true),
        ("acr", json!("1"), false),
        ("acr", json!("mfa"), false),
        ("acr", json!("phr"), false),
        ("mfa", json!(true), false),
    ];
    for (claim, value, is_enough) in cases {
        provider.is_asked_by("ada-at-acme", "ada@acme.example");
        provider.state(claim, value.clone());
        let page = provider.sign_in(&mut test.browser()).await;
        let is_asked = page.location().starts_with("/login/factor?");
        assert_eq!(is_asked, !is_enough, "{claim} {value}: {}", page.location());
    }
}

/// The statement has to be in the ID token, which describes the sign-in.
#[actix_web::test]
async fn statement_of_the_userinfo_endpoint_does_not_count() {
    let provider = Provider::start();
    let (test, _) = with_app(&provider, "").await;
    let email = provider.desk().user.remove("email").unwrap();
    provider.desk().info.insert("email".to_owned(), email);
    let amr = json!(["mfa"]);
    provider.desk().info.insert("amr".to_owned(), amr);
    link_of(&provider.sign_in(&mut test.browser()).await);
    assert_eq!(provider.requests("/userinfo"), 1);
}

#[actix_web::test]
async fn setting_says_that_the_provider_always_asks_for_two() {
    let provider = Provider::start();
    let (test, _) = with_app(&provider, "second_factor = \"always\"").await;
    assert_signed_in(&provider.sign_in(&mut test.browser()).await);
}

/// The password of the account proves it only with its second factor.
#[actix_web::test]
async fn identity_is_not_connected_before_the_second_step() {
    let provider = Provider::start();
    let test = provider.server("").await;
    provider.is_asked_by("ada-at-acme", EMAIL);
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let connect = page.location().to_owned();
    let sealed = browser.get(&connect).await.field("link").unwrap();
    let fields = [("link", sealed.as_str()), ("password", PASSWORD)];
    let link = link_of(&browser.post_only("/login/connect", &fields).await);
    assert_eq!(test.count("identity", "1 = 1"), 0);
    let page = second_step(&mut browser, &link, &phone.next_value()).await;
    assert_eq!((page.status, page.location()), (303, connect.as_str()));
    assert_eq!(test.count("identity", "1 = 1"), 0);
    browser.get(&connect).await;
    let page = browser
        .post_only("/login/connect", &[("link", &sealed)])
        .await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(test.count("identity", "1 = 1"), 1);
    let begin = format!("/login/with/{ID}");
    link_of(&provider.sign_in_at(&mut test.browser(), &begin).await);
}
