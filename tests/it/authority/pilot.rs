//! The API Authentication Basics of CloudAIPilot, claim by claim (SEEDS D1 to D20), with an
//! organization of a user beside.

use super::{CLOSE, DEPLOY, PURCHASE, World, browser, post, route};
use crate::support::tenant::OPERATOR;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::org::{self, UpdateOrganization, UpdatePolicy};
use doorcode::domain::policy::{PersonalTokens, Policy};
use doorcode::domain::role::Role;
use serde_json::json;

const ADMIN: &str = "carol@example.com";
const MEMBER: &str = "bob@example.com";
const REGIONS: &str = "GET /v1/regions";
const DEPLOYS: &str = "POST /v1/deploys";
const DOMAINS: &str = "POST /v1/domains";
const BILLING: &str = "DELETE /v1/billing";

/// Acme with a member who owns an organization, an admin and an owner.
async fn world() -> World {
    let world = World::start().await;
    world.test.organization_by(&world.bob, "Mine").await;
    let admin = Some(("Acme", Role::Admin));
    world.test.add_user(ADMIN, PASSWORD, admin).await;
    world
}

/// Status of a route for this `Authorization` header.
async fn with_header(test: &TestApp, header: Option<&str>) -> u16 {
    let mut request = test
        .anon()
        .get(test.at("/auth/verify"))
        .header("x-original-method", "GET")
        .header("x-original-uri", "/v1/regions");
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    request.send().await.unwrap().status().as_u16()
}

/// D1: with this policy, an owner or admin creates tokens, and a member does not.
#[actix_web::test]
async fn policy_requires_an_owner_or_admin() {
    let world = world().await;
    let test = &world.test;
    let admins = Policy {
        personal_tokens: PersonalTokens::Admins,
        ..Policy::default()
    };
    let change = UpdateOrganization {
        policy: Some(UpdatePolicy::to(admins)),
        ..UpdateOrganization::default()
    };
    let (req, none) = (test.req(&OPERATOR), chrono::Duration::zero());
    org::update(&req, "acme", change, none).await.unwrap();
    for email in [EMAIL, ADMIN] {
        let mut browser = browser(test, email).await;
        let token = browser.new_token("CI", &[DEPLOY], "30d").await;
        assert_eq!(route(test, DEPLOYS, &token).await, 204);
    }
    let mut member = browser(test, MEMBER).await;
    member.get("/tokens/new").await;
    let fields = [("name", "CI"), ("expires", "30d"), ("scope", DEPLOY)];
    let page = member.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403);
    assert!(page.contains("only admins and owners create personal tokens"));
}

/// D2 to D8, D15 and D17: a named token is shown once, and every request needs it.
#[actix_web::test]
async fn token_is_shown_once_and_every_request_needs_it() {
    let world = world().await;
    let test = &world.test;
    let mut admin = browser(test, ADMIN).await;
    assert!(admin.get("/tokens").await.contains(r#"href="/tokens/new""#));
    admin.get("/tokens/new").await;
    let page = admin.post("/tokens/new", &[("expires", "30d")]).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="name-error""#));
    let name = "CI/CD pipeline token";
    let fields = [("name", name), ("expires", "30d"), ("scope", DEPLOY)];
    let page = admin.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").unwrap();
    for warned in [
        "secret manager",
        "environment variable",
        "password manager",
        "Never commit it",
    ] {
        assert!(page.contains(warned), "{warned}");
    }
    let list = admin.get("/tokens").await;
    assert!(list.contains(name) && !list.contains(&token));

    let bearer = format!("Bearer {token}");
    assert_eq!(with_header(test, Some(&bearer)).await, 204);
    assert_eq!(with_header(test, None).await, 401);
    for malformed in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Token {token}"),
        format!("Basic {token}"),
        format!("Bearer {token} x"),
        format!("Bearer \"{token}\""),
    ] {
        assert_eq!(
            with_header(test, Some(&malformed)).await,
            401,
            "{malformed}"
        );
    }
    let me = test.me(&token).await;
    assert_eq!(me.status(), 200);
    assert!(
        me.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/json")
    );
}

/// D9 to D11, D18 and D19: a token does what its user may do, now.
#[actix_web::test]
async fn token_has_the_permissions_of_its_user() {
    let world = world().await;
    let test = &world.test;
    for (email, scopes, statuses) in [
        (MEMBER, &[DEPLOY][..], [204, 204, 403, 403]),
        (ADMIN, &[DEPLOY, PURCHASE], [204, 204, 204, 403]),
        (EMAIL, &[DEPLOY, PURCHASE, CLOSE], [204; 4]),
    ] {
        let mut browser = browser(test, email).await;
        for scope in [DEPLOY, PURCHASE, CLOSE] {
            browser.get("/tokens/new").await;
            let fields = [("name", "x"), ("expires", "30d"), ("scope", scope)];
            let page = browser.post("/tokens/new", &fields).await;
            let expected = if scopes.contains(&scope) { 200 } else { 422 };
            assert_eq!(page.status, expected, "{email} {scope}");
        }
        let token = browser.new_token("CI", scopes, "30d").await;
        for (at, status) in [REGIONS, DEPLOYS, DOMAINS, BILLING]
            .into_iter()
            .zip(statuses)
        {
            assert_eq!(route(test, at, &token).await, status, "{email} {at}");
        }
    }
}

/// D12 to D14, D16 and D20: rotation, revocation and expiry.
#[actix_web::test]
async fn token_is_replaced_revoked_and_expires() {
    let world = world().await;
    let test = &world.test;
    let mut admin = browser(test, ADMIN).await;
    let old = admin.new_token("old", &[DEPLOY], "90d").await;
    let new = admin.new_token("new", &[DEPLOY], "30d").await;
    for token in [&old, &new] {
        assert_eq!(route(test, DEPLOYS, token).await, 204);
    }
    let id = test
        .database
        .text("SELECT id FROM token WHERE name = 'old'");
    let revoke = format!("/tokens/{id}/revoke");
    assert!(
        admin
            .get("/tokens")
            .await
            .contains(&format!(r#"href="{revoke}""#))
    );
    assert_eq!(admin.post(&revoke, &[]).await.status, 303);
    assert_eq!(route(test, DEPLOYS, &old).await, 401);
    assert_eq!(route(test, DEPLOYS, &new).await, 204);

    // A lost token is in no answer again.
    let id = test
        .database
        .text("SELECT id FROM token WHERE name = 'new'");
    for path in ["/tokens".to_owned(), format!("/tokens/{id}")] {
        assert!(!admin.get(&path).await.contains(&new), "{path}");
    }
    let reader = admin.new_token("reader", &["tokens:read"], "90d").await;
    let found = super::get(test, &format!("/v1/tokens/{id}"), &reader).await;
    assert_eq!(found.body["token"], json!(null), "{found:?}");
    let body = json!({"name": "x", "scopes": []});
    assert_eq!(post(test, "/v1/tokens", &reader, body).await.status, 403);

    test.clock.advance(31 * 86_400);
    assert_eq!(route(test, DEPLOYS, &new).await, 401);
    assert_eq!(route(test, REGIONS, &reader).await, 204);
}
