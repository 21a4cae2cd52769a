//! Rotating tokens.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;
use serde_json::json;

const HOUR: i64 = 3600;

#[actix_web::test]
async fn both_tokens_work_during_the_overlap_and_then_the_old_one_ends() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Rotating").await;
    let owner = Client::of(&test, &ada).await;
    let body =
        json!({"name": "ci", "scopes": ["orgs:read"], "expires": "30d", "organization": org.slug});
    let old = expect(owner.post("/v1/tokens", body).await, 201);
    let path = format!("/v1/tokens/{}/rotate", old["id"].as_str().unwrap());
    test.clock.advance(HOUR);
    let new = expect(owner.post(&path, json!({})).await, 201);
    for same in ["name", "scopes", "organization", "projects", "kind"] {
        assert_eq!(new[same], old[same], "{same}");
    }
    assert_eq!(new["replaces"], old["id"]);
    assert_ne!(new["token"], old["token"]);
    assert_ne!(
        new["expires_at"], old["expires_at"],
        "it lives as long again"
    );
    let clients = [&old, &new].map(|made| Client::new(&test, made["token"].as_str().unwrap()));
    test.clock.advance(24 * HOUR - 1);
    assert!(clients[0].is_active().await && clients[1].is_active().await);
    test.clock.advance(1);
    assert!(!clients[0].is_active().await);
    assert!(clients[1].is_active().await);
    let found = format!("/v1/tokens/{}", old["id"].as_str().unwrap());
    let shown = expect(owner.get(&found).await, 200);
    assert_eq!(shown["state"], "expired");
    assert_eq!(test.events("token.rotated"), 1);
}

#[actix_web::test]
async fn token_has_at_most_one_successor() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let token = test.token_of(&ada, input(&["tokens:read"])).await;
    let path = format!("/v1/tokens/{}/rotate", token.token.id);
    let requests = (0..20).map(|i| {
        let request = test
            .anon()
            .post(test.at(&path))
            .bearer_auth(&owner.token)
            .header("idempotency-key", format!("rotate-{i}"))
            .json(&json!({"overlap_seconds": 60}));
        async move { Answer::of(request.send().await.unwrap()).await }
    });
    let answers = futures_util::future::join_all(requests).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    assert!(
        answers
            .iter()
            .all(|answer| [201, 409].contains(&answer.status))
    );
    let condition = format!("replaces = '{}'", token.token.id);
    assert_eq!(test.count("token", &condition), 1);
    assert_eq!(test.events("token.rotated"), 1);
}

#[actix_web::test]
async fn without_overlap_the_old_token_ends_immediately() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let token = test.token_of(&ada, input(&["tokens:read"])).await;
    let path = format!("/v1/tokens/{}/rotate", token.token.id);
    let new = expect(owner.post(&path, json!({"overlap_seconds": 0})).await, 201);
    assert!(!Client::new(&test, text_of(&token)).is_active().await);
    let new = Client::new(&test, new["token"].as_str().unwrap());
    assert!(new.is_active().await);
    refused(owner.post(&path, json!({})).await, 409, "conflict");
    for bad in [
        json!({"overlap_seconds": -1}),
        json!({"overlap_seconds": 2_592_001}),
        json!({"overlap": 1}),
    ] {
        refused(owner.post(&path, bad).await, 422, "invalid");
    }
}

/// The caller receives the successor's text, so a rotation must not add permissions.
#[actix_web::test]
async fn token_rotates_itself_but_none_with_more_permissions() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let wide = test.token_of(&ada, input(&EVERYTHING)).await;
    let narrow = test.token_of(&ada, input(&["tokens:write"])).await;
    let client = Client::new(&test, text_of(&narrow));
    let rotate = |id: &str| format!("/v1/tokens/{id}/rotate");
    let path = rotate(wide.token.id.as_str());
    refused(client.post(&path, json!({})).await, 403, "forbidden");
    let path = rotate(narrow.token.id.as_str());
    expect(client.post(&path, json!({})).await, 201);
}

/// A token in its grace period gets a successor that lives no longer than the policies allow.
#[actix_web::test]
async fn successor_follows_the_current_policies() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let (one, two) = (
        test.organization(&ada, "One").await,
        test.organization(&ada, "Two").await,
    );
    let owner = Client::of(&test, &ada).await;
    let forever = CreateToken {
        expires: Some("never".into()),
        ..input(&["orgs:read"])
    };
    let old = test.token_of(&ada, forever).await;
    for org in [&one, &two] {
        let change = json!({"policy": {"max_lifetime_days": 30}});
        expect(
            owner.patch(&format!("/v1/orgs/{}", org.slug), change).await,
            200,
        );
    }
    let path = format!("/v1/tokens/{}/rotate", old.token.id);
    let new = expect(owner.post(&path, json!({})).await, 201);
    let successor = Client::new(&test, new["token"].as_str().unwrap());
    expect(successor.get("/v1/orgs/one").await, 200);
    test.clock.advance(30 * 24 * HOUR - 1);
    expect(successor.get("/v1/orgs/two").await, 200);
    test.clock.advance(1);
    assert!(!successor.is_active().await);
}

/// An overlap does not extend the expiry of the old token.
#[actix_web::test]
async fn overlap_never_extends_the_expiry() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let soon = CreateToken {
        expires: Some("30d".into()),
        ..input(&[])
    };
    let token = test.token_of(&ada, soon).await;
    test.clock.advance(30 * 24 * HOUR - 60);
    let path = format!("/v1/tokens/{}/rotate", token.token.id);
    expect(
        owner.post(&path, json!({"overlap_seconds": 3600})).await,
        201,
    );
    let old = Client::new(&test, text_of(&token));
    assert!(old.is_active().await);
    test.clock.advance(60);
    assert!(!old.is_active().await);
}

/// A scope that the owner's current role does not allow is inactive; it must not prevent the
/// rotation of the token.
#[actix_web::test]
async fn token_with_an_inactive_scope_rotates_only_itself() {
    let test = TestApp::with(
        "[organizations]\nhome = \"sleeping\"\n\
         [[scopes]]\nname = \"app:admin\"\ndescription = \"Administer\"\nmin_role = \"admin\"\n",
    )
    .await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Sleeping").await;
    test.add_member(&org, &bob, Role::Admin).await;
    let scopes = ["app:admin", "tokens:write"];
    let own = test.token_of(&bob, input(&scopes)).await;
    let other = test.token_of(&bob, input(&scopes)).await;
    test.add_member(&org, &bob, Role::Member).await;

    let client = Client::new(&test, text_of(&own));
    let rotate = |id: &str| format!("/v1/tokens/{id}/rotate");
    let path = rotate(other.token.id.as_str());
    refused(client.post(&path, json!({})).await, 403, "forbidden");
    let path = rotate(own.token.id.as_str());
    let new = expect(client.post(&path, json!({})).await, 201);
    assert_eq!(new["scopes"], json!(scopes));
    let scope = async || test.introspect(new["token"].as_str().unwrap()).await["scope"].clone();
    assert_eq!(scope().await, "tokens:write");
    test.add_member(&org, &bob, Role::Admin).await;
    assert_eq!(scope().await, "app:admin tokens:write");
}
