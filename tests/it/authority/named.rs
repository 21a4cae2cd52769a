//! Requests that name an organization or a project.

use super::{DEPLOY, PURCHASE, World, introspect, route, scopes_at, token, user, verify};
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::org;
use doorcode::domain::role::Role;
use serde_json::json;

const NOBODYS_PROJECT: &str = "prj_0198e4a0c0de7f00a1b2c3d4e5f60718";
const NOBODYS_ORGANIZATION: &str = "org_0198e4a0c0de7f00a1b2c3d4e5f60718";

#[actix_web::test]
async fn introspection_is_about_the_named_resource() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mine = test.organization_by(bob, "Mine").await;
    let red = test.project(acme, "Red").await;
    let blue = test.project(acme, "Blue").await;
    test.add_to(&red, bob).await;
    let own = test.project(&mine, "Own").await;
    let eve = user(test, "eve@example.com", None).await;
    let foreign = test.organization_by(&eve, "Foreign").await;
    let theirs = test.project(&foreign, "Theirs").await;
    let wide = world.wide_token().await;
    let everything = "app:deploy billing:close domain:purchase";
    for (name, value, expected) in [
        ("organization", "acme", Some(DEPLOY)),
        ("organization", acme.id.as_str(), Some(DEPLOY)),
        ("organization", "mine", Some(everything)),
        ("organization", mine.id.as_str(), Some(everything)),
        ("organization", "foreign", None),
        ("organization", foreign.id.as_str(), None),
        ("organization", "nowhere", None),
        ("organization", NOBODYS_ORGANIZATION, None),
        ("organization", "No Slug", None),
        ("organization", red.id.as_str(), None),
        ("project", red.id.as_str(), Some(DEPLOY)),
        ("project", blue.id.as_str(), None),
        ("project", own.id.as_str(), Some(everything)),
        ("project", theirs.id.as_str(), None),
        ("project", NOBODYS_PROJECT, None),
        ("project", "acme", None),
    ] {
        let answer = introspect(test, &wide, &[(name, value)]).await;
        assert_eq!(answer.status, 200, "{name}={value}");
        match expected {
            Some(scope) => assert_eq!(answer.body["scope"], scope, "{name}={value}"),
            None => assert_eq!(answer.body, json!({"active": false}), "{name}={value}"),
        }
    }
}

/// What was deleted is named by none: neither by its slug or id, nor by a project that was in it.
#[actix_web::test]
async fn deleted_resource_is_out_of_reach() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let second = test.organization(bob, "Second").await;
    let red = test.project(&second, "Red").await;
    let token = token(test, bob, input(&[DEPLOY])).await;
    let named = [
        ("organization", "second"),
        ("organization", second.id.as_str()),
        ("project", red.id.as_str()),
    ];
    let is_within = async |name: &str, value: &str| {
        let active = introspect(test, &token, &[(name, value)]).await.body["active"].clone();
        let query = format!("{name}={value}&scope={DEPLOY}");
        let status = verify(test, &query, &token).await;
        assert_eq!(
            status,
            if active == true { 204 } else { 403 },
            "{name}={value}"
        );
        active == true
    };
    for (name, value) in named {
        assert!(is_within(name, value).await, "{name}={value}");
    }
    org::delete(&test.req(&OPERATOR), "second").await.unwrap();
    for (name, value) in named {
        assert!(!is_within(name, value).await, "{name}={value}");
    }
}

#[actix_web::test]
async fn introspection_names_one_resource_at_most() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let red = test.project(acme, "Red").await;
    let token = token(test, bob, input(&[DEPLOY])).await;
    for named in [
        &[("organization", "acme"), ("project", red.id.as_str())][..],
        &[("organization", "acme"), ("organization", "acme")],
        &[("organization", "")],
        &[("project", "")],
    ] {
        let answer = introspect(test, &token, named).await;
        assert_eq!(
            (answer.status, answer.error()),
            (400, "invalid_request"),
            "{named:?}: {answer:?}"
        );
    }
    // Nor may it be overlooked in the query.
    let request = test
        .anon()
        .post(test.at("/auth/introspect?organization=nowhere"))
        .basic_auth(crate::support::API, Some(&test.api_secret))
        .form(&[("token", token)]);
    assert_eq!(request.send().await.unwrap().status(), 400);
}

/// The organization of a route counts like one in its path.
#[actix_web::test]
async fn route_names_its_organization() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    test.organization_by(bob, "Mine").await;
    let wide = world.wide_token().await;
    let eve = user(test, "eve@example.com", None).await;
    let outside = token(test, &eve, input(&[DEPLOY])).await;
    let expect = async |token: &str, rows: [(&str, u16); 7]| {
        for (at, status) in rows {
            assert_eq!(route(test, at, token).await, status, "{at}");
        }
    };
    let rows = |acme, acme_role, mine| {
        [
            ("GET /v1/acme/regions", acme),
            ("POST /v1/acme/domains", acme_role),
            ("POST /v1/lost/domains", 403),
            ("GET /v1/organizations/acme/regions", acme),
            ("POST /v1/organizations/acme/domains", acme_role),
            ("GET /v1/organizations/mine/regions", mine),
            ("POST /v1/organizations/mine/domains", mine),
        ]
    };
    expect(&wide, rows(204, 403, 204)).await;
    expect(&outside, rows(403, 403, 403)).await;
    test.add_member(acme, bob, Role::Admin).await;
    expect(&wide, rows(204, 204, 204)).await;
    assert_eq!(
        scopes_at(test, &wide, Some("acme")).await.as_deref(),
        Some(format!("{DEPLOY} {PURCHASE}").as_str())
    );
}
