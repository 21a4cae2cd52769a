//! Leaving: an organization of one's own keeps no token alive.

use super::{DEPLOY, World, assert_unnamed, browser, limited_to, post, scopes_at, token, user};
use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::device::Answer;
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::org;
use doorcode::app::token::CreateToken;
use doorcode::domain::device::DeniedBecause;
use doorcode::domain::role::Role;
use serde_json::json;

/// Opens the consent page for a new device, approves without a limit, and polls.
async fn sign_in_device(test: &TestApp, browser: &mut Browser) -> (String, Answer) {
    let device = test.device(DEPLOY).await;
    let consent = browser.type_code(&device.user_code).await;
    browser.decide(&consent, "approve", &[DEPLOY]).await;
    (consent.body, test.poll(&device).await)
}

/// Asserts that a device login gets no token, with the reason.
#[track_caller]
fn assert_denied(answer: &Answer) {
    assert_eq!((answer.status, answer.error()), (400, "access_denied"));
    assert_eq!(
        answer.body["error_description"],
        DeniedBecause::NoOrganization.explain()
    );
}

#[actix_web::test]
async fn removed_member_loses_every_personal_token() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    test.organization_by(bob, "Mine").await;
    let console = token(test, bob, input(&[DEPLOY])).await;
    let limited = token(test, bob, limited_to("mine")).await;
    let mut browser = world.browser().await;
    let (_, answer) = sign_in_device(test, &mut browser).await;
    let of_device = answer.token();
    let approved = test.device(DEPLOY).await;
    browser.approve(&approved.user_code, &[DEPLOY]).await;
    for token in [&console, &of_device] {
        assert_unnamed(test, token, Ok(&[DEPLOY])).await;
    }

    test.unseat(acme, bob).await;
    for token in [&console, &of_device, &limited] {
        assert_unnamed(test, token, Err(401)).await;
        assert_eq!(scopes_at(test, token, Some("mine")).await, None);
        assert_eq!(test.me(token).await.status(), 401);
    }
    let condition = "revoked_reason = 'left_organization'";
    assert_eq!(test.count("token", condition), 3);
    let answer = test.poll(&approved).await;
    assert_eq!((answer.status, answer.error()), (400, "access_denied"));
}

/// A new token without a limit is refused by the device flow, the page and the API.
#[actix_web::test]
async fn removed_member_gets_no_new_token_without_a_limit() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    test.organization_by(bob, "Mine").await;
    let mut browser = world.browser().await;
    let device = test.device(DEPLOY).await;
    let before = browser.type_code(&device.user_code).await;
    assert!(before.contains(">All of mine</option>"));
    test.unseat(acme, bob).await;

    let (consent, answer) = sign_in_device(test, &mut browser).await;
    // Bob's own organization alone is left to choose.
    assert!(!consent.contains(">All of mine</option>"), "{consent}");
    assert!(consent.contains(">Mine</option>"), "{consent}");
    assert_denied(&answer);

    browser.get("/tokens/new").await;
    let fields = [("name", "x"), ("expires", "30d"), ("scope", DEPLOY)];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403);
    assert!(page.contains("Your account belongs to no organization that allows this token."));
    assert_eq!(test.count("token", "1 = 1"), 0);

    let mine = CreateToken {
        organization: Some("mine".into()),
        ..input(&[DEPLOY, "tokens:write"])
    };
    let limited = token(test, bob, mine).await;
    let body = json!({"name": "x", "scopes": [DEPLOY]});
    let answer = post(test, "/v1/tokens", &limited, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.body["token"].as_str().unwrap();
    assert_unnamed(test, made, Err(403)).await;
    assert_eq!(
        scopes_at(test, made, Some("mine")).await.as_deref(),
        Some(DEPLOY)
    );
}

/// A user without any organization cannot approve.
#[actix_web::test]
async fn consent_page_of_a_user_without_organization_has_no_approval() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mut browser = world.browser().await;
    test.unseat(acme, bob).await;
    let (consent, answer) = sign_in_device(test, &mut browser).await;
    assert!(!consent.contains(r#"value="approve""#), "{consent}");
    assert!(consent.contains("Your account cannot approve this sign-in"));
    assert!(consent.contains(DeniedBecause::NoOrganization.explain()));
    assert_denied(&answer);
}

/// Leaving an organization of the operator, by the user or by its deletion, ends all personal
/// tokens unless there is another of its kind.
#[actix_web::test]
async fn only_another_organization_of_the_operator_keeps_the_tokens() {
    for is_deleted in [false, true] {
        let world = World::start().await;
        let World { test, acme, bob } = &world;
        let eve = user(test, "eve@example.com", Some("Acme")).await;
        for caller in [bob, &eve] {
            let name = format!("Own {}", caller.user_id().unwrap());
            test.organization_by(caller, &name).await;
        }
        let second = test.caller("carol@example.com").await;
        let second = test.organization(&second, "Second").await;
        test.add_member(&second, &eve, Role::Member).await;
        let of_bob = token(test, bob, input(&[DEPLOY])).await;
        let of_eve = token(test, &eve, input(&[DEPLOY])).await;
        let mut browser = browser(test, "bob@example.com").await;
        let approved = test.device(DEPLOY).await;
        browser.approve(&approved.user_code, &[DEPLOY]).await;
        if is_deleted {
            org::delete(&test.req(&OPERATOR), "acme").await.unwrap();
        } else {
            for caller in [bob, &eve] {
                test.unseat(acme, caller).await;
            }
        }
        assert_unnamed(test, &of_bob, Err(401)).await;
        assert_unnamed(test, &of_eve, Ok(&[DEPLOY])).await;
        let answer = test.poll(&approved).await;
        assert_eq!((answer.status, answer.error()), (400, "access_denied"));
    }
}

/// Leaving an organization of one's own, or deleting it, takes nothing from a member of Acme.
#[actix_web::test]
async fn end_of_an_own_organization_keeps_the_tokens() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let carol = user(test, "carol@example.com", Some("Acme")).await;
    let mine = test.organization_by(bob, "Mine").await;
    test.add_member(&mine, &carol, Role::Owner).await;
    let of_carol = token(test, &carol, input(&[DEPLOY])).await;
    let of_bob = token(test, bob, input(&[DEPLOY])).await;
    let limited = token(test, &carol, limited_to("mine")).await;
    test.unseat(&mine, &carol).await;
    assert_unnamed(test, &of_carol, Ok(&[DEPLOY])).await;
    assert_unnamed(test, &limited, Err(401)).await;
    org::delete(&test.req(&OPERATOR), "mine").await.unwrap();
    assert_unnamed(test, &of_bob, Ok(&[DEPLOY])).await;
    assert_eq!(scopes_at(test, &of_bob, Some("mine")).await, None);
}
