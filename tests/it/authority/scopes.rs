//! Scopes with a least role: an organization of one's own gives none of them.

use super::{
    CLOSE, DEPLOY, PURCHASE, SCOPES, World, assert_unnamed, get, limited_to, post, route,
    scopes_at, token,
};
use crate::support::tenant::input;
use doorcode::domain::role::Role;
use serde_json::json;

/// The page and the API create an organization for a user, who owns it.
#[actix_web::test]
async fn user_creates_organizations_by_api_and_page() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let own = token(test, bob, input(&["orgs:read", "orgs:write"])).await;
    let made = post(test, "/v1/orgs", &own, json!({"name": "Mine"})).await;
    assert_eq!((made.status, &made.body["slug"]), (201, &json!("mine")));
    let mut browser = world.browser().await;
    let page = browser.post("/o/new", &[("name", "Mine Too")]).await;
    assert_eq!(page.location(), "/o/mine-too?done=created");

    for (path, made_by, role) in [
        ("/v1/orgs/mine", bob.user_id().unwrap().as_str(), "owner"),
        (
            "/v1/orgs/mine-too",
            bob.user_id().unwrap().as_str(),
            "owner",
        ),
        ("/v1/orgs/acme", "operator", "member"),
    ] {
        let answer = get(test, path, &own).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["made_by"], made_by, "{path}");
        assert_eq!(answer.body["role"], role, "{path}");
    }
    let made_by_users = format!("made_by = '{}'", bob.user_id().unwrap());
    assert_eq!(test.count("organization", &made_by_users), 2);
}

#[actix_web::test]
async fn console_and_api_refuse_scopes_of_a_higher_role() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let own = token(test, bob, input(&["tokens:write", DEPLOY])).await;
    let mut browser = world.browser().await;
    for scope in [PURCHASE, CLOSE] {
        browser.get("/tokens/new").await;
        let fields = [("name", "x"), ("expires", "30d"), ("scope", scope)];
        let page = browser.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 422, "{scope}");
        assert!(page.contains("Your role does not allow one of these scopes."));

        let body = json!({"name": "x", "scopes": [scope]});
        let answer = post(test, "/v1/tokens", &own, body).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.body["code"], "forbidden");
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
    assert_unnamed(test, &own, Ok(&[DEPLOY, "tokens:write"])).await;
}

/// The device's token has no such scope, in its response or anywhere else.
#[actix_web::test]
async fn device_gets_no_scope_of_a_higher_role() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let device = test.device(&SCOPES.join(" ")).await;
    let mut browser = world.browser().await;
    browser.approve(&device.user_code, &SCOPES).await;
    let answer = test.poll(&device).await;
    assert_eq!(answer.body["scope"], DEPLOY, "{answer:?}");
    let token = answer.token();
    assert_unnamed(test, &token, Ok(&[DEPLOY])).await;
    let me = test.me(&token).await;
    assert_eq!(me.status(), 200);
    let me: serde_json::Value = me.json().await.unwrap();
    assert_eq!(me["scopes"], json!([DEPLOY]));
    assert_eq!(me["token"]["scopes"], json!([DEPLOY]));
    assert_eq!(test.count("token", "scopes LIKE '%domain%'"), 0);
}

/// A token that has the scopes from an earlier role does not get them back by another
/// organization, except where that is named.
#[actix_web::test]
async fn scopes_of_an_earlier_role_stay_inactive() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let wide = world.wide_token().await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
    test.organization_by(bob, "Mine").await;
    assert_unnamed(test, &wide, Ok(&[DEPLOY])).await;
    let me: serde_json::Value = test.me(&wide).await.json().await.unwrap();
    assert_eq!(me["scopes"], json!([DEPLOY]));
    assert_eq!(
        scopes_at(test, &wide, Some("acme")).await.as_deref(),
        Some(DEPLOY)
    );
    assert_eq!(route(test, "POST /v1/acme/domains", &wide).await, 403);

    let everything = "app:deploy billing:close domain:purchase";
    assert_eq!(
        scopes_at(test, &wide, Some("mine")).await.as_deref(),
        Some(everything)
    );
    let in_mine = "POST /v1/organizations/mine/domains";
    assert_eq!(route(test, in_mine, &wide).await, 204);
}

/// With the limit, every scope is granted; where none is named, the token is inactive.
#[actix_web::test]
async fn device_of_an_own_organization_is_useful_only_there() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let device = test.device(&SCOPES.join(" ")).await;
    let mut browser = world.browser().await;
    let consent = browser.type_code(&device.user_code).await;
    let (ticket, code) = (consent.field("ticket"), consent.field("user_code"));
    let mut fields = vec![
        ("ticket", ticket.as_deref().unwrap()),
        ("user_code", code.as_deref().unwrap()),
        ("decision", "approve"),
        ("organization", "mine"),
    ];
    fields.extend(SCOPES.map(|scope| ("scope", scope)));
    let page = browser.post("/device/decide", &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let answer = test.poll(&device).await;
    let everything = "app:deploy billing:close domain:purchase";
    assert_eq!(answer.body["scope"], everything, "{answer:?}");
    let of_device = answer.token();
    let of_console = token(test, bob, limited_to("mine")).await;
    for limited in [of_device, of_console] {
        assert_unnamed(test, &limited, Err(403)).await;
        let scopes = scopes_at(test, &limited, Some("mine")).await;
        assert_eq!(scopes.as_deref(), Some(everything));
        assert_eq!(scopes_at(test, &limited, Some("acme")).await, None);
    }
}

/// The state of the whole audit log is for admins of the operator's organizations.
#[actix_web::test]
async fn owner_of_an_own_organization_cannot_verify_the_log() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    test.organization_by(bob, "Mine").await;
    let own = token(test, bob, input(&["audit:read"])).await;
    let mut limits = input(&["audit:read"]);
    limits.organization = Some("mine".into());
    let limited = token(test, bob, limits).await;
    for token in [&own, &limited] {
        let answer = get(test, "/v1/audit/verify", token).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (403, &json!("forbidden"))
        );
        let answer = get(test, "/v1/audit?organization=mine", token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    test.add_member(acme, bob, Role::Admin).await;
    let answer = get(test, "/v1/audit/verify", &own).await;
    assert_eq!((answer.status, &answer.body["valid"]), (200, &json!(true)));
}
