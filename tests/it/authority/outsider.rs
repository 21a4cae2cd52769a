//! Users outside the organizations of the operator.

use super::{DEPLOY, World, assert_unnamed, browser, post, route, scopes_at, token, user, verify};
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::org;
use doorcode::domain::role::Role;
use serde_json::json;

const MINE: &str = "GET /v1/organizations/mine/regions";

/// Users who joined only an organization of a user, by its invitation.
#[actix_web::test]
async fn user_of_an_own_organization_alone_is_active_only_there() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let own = token(test, bob, input(&["orgs:write"])).await;
    let body = json!({"role": "admin", "email": "charles@example.com"});
    let made = post(test, "/v1/orgs/mine/invitations", &own, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let url = made.body["url"].as_str().unwrap();
    let (_, link) = url.split_once("/invite").unwrap();
    let invitation = format!("/invite{link}");
    let (_, joined) = crate::email::try_join(test, &invitation, "charles@example.com").await;
    assert_eq!(joined.location(), "/o/mine?done=joined");

    let mut browser = browser(test, "charles@example.com").await;
    browser.get("/tokens/new").await;
    let fields = [("name", "x"), ("expires", "30d"), ("scope", DEPLOY)];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403);
    let limited = [&fields[..], &[("organization", "mine")]].concat();
    let page = browser.post("/tokens/new", &limited).await;
    let limited = page.attribute("data-token").unwrap();

    assert_unnamed(test, &limited, Err(403)).await;
    assert_eq!(
        scopes_at(test, &limited, Some("mine")).await.as_deref(),
        Some(DEPLOY)
    );
    assert_eq!(route(test, MINE, &limited).await, 204);
    for elsewhere in ["acme", "nowhere"] {
        assert_eq!(scopes_at(test, &limited, Some(elsewhere)).await, None);
        let query = format!("organization={elsewhere}");
        assert_eq!(verify(test, &query, &limited).await, 403);
    }
    assert_eq!(route(test, "GET /v1/acme/regions", &limited).await, 403);
}

/// The console offers such a user what works: a token that is limited to the organization.
#[actix_web::test]
async fn token_form_offers_only_a_limited_token() {
    let world = World::start().await;
    let test = &world.test;
    let eve = user(test, "eve@example.com", None).await;
    test.organization_by(&eve, "Mine").await;
    test.database
        .execute("UPDATE users SET needs_organization = TRUE");
    let mut browser = super::browser(test, "eve@example.com").await;
    let form = browser.get("/tokens/new").await;
    assert!(!form.contains("All of mine"), "{}", form.body);
    let (_, select) = form
        .body
        .split_once(r#"<select id="organization""#)
        .unwrap();
    let (_, value) = select.split_once(r#"value=""#).unwrap();
    let (organization, _) = value.split_once('"').unwrap();
    let fields = [("name", "x"), ("expires", "30d"), ("scope", DEPLOY)];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403);
    let limited = [&fields[..], &[("organization", organization)]].concat();
    let page = browser.post("/tokens/new", &limited).await;
    let token = page.attribute("data-token").unwrap();
    assert_eq!(
        scopes_at(test, &token, Some("mine")).await.as_deref(),
        Some(DEPLOY)
    );
}

/// A token without limits whose owner has only such an organization, as after a restored backup.
#[actix_web::test]
async fn token_without_limits_needs_an_organization_of_the_operator() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let wide = world.wide_token().await;
    test.organization_by(bob, "Mine").await;
    test.database.execute(&format!(
        "DELETE FROM membership WHERE organization_id = '{}' AND role = 'member'",
        acme.id
    ));
    assert_unnamed(test, &wide, Err(403)).await;
    assert_eq!(scopes_at(test, &wide, Some("acme")).await, None);
    let in_mine = scopes_at(test, &wide, Some("mine")).await;
    assert_eq!(
        in_mine.as_deref(),
        Some("app:deploy billing:close domain:purchase")
    );
    assert_eq!(route(test, MINE, &wide).await, 204);
}

/// The operator created the user without an organization: for an API without tenants.
#[actix_web::test]
async fn user_without_organization_works_until_joining_one() {
    let world = World::start().await;
    let World { test, acme, .. } = &world;
    let dan = user(test, "dan@example.com", None).await;
    let his = token(test, &dan, input(&[DEPLOY, "orgs:read"])).await;
    assert_unnamed(test, &his, Ok(&[DEPLOY, "orgs:read"])).await;
    assert_eq!(test.me(&his).await.status(), 200);

    // An organization of his own changes nothing.
    test.organization_by(&dan, "Own").await;
    assert_unnamed(test, &his, Ok(&[DEPLOY, "orgs:read"])).await;
    org::delete(&test.req(&OPERATOR), "own").await.unwrap();
    assert_unnamed(test, &his, Ok(&[DEPLOY, "orgs:read"])).await;

    // From now on he needs one that the operator created.
    test.add_member(acme, &dan, Role::Member).await;
    assert_unnamed(test, &his, Ok(&[DEPLOY, "orgs:read"])).await;
    test.unseat(acme, &dan).await;
    assert_unnamed(test, &his, Err(401)).await;
    let mut browser = browser(test, "dan@example.com").await;
    browser.get("/tokens/new").await;
    let fields = [("name", "x"), ("expires", "30d"), ("scope", DEPLOY)];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403);
    assert!(page.contains("Your account belongs to no organization that allows this token."));
}
