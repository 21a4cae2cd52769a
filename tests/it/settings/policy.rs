//! `[new_organizations]`, `[organizations] plan_needed_for`, and who creates personal tokens.

use super::{get, post, route, send};
use crate::support::device::Answer;
use crate::support::tenant::{OPERATOR as OPERATOR_CALLER, input, text_of, user_of};
use crate::support::{OPERATOR, PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::org;
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = r#"
[[scopes]]
name = "api:member"
description = "Use the API"

[[routes]]
match = "GET /v1/servers"
scope = "api:member"
"#;

/// Acme with its owner Ada, and the member Bob.
struct World {
    test: TestApp,
    acme: Organization,
    bob: Caller,
}

impl World {
    async fn start(settings: &str) -> Self {
        let test = TestApp::with(&format!("{settings}{API}")).await;
        let acme = org::find(&test.req(&OPERATOR_CALLER), "acme").await;
        let acme = acme.unwrap().organization;
        let bob = test.caller("bob@example.com").await;
        test.add_member(&acme, &bob, Role::Member).await;
        Self { test, acme, bob }
    }

    /// Changes Acme as the operator.
    async fn change(&self, body: Value) -> Answer {
        let at = ("/v1/orgs/acme", OPERATOR);
        let answer = send(&self.test, Method::PATCH, at, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// A token that Bob creates, with the scopes for the API and for creating tokens.
    async fn own_token(&self) -> String {
        let token = self
            .test
            .token_of(&self.bob, input(&["api:member", "tokens:write"]));
        text_of(&token.await).to_owned()
    }

    /// Creates a token for Bob as the operator.
    async fn token_by_operator(&self) -> Answer {
        let request = self
            .test
            .anon()
            .post(self.test.at("/v1/tokens"))
            .bearer_auth(OPERATOR)
            .header("x-actor-user-id", user_of(&self.bob).as_str())
            .header("idempotency-key", self.test.app.draw_request_id().as_ref())
            .json(&json!({"name": "by the operator", "scopes": ["api:member", "tokens:write"]}));
        Answer::of(request.send().await.unwrap()).await
    }

    async fn status(&self, token: &str) -> u16 {
        route(&self.test, "GET /v1/servers", token).await
    }
}

#[actix_web::test]
async fn only_admins_create_tokens_but_members_use_theirs() {
    let world = World::start("").await;
    let World { test, acme, bob } = &world;
    let early = world.own_token().await;
    assert_eq!(world.status(&early).await, 204);

    // The review names Bob's token, and the operator's change leaves it no grace.
    let effects = "/v1/orgs/acme/policy/effects?created_by=admins";
    let effects = get(test, effects, OPERATOR).await;
    assert_eq!(
        effects.body["items"][0]["violation"], "creator",
        "{effects:?}"
    );
    let policy = json!({"policy": {"created_by": "admins"}, "grace_seconds": 0});
    let changed = world.change(policy).await;
    assert_eq!(changed.body["policy"]["created_by"], "admins");
    assert_eq!(changed.body["policy"]["personal_tokens"], "members");
    assert_eq!(world.status(&early).await, 403);

    // Neither page, API nor device gives Bob a token, and each names the rule.
    let mut browser = test.browser();
    browser.sign_in("bob@example.com", PASSWORD).await;
    browser.get("/tokens/new").await;
    let fields = [("name", "x"), ("expires", "30d"), ("scope", "api:member")];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(
        page.contains("only admins and owners create personal tokens"),
        "{}",
        page.body
    );
    let body = json!({"name": "x", "scopes": ["api:member"]});
    let by_api = post(test, "/v1/tokens", &early, body).await;
    assert_eq!(by_api.status, 403, "{by_api:?}");
    let device = test.device("api:member").await;
    let consent = browser.type_code(&device.user_code).await;
    assert!(consent.contains("admins and owners"), "{}", consent.body);

    // The operator's token for Bob works with Bob's role, and creates no other.
    let made = world.token_by_operator().await;
    assert_eq!(made.status, 201, "{made:?}");
    let given = made.body["token"].as_str().unwrap();
    test.canaries.add(given);
    assert_eq!(world.status(given).await, 204);
    let body = json!({"name": "x", "scopes": ["api:member"]});
    let refused = post(test, "/v1/tokens", given, body).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (403, &json!("policy"))
    );
    let path = format!("/v1/tokens/{}/rotate", made.body["id"].as_str().unwrap());
    assert_eq!(post(test, &path, given, json!({})).await.status, 403);
    assert_eq!(world.status(given).await, 204);

    // An admin creates tokens, which stop when the role does; the earlier token works meanwhile.
    test.add_member(acme, bob, Role::Admin).await;
    let own = world.own_token().await;
    assert_eq!(
        (world.status(&own).await, world.status(&early).await),
        (204, 204)
    );
    test.add_member(acme, bob, Role::Member).await;
    assert_eq!(
        (world.status(&own).await, world.status(given).await),
        (403, 204)
    );
    world
        .change(json!({"policy": {"created_by": "members"}}))
        .await;
    assert_eq!(
        (world.status(&own).await, world.status(&early).await),
        (204, 204)
    );
}

#[actix_web::test]
async fn page_changes_who_creates_tokens() {
    let world = World::start("").await;
    let mut browser = world.test.user().await;
    let path = "/o/acme/settings/policy";
    let page = browser.get(path).await;
    assert!(page.contains(r#"name="created_by""#), "{}", page.body);
    let fields = [
        ("personal_tokens", "members"),
        ("max_lifetime", "none"),
        ("never", "yes"),
    ];
    let with = |created_by| [&fields[..], &[("created_by", created_by)]].concat();
    let created_by = async || {
        let read = get(&world.test, "/v1/orgs/acme", OPERATOR).await;
        read.body["policy"]["created_by"].clone()
    };
    assert_eq!(browser.post(path, &with("admins")).await.status, 303);
    assert_eq!(created_by().await, "admins");
    // A form without the field keeps the rule.
    assert_eq!(browser.post(path, &fields).await.status, 303);
    assert_eq!(created_by().await, "admins");
    assert_eq!(browser.post(path, &with("members")).await.status, 303);
    assert_eq!(created_by().await, "members");
}

#[actix_web::test]
async fn new_organizations_have_the_configured_plan_and_policy() {
    let settings = "[new_organizations]\nplan = \"free\"\npersonal_tokens = \"admins\"\n\
                    created_by = \"admins\"\nmax_lifetime_days = 90\n";
    let world = World::start(settings).await;
    let test = &world.test;
    // Acme is older than the setting.
    let acme = get(test, "/v1/orgs/acme", OPERATOR).await;
    assert_eq!(
        (&acme.body["plan"], &acme.body["policy"]["created_by"]),
        (&json!("team"), &json!("members"))
    );
    let made = test.organization(&world.bob, "By API").await;
    assert_eq!(made.slug, "by-api");
    test.add_user(
        "eve@example.com",
        PASSWORD,
        Some(("By Command", Role::Owner)),
    )
    .await;
    for slug in ["by-api", "by-command"] {
        let found = get(test, &format!("/v1/orgs/{slug}"), OPERATOR).await;
        assert_eq!(found.body["plan"], "free", "{slug}");
        let policy = json!({
            "personal_tokens": "admins",
            "created_by": "admins",
            "max_lifetime_days": 90,
            "never_expires": false,
        });
        assert_eq!(found.body["policy"], policy, "{slug}");
    }
}

#[actix_web::test]
async fn plan_can_gate_personal_tokens_too() {
    let open = World::start("").await;
    let early = open.own_token().await;
    open.change(json!({"plan": "free"})).await;
    assert_eq!(
        open.status(&early).await,
        204,
        "personal tokens need no plan by default"
    );

    let gate = "[organizations]\nplan_needed_for = \"all_tokens\"\n";
    let world = World::start(gate).await;
    let World { test, bob, .. } = &world;
    let personal = world.own_token().await;
    assert_eq!(world.status(&personal).await, 204);
    world
        .change(json!({"plan": "free", "grace_seconds": 0}))
        .await;
    assert_eq!(world.status(&personal).await, 403);
    let body = json!({"name": "x", "scopes": ["api:member"]});
    let refused = post(test, "/v1/tokens", &personal, body).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (403, &json!("plan_required"))
    );
    assert_eq!(world.token_by_operator().await.status, 403);

    // Another organization of his with the plan still takes his tokens.
    let other = test.organization(bob, "Other").await;
    let limited = doorcode::app::token::CreateToken {
        organization: Some("other".into()),
        ..input(&["api:member"])
    };
    let limited = test.token_of(bob, limited).await;
    assert_eq!(world.status(text_of(&limited)).await, 204, "{}", other.slug);

    // With the plan, all of them work again.
    world.change(json!({"plan": "team"})).await;
    assert_eq!(world.status(&personal).await, 204);
}

#[actix_web::test]
async fn downgrade_has_a_grace_for_personal_tokens() {
    let world = World::start("[organizations]\nplan_needed_for = \"all_tokens\"\n").await;
    let personal = world.own_token().await;
    world
        .change(json!({"plan": "free", "grace_seconds": 604_800}))
        .await;
    assert_eq!(world.status(&personal).await, 204);
    world.test.clock.advance(7 * 24 * 3600 + 1);
    assert_eq!(world.status(&personal).await, 403);
}

/// A user whom no rule allows a token sees no button for one, and which rule it is.
#[actix_web::test]
async fn pages_offer_no_token_that_a_rule_refuses() {
    let world = World::start("[organizations]\nplan_needed_for = \"all_tokens\"\n").await;
    let mut bob = world.test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    let list = bob.get("/tokens").await;
    assert!(list.contains("/tokens/new"), "{}", list.body);
    let of_acme = "/o/acme/settings/api-tokens";
    assert!(
        bob.get(of_acme)
            .await
            .contains("or create a personal token")
    );

    let own = world.own_token().await;
    assert_eq!(world.status(&own).await, 204);
    for (change, reason) in [
        (
            json!({"policy": {"created_by": "admins"}, "grace_seconds": 0}),
            "to create one for you",
        ),
        (
            json!({"policy": {"personal_tokens": "admins"}, "grace_seconds": 0}),
            "to change your role",
        ),
        (
            json!({"plan": "free", "grace_seconds": 0}),
            "The plan “free” has no tokens.",
        ),
    ] {
        world.change(change).await;
        let list = bob.get("/tokens").await;
        assert!(list.contains(reason), "{reason}: {}", list.body);
        for absent in ["/tokens/new", "/rotate"] {
            assert!(!list.contains(absent), "{reason}: {absent}");
        }
        // What exists can still be revoked.
        assert!(list.contains("/revoke-all"), "{reason}");
        let page = bob.get(of_acme).await;
        assert!(page.contains("For admins and owners"), "{}", page.body);
        assert!(!page.contains("create a personal token"), "{reason}");
    }
    let mut owner = world.test.user().await;
    let page = owner.get(of_acme).await;
    assert!(page.contains("has no organization tokens"), "{}", page.body);
    assert!(!page.contains("create a personal token"));

    // Another organization that allows tokens gives Bob the button back.
    let other = world.test.organization(&world.bob, "Other").await;
    let body = json!({"plan": "team"});
    let at = format!("/v1/orgs/{}", other.slug);
    let changed = send(&world.test, Method::PATCH, (&at, OPERATOR), body).await;
    assert_eq!(changed.status, 200);
    assert!(bob.get("/tokens").await.contains("/tokens/new"));
}

/// Without scopes, the form for a token says what tokens can do.
#[actix_web::test]
async fn form_without_scopes_names_the_role() {
    let settings = "[tokens]\nbuiltin_scopes = \"hide\"\n\
        [[routes]]\nmatch = \"GET /v1/servers\"\nrole = \"member\"\n";
    let test = TestApp::empty(settings).await;
    let ada = test.caller("ada@example.com").await;
    test.organization(&ada, "Acme").await;
    let mut owner = test.browser();
    owner.sign_in("ada@example.com", PASSWORD).await;
    let form = owner.get("/tokens/new").await;
    assert!(
        form.contains("a token can do what your role allows"),
        "{}",
        form.body
    );
    assert!(!form.contains("Presets") && !form.contains("name=\"scope\""));
    let token = owner.new_token("by role", &[], "30d").await;
    assert_eq!(route(&test, "GET /v1/servers", &token).await, 204);
}
