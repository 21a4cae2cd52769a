//! Recovery of an account that another person created with a provider.

use crate::email::{invite, path_in, try_join, with_mail};
use crate::recovery::{NEW, id_of, operate, reset_link, set_with};
use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::provider::Provider;
use crate::support::smtp::Sink;
use reqwest::Method;
use serde_json::json;

const VICTIM: &str = "victim@example.com";
const RULES: &str = "rules = [{ group = \"leads\", organization = \"acme\", role = \"admin\" }]";

/// Another person creates an account with the victim's address, which the provider does not verify.
async fn squatter(provider: &Provider, test: &TestApp) -> Browser {
    provider.is_asked_by("eve-at-acme", VICTIM);
    provider.state("email_verified", json!(false));
    provider.state("groups", json!(["leads"]));
    let mut eve = test.browser();
    assert_eq!(provider.sign_in(&mut eve).await.location(), "/tokens");
    assert_eq!(test.count("membership", "given_by IS NOT NULL"), 1);
    eve
}

/// Asserts that the other person does not reach the recovered account again.
async fn assert_shut_out(provider: &Provider, test: &TestApp, eve: &mut Browser) {
    assert_eq!(test.count("membership", "given_by IS NOT NULL"), 0);
    let page = provider.sign_in(eve).await;
    assert!(
        page.location().starts_with("/login/connect?"),
        "{}",
        page.location()
    );
    assert_eq!(eve.get("/account").await.status, 303);
    assert_eq!(test.count("identity", "1 = 1"), 0);
    test.settle().await;
    assert_eq!(test.events("identity.unlinked"), 1);
}

#[actix_web::test]
async fn reset_of_an_unverified_account_disconnects_its_identities() {
    let provider = Provider::start();
    let test = provider.server(RULES).await;
    let mut eve = squatter(&provider, &test).await;
    let path = format!("/v1/users/{}/password-reset", id_of(&test, VICTIM));
    let made = operate(&test, Method::POST, &path, &json!({})).await;
    let link = reset_link(made.body["url"].as_str().unwrap());
    let mut victim = test.browser();
    assert_eq!(set_with(&mut victim, &link, NEW).await.status, 303);
    assert_shut_out(&provider, &test, &mut eve).await;
    assert_eq!(victim.get("/account").await.status, 200);
}

#[actix_web::test]
async fn invitation_that_takes_an_account_over_disconnects_its_identities() {
    let sink = Sink::start(&[]);
    let provider = Provider::start();
    let test = with_mail(&sink, &provider.settings(RULES)).await;
    provider.follow(&test);
    let mut eve = squatter(&provider, &test).await;
    invite(&test, Some(VICTIM)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");
    let (mut victim, page) = try_join(&test, &mailed, VICTIM).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_shut_out(&provider, &test, &mut eve).await;
    assert_eq!(victim.get("/o/acme").await.status, 200);
}

/// The user may have connected the identity before the password was lost.
#[actix_web::test]
async fn reset_of_a_verified_account_keeps_its_identities() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let path = format!(
        "/v1/users/{}/password-reset",
        id_of(&test, "ada@acme.example")
    );
    let made = operate(&test, Method::POST, &path, &json!({})).await;
    let link = reset_link(made.body["url"].as_str().unwrap());
    assert_eq!(set_with(&mut test.browser(), &link, NEW).await.status, 303);
    assert_eq!(provider.sign_in(&mut browser).await.location(), "/tokens");
}
