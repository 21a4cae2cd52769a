//! Approval of devices and creation of tokens.

use super::{HIGH, OLD, decision, reviewed, sign_in_again};
use crate::support::{CLI, TestApp};

/// The scopes of the devices.
const ASKED: &str = "orgs:read orgs:write tokens:read";

/// The code, the choice of scopes and the proof that the code was typed survive the detour.
#[actix_web::test]
async fn approval_with_a_high_risk_continues_after_a_new_sign_in() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    let device = test.device(ASKED).await;
    let consent = browser.type_code(&device.user_code).await;
    let [ticket, code] = reviewed(&consent);
    let chosen = [HIGH, "tokens:read"];
    let fields = decision([&ticket, &code], "approve", &chosen);
    let page = browser.post_only("/device/decide", &fields).await;
    let consent = sign_in_again(&mut browser, &page).await;
    assert_eq!(consent.status, 200, "{}", consent.body);
    assert!(consent.contains("You signed in again."), "{}", consent.body);
    assert!(consent.is_ticked(HIGH) && consent.is_ticked("tokens:read"));
    assert!(!consent.is_ticked("orgs:read"), "the choice is lost");
    assert!(!consent.contains("I started this sign-in"), "it was typed");
    assert_eq!(test.events("device.approved"), 0);
    assert_ne!(consent.field("ticket").unwrap(), ticket);
    let done = browser.decide(&consent, "approve", &chosen).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let token = test.poll(&device).await;
    assert_eq!(token.body["scope"], "orgs:write tokens:read");
}

#[actix_web::test]
async fn approval_of_a_link_still_asks_who_started_it() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    let device = test.device(HIGH).await;
    let path = format!("/device?user_code={}", device.user_code);
    let consent = browser.get(&path).await;
    let [ticket, code] = reviewed(&consent);
    let mut fields = decision([&ticket, &code], "approve", &[HIGH]);
    fields.push(("confirm", "yes"));
    let page = browser.post_only("/device/decide", &fields).await;
    let consent = sign_in_again(&mut browser, &page).await;
    assert!(consent.contains("I started this sign-in"));
    let refused = browser.decide(&consent, "approve", &[HIGH]).await;
    assert_eq!(refused.status, 400, "not confirmed");
    let [ticket, code] = reviewed(&refused);
    let mut fields = decision([&ticket, &code], "approve", &[HIGH]);
    fields.push(("confirm", "yes"));
    browser.post("/device/decide", &fields).await;
    assert_eq!(test.events("device.approved"), 1);
}

/// Only what has a high risk asks.
#[actix_web::test]
async fn approval_of_other_scopes_and_denial_need_no_new_sign_in() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD - 1);
    let device = test.device(ASKED).await;
    browser.approve(&device.user_code, &[HIGH]).await;
    test.clock.advance(1);
    for (answer, scopes, status) in [
        ("approve", &["orgs:read", "tokens:read"][..], 200),
        ("deny", &[HIGH][..], 200),
    ] {
        let device = test.device(ASKED).await;
        let consent = browser.type_code(&device.user_code).await;
        let page = browser.decide(&consent, answer, scopes).await;
        assert_eq!(page.status, status, "{answer}");
        assert!(page.location().is_empty());
    }
}

/// The client sees nothing of the detour.
#[actix_web::test]
async fn device_waits_while_its_user_signs_in_again() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    let device = test.device(HIGH).await;
    let consent = browser.type_code(&device.user_code).await;
    let [ticket, code] = reviewed(&consent);
    let fields = decision([&ticket, &code], "approve", &[HIGH]);
    let page = browser.post_only("/device/decide", &fields).await;
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    let consent = sign_in_again(&mut browser, &page).await;
    browser.decide(&consent, "approve", &[HIGH]).await;
    test.clock.advance(5);
    let token = test.poll_as(CLI, &device).await;
    assert_eq!(token.body["scope"], HIGH);
}

#[actix_web::test]
async fn form_of_a_token_with_a_high_risk_is_kept() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let mut paths = vec!["/tokens/new"];
    paths.push("/o/acme/settings/api-tokens/new");
    test.clock.advance(OLD);
    for path in paths {
        browser.get(path).await;
        let fields = [
            ("name", "deploy of Bräu"),
            ("scope", HIGH),
            ("scope", "audit:read"),
            ("expires", "30d"),
        ];
        let page = browser.post_only(path, &fields).await;
        let form = sign_in_again(&mut browser, &page).await;
        assert_eq!(form.field("name").as_deref(), Some("deploy of Bräu"));
        assert!(form.contains(r#"value="30d" checked"#), "{}", form.body);
        assert!(form.is_ticked("audit:read"));
        let before = test.count("token", "1 = 1");
        let created = browser.post(path, &fields).await;
        assert!(created.attribute("data-token").is_some());
        assert_eq!(test.count("token", "1 = 1"), before + 1);
        test.clock.advance(OLD);
    }
    // A token with less risk asks for nothing.
    browser.new_token("reader", &["orgs:read"], "30d").await;
}

/// The successor of a token is shown to whoever rotates it.
#[actix_web::test]
async fn rotation_of_a_token_with_a_high_risk_asks_too() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.new_token("high", &[HIGH], "30d").await;
    let list = browser.get("/tokens").await;
    let (_, rest) = list.body.split_once(r#"href="/tokens/tok_"#).unwrap();
    let path = format!("/tokens/tok_{}/rotate", rest.split('"').next().unwrap());
    test.clock.advance(OLD);
    browser.get(&path).await;
    let page = browser.post_only(&path, &[("overlap", "1h")]).await;
    let form = sign_in_again(&mut browser, &page).await;
    assert!(form.contains(r#"value="1h" checked"#), "{}", form.body);
    let rotated = browser.post(&path, &[("overlap", "1h")]).await;
    assert!(rotated.attribute("data-token").is_some());
}

/// Tokens have no sign-in: their scopes bound them.
#[actix_web::test]
async fn calls_with_tokens_are_not_asked() {
    let test = TestApp::start().await;
    let token = test.token(&[HIGH, "tokens:write"]).await;
    test.clock.advance(OLD * 10);
    let created = test
        .anon()
        .post(test.at("/v1/tokens"))
        .bearer_auth(&token)
        .header("idempotency-key", "once")
        .json(&serde_json::json!({"name": "child", "scopes": [HIGH]}))
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 201);
    let text = created.text().await.unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    test.canaries.add(
        value["secret"]
            .as_str()
            .or(value["token"].as_str())
            .unwrap_or_default(),
    );
}
