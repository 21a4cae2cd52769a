//! The home organization, which counts where a request names none.

use super::{
    CLOSE, DEPLOY, PURCHASE, SCOPES, World, assert_unnamed, limited_to, route, settings, token,
    user, verify,
};
use crate::support::tenant::{OPERATOR, input};
use doorcode::domain::role::Role;

/// A route for admins that names no organization.
const FOR_ADMINS: &str = "[[routes]]\nmatch = \"GET /v1/members\"\nrole = \"admin\"\n";

const IN_ACME: &str = "POST /v1/organizations/acme/domains";

/// The only organization that the operator created counts, until there is a second one.
#[actix_web::test]
async fn second_organization_of_the_operator_ends_the_roles() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let wide = world.wide_token().await;
    test.add_member(acme, bob, Role::Admin).await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY, PURCHASE])).await;
    // Those of users are no second one.
    test.organization_by(bob, "Mine").await;
    let eve = user(test, "eve@example.com", None).await;
    test.organization_by(&eve, "Hers").await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY, PURCHASE])).await;

    let second = test.organization(&eve, "Second").await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
    assert_eq!(route(test, IN_ACME, &wide).await, 204);
    test.add_member(&second, bob, Role::Owner).await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
    // With a home there may be several.
    let with_home = test.second_server(&settings("acme")).await;
    assert_unnamed(&with_home, &wide, Ok(&[DEPLOY, PURCHASE])).await;
    let with_home = test.second_server(&settings(second.id.as_str())).await;
    assert_unnamed(&with_home, &wide, Ok(&[DEPLOY, PURCHASE, CLOSE])).await;

    let operator = test.req(&OPERATOR);
    let deleted = doorcode::app::org::delete(&operator, "second").await;
    assert_eq!(deleted.unwrap().id, second.id);
    // A deletion gives no other organization the place of the only one.
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
}

/// Without access to the home organization, a token is inactive where none is named.
#[actix_web::test]
async fn home_organization_alone_counts() {
    let world = World::with_home("home").await;
    let World { test, acme, bob } = &world;
    let wide = world.wide_token().await;
    test.add_member(acme, bob, Role::Owner).await;
    let dan = user(test, "dan@example.com", None).await;
    // It does not exist yet.
    assert_unnamed(test, &wide, Err(403)).await;
    assert_eq!(route(test, IN_ACME, &wide).await, 204);

    let home = test.organization(&dan, "Home").await;
    assert_unnamed(test, &wide, Err(403)).await;
    test.add_member(&home, bob, Role::Member).await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
    test.add_member(&home, bob, Role::Admin).await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY, PURCHASE])).await;
    let his = token(test, &dan, input(&[DEPLOY, CLOSE])).await;
    assert_unnamed(test, &his, Ok(&[DEPLOY, CLOSE])).await;
    test.unseat(&home, bob).await;
    assert_unnamed(test, &wide, Err(403)).await;
    assert_eq!(route(test, IN_ACME, &wide).await, 204);
}

/// A token that is limited to another organization, where its owner has a higher role, does nothing in
/// the home, nor is its owner's role in the home too little for it elsewhere.
#[actix_web::test]
async fn role_of_another_organization_is_none_in_the_home() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let second = test.organization(bob, "Second").await;
    let free = token(test, bob, input(&SCOPES)).await;
    let in_second = token(test, bob, limited_to("second")).await;
    let settings = format!("{}{FOR_ADMINS}", settings("acme"));
    let server = test.second_server(&settings).await;
    for (role, status) in [(Role::Member, 403), (Role::Admin, 204)] {
        test.add_member(acme, bob, role).await;
        assert_eq!(route(&server, "GET /v1/members", &free).await, status);
        assert_unnamed(&server, &in_second, Err(403)).await;
        assert_eq!(route(&server, "GET /v1/members", &in_second).await, 403);
        let named = format!("organization={}", second.id);
        for scope in [DEPLOY, PURCHASE, CLOSE] {
            let query = format!("{named}&scope={scope}");
            assert_eq!(verify(&server, &query, &in_second).await, 204, "{scope}");
        }
    }
}

/// With a home organization, users without organizations are outside.
#[actix_web::test]
async fn user_without_organization_needs_the_home_organization() {
    let world = World::start().await;
    let test = &world.test;
    let dan = user(test, "dan@example.com", None).await;
    let his = token(test, &dan, input(&[DEPLOY])).await;
    assert_unnamed(test, &his, Ok(&[DEPLOY])).await;
    for home in ["acme", "nowhere"] {
        let with_home = test.second_server(&settings(home)).await;
        assert_unnamed(&with_home, &his, Err(403)).await;
        // A new token would be of no use.
        let mut browser = super::browser(&with_home, "dan@example.com").await;
        browser.get("/tokens/new").await;
        let fields = [("name", "x"), ("expires", "30d"), ("scope", DEPLOY)];
        let page = browser.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 403, "{home}");
        assert!(page.contains("Your account belongs to no organization that allows this token."));
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
}

/// The API learns the home organization, like a named one.
#[actix_web::test]
async fn home_organization_is_named_to_the_api() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mine = test.organization_by(bob, "Mine").await;
    let own = token(test, bob, input(&[DEPLOY])).await;
    for (home, expected) in [
        ("", None),
        ("acme", Some(acme.id.as_str())),
        (mine.id.as_str(), Some(mine.id.as_str())),
    ] {
        let server = test.second_server(&settings(home)).await;
        let request = test
            .anon()
            .get(server.at("/auth/verify?scope=app:deploy"))
            .bearer_auth(&own);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 204, "{home}");
        let organization = response.headers().get("x-auth-organization-id");
        let organization = organization.map(|value| value.to_str().unwrap());
        assert_eq!(organization, expected, "{home}");
    }
}
