//! Users outside the organizations of the operator.

use super::{
    DEPLOY, PURCHASE, World, assert_unnamed, browser, get, post, route, scopes_at, token, user,
    verify,
};
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::org::{self, UpdateOrganization, UpdatePolicy};
use doorcode::domain::policy::{Longest, PersonalTokens, Policy};
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
    assert!(!form.contains("All organizations that"), "{}", form.body);
    let (_, select) = form
        .body
        .split_once(r#"type="radio" name="organization""#)
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

/// An organization of another user, in which the user is a member or even an owner, neither takes
/// nor gives anything outside itself.
#[actix_web::test]
async fn own_organization_changes_nothing_for_a_user_of_the_operator() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let dan = user(test, "dan@example.com", None).await;
    let early = token(test, &dan, input(&[DEPLOY, "tokens:read"])).await;
    let mine = test.organization_by(bob, "Mine").await;
    let strict = Policy {
        personal_tokens: PersonalTokens::Admins,
        longest: Longest::Days(1),
        ..Policy::default()
    };
    let strict = UpdateOrganization {
        policy: Some(UpdatePolicy::to(strict)),
        ..UpdateOrganization::default()
    };
    let none = chrono::Duration::zero();
    org::update(&test.req(bob), "mine", strict, none)
        .await
        .unwrap();
    let mut browser = browser(test, "dan@example.com").await;
    for role in [Role::Member, Role::Owner] {
        test.add_member(&mine, &dan, role).await;
        assert_unnamed(test, &early, Ok(&[DEPLOY, "tokens:read"])).await;
        for path in ["/v1/me", "/v1/tokens"] {
            assert_eq!(get(test, path, &early).await.status, 200, "{role:?} {path}");
        }
        assert_eq!(scopes_at(test, &early, Some("mine")).await, None);

        browser.get("/tokens/new").await;
        let fields = [("name", "x"), ("expires", "never"), ("scope", DEPLOY)];
        let page = browser.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 200, "{role:?}: {}", page.body);
        let new = page.attribute("data-token").unwrap();
        assert_unnamed(test, &new, Ok(&[DEPLOY])).await;
        let device = test.device(&format!("{DEPLOY} {PURCHASE}")).await;
        browser
            .approve(&device.user_code, &[DEPLOY, PURCHASE])
            .await;
        let answer = test.poll(&device).await;
        assert_eq!(answer.body["scope"], DEPLOY, "{answer:?}");
        assert_eq!(answer.body["expires_in"], 90 * 24 * 3600, "{answer:?}");

        browser.get("/tokens/new").await;
        let fields = [("name", "x"), ("expires", "1d"), ("scope", PURCHASE)];
        let page = browser.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 422, "{role:?}");
        assert!(page.contains("Your role does not allow one of these scopes."));
    }
}
