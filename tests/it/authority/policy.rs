//! The policy of an organization: an organization of one's own does not get around it.

use super::{
    DEPLOY, PURCHASE, World, assert_unnamed, limited_to, post, route, scopes_at, token, verify,
};
use crate::support::tenant::input;
use doorcode::app::token::CreateToken;
use serde_json::json;

const WEEK: i64 = 7 * 24 * 3600;

#[actix_web::test]
async fn longer_token_is_refused_everywhere() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    world.limit_lifetime().await;
    test.organization_by(bob, "Mine").await;
    let own = token(test, bob, input(&["tokens:write", DEPLOY])).await;
    let mut browser = world.browser().await;
    for expires in ["never", "30d", "1y"] {
        browser.get("/tokens/new").await;
        let fields = [("name", "x"), ("expires", expires), ("scope", DEPLOY)];
        let page = browser.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 422, "{expires}");
        assert!(page.contains(r#"id="expires-error""#), "{}", page.body);
        let body = json!({"name": "x", "scopes": [DEPLOY], "expires": expires});
        let answer = post(test, "/v1/tokens", &own, body).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.body["code"], "invalid");
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
    assert_eq!(test.count("token", "expires_at IS NULL"), 0);
}

#[actix_web::test]
async fn device_gets_the_lifetime_of_the_policy() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    world.limit_lifetime().await;
    test.organization_by(bob, "Mine").await;
    let device = test.device(DEPLOY).await;
    let mut browser = world.browser().await;
    browser.approve(&device.user_code, &[DEPLOY]).await;
    let answer = test.poll(&device).await;
    assert_eq!(answer.body["expires_in"], WEEK, "{answer:?}");
    let token = answer.token();
    assert_unnamed(test, &token, Ok(&[DEPLOY])).await;
    test.clock.advance(WEEK);
    assert_unnamed(test, &token, Err(401)).await;
}

/// Tokens from before the policy, and those that only the other organization allows.
#[actix_web::test]
async fn token_without_expiry_is_inactive_where_no_organization_is_named() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let never = |input: CreateToken| CreateToken {
        expires: Some("never".into()),
        ..input
    };
    let early = token(test, bob, never(input(&[DEPLOY]))).await;
    assert_unnamed(test, &early, Ok(&[DEPLOY])).await;
    world.limit_lifetime().await;
    let limited = token(test, bob, never(limited_to("mine"))).await;
    for token in [&early, &limited] {
        assert_unnamed(test, token, Err(403)).await;
        assert_eq!(scopes_at(test, token, Some("acme")).await, None);
        for query in ["scope=app:deploy", "organization=acme"] {
            assert_eq!(verify(test, query, token).await, 403, "{query}");
        }
        let in_mine = "GET /v1/organizations/mine/regions";
        assert_eq!(route(test, in_mine, token).await, 204);
        assert_eq!(verify(test, "organization=mine", token).await, 204);
    }
    let in_mine = scopes_at(test, &early, Some("mine")).await;
    assert_eq!(in_mine.as_deref(), Some(DEPLOY));
    let query = format!("scope={PURCHASE}&organization=mine");
    assert_eq!(verify(test, &query, &limited).await, 204);
}
