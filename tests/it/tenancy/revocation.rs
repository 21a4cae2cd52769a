//! Bulk revocation of tokens.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::database::AUDIT;
use crate::support::tenant::{input, text_of, user_of};
use crate::support::{CLI, OPERATOR, TestApp};
use doorcode::app::token::{CreateToken, NewToken};
use doorcode::domain::id::UserId;
use serde_json::json;

#[actix_web::test]
async fn all_tokens_of_a_user_are_revoked() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let bob = test.caller("bob@x.example").await;
    let (first, second) = (Client::of(&test, &ada).await, Client::of(&test, &ada).await);
    let other = Client::of(&test, &bob).await;
    let answer = expect(first.post("/v1/tokens/revoke-all", json!({})).await, 200);
    assert_eq!(answer["revoked"], 2);
    assert!(!first.is_active().await && !second.is_active().await);
    assert!(other.is_active().await);
    assert_eq!(test.events("token.revoked"), 1);
}

#[actix_web::test]
async fn all_tokens_issued_before_a_time_are_revoked() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let old = Client::of(&test, &ada).await;
    test.clock.advance(10);
    let moment = test.app.now().to_rfc3339();
    let new = Client::of(&test, &ada).await;
    let body = json!({"issued_before": moment});
    let answer = expect(new.post("/v1/tokens/revoke-all", body).await, 200);
    assert_eq!(answer["revoked"], 1);
    assert!(!old.is_active().await);
    assert!(new.is_active().await);
    let bad = json!({"issued_before": "yesterday"});
    refused(new.post("/v1/tokens/revoke-all", bad).await, 422, "invalid");
}

#[actix_web::test]
async fn only_the_tokens_of_the_organization_are_revoked() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Mine").await;
    let other = test.organization(&ada, "Other").await;
    let owner = Client::of(&test, &ada).await;
    let mine = test.organization_token(&org, input(&[])).await;
    let theirs = test.organization_token(&other, input(&[])).await;
    let path = format!("/v1/orgs/{}/tokens/revoke-all", org.slug);
    let answer = expect(owner.post(&path, json!({})).await, 200);
    assert_eq!(answer["revoked"], 1);
    assert!(!Client::new(&test, text_of(&mine)).is_active().await);
    assert!(Client::new(&test, text_of(&theirs)).is_active().await);
    assert!(
        owner.is_active().await,
        "personal tokens are not the organization's"
    );
}

#[actix_web::test]
async fn operator_revokes_by_user_by_client_and_by_time() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let operator = Client::new(&test, OPERATOR);
    let (hers, his) = (Client::of(&test, &ada).await, Client::of(&test, &bob).await);
    let path = format!("/v1/users/{}/revoke-all", user_of(&ada));
    let answer = expect(operator.post(&path, json!({})).await, 200);
    assert_eq!(answer["revoked"], 1);
    assert!(!hers.is_active().await);
    assert!(his.is_active().await);

    let device = Client::new(&test, &test.token(&["tokens:read"]).await);
    let path = format!("/v1/clients/{}/revoke-all", CLI);
    let answer = expect(operator.post(&path, json!({})).await, 200);
    assert_eq!(answer["revoked"], 1);
    assert!(!device.is_active().await);
    assert!(his.is_active().await);

    let refused_without = operator.post("/v1/tokens/revoke-all", json!({})).await;
    refused(refused_without, 422, "invalid");
    test.clock.advance(1);
    let moment = test.app.now().to_rfc3339();
    let later = Client::of(&test, &bob).await;
    let body = json!({"issued_before": moment});
    expect(operator.post("/v1/tokens/revoke-all", body).await, 200);
    assert!(!his.is_active().await);
    assert!(later.is_active().await);
    for path in ["/v1/users", "/v1/clients"] {
        refused(later.get(path).await, 403, "operator_required");
    }
}

/// REV-02: repeating it causes neither an error nor a second record.
#[actix_web::test]
async fn revoking_twice_is_one_revocation() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let token = test.token_of(&ada, input(&EVERYTHING)).await;
    let path = format!("/v1/tokens/{}", token.token.id);
    for _ in 0..2 {
        expect(owner.delete(&path).await, 204);
    }
    let shown = expect(owner.get(&path).await, 200);
    assert_eq!(shown["state"], "revoked");
    assert_eq!(shown["revoked_reason"], "revoked_by_owner");
    assert!(
        shown["revoked_by"].as_str().unwrap().starts_with("tok_"),
        "{shown}"
    );
    assert_eq!(test.events("token.revoked"), 1);
}

/// A token created with a client's token must not outlive the client.
#[actix_web::test]
async fn tokens_created_with_a_clients_token_end_with_the_client() {
    let test = TestApp::start().await;
    let operator = Client::new(&test, OPERATOR);
    let given = test.token(&["tokens:read", "tokens:write"]).await;
    let given = Client::new(&test, &given);
    let body = json!({"name": "n", "scopes": ["tokens:write"]});
    let mut made = Vec::new();
    for path in ["/v1/tokens", "/v1/orgs/acme/tokens"] {
        let first = expect(given.post(path, body.clone()).await, 201);
        let maker = Client::new(&test, first["token"].as_str().unwrap());
        let second = expect(maker.post("/v1/tokens", body.clone()).await, 201);
        let rotate = format!("/v1/tokens/{}/rotate", second["id"].as_str().unwrap());
        let third = expect(maker.post(&rotate, json!({})).await, 201);
        made.extend([first, second, third]);
    }
    let ada = UserId::parse(&test.database.text("SELECT id FROM users")).unwrap();
    let console = test.signed_in(&ada).await;
    let console = test.token_of(&console, input(&["tokens:write"])).await;
    assert_eq!(console.token.client_id, None);
    let rotate = format!("/v1/tokens/{}/rotate", console.token.id);
    made.push(expect(
        given.post(&rotate, json!({"overlap_seconds": 0})).await,
        201,
    ));
    for token in &made {
        assert_eq!(token["client_id"], CLI, "{token}");
    }
    let made: Vec<_> = made
        .iter()
        .map(|token| Client::new(&test, token["token"].as_str().unwrap()))
        .collect();
    let client = format!("/v1/clients/{CLI}");
    for (state, is_active) in [("disabled", false), ("active", true)] {
        let answer = operator.patch(&client, json!({"state": state})).await;
        expect(answer, 200);
        for token in &made {
            assert_eq!(token.is_active().await, is_active, "{state}");
        }
    }
    let answer = operator
        .post(&format!("{client}/revoke-all"), json!({}))
        .await;
    assert_eq!(expect(answer, 200)["revoked"], made.len() + 1);
    for token in &made {
        assert!(!token.is_active().await);
    }
}

/// A record names at most a hundred tokens and has the total count.
#[actix_web::test]
async fn record_names_a_hundred_tokens_and_counts_all() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let bob = test.caller("bob@x.example").await;
    let org = test.organization(&ada, "Vast").await;
    let owner = Client::of(&test, &ada).await;
    let expires = Some("never".to_owned());
    let never = || CreateToken {
        expires: expires.clone(),
        ..input(&[])
    };
    for _ in 0..103 {
        test.organization_token(&org, never()).await;
    }
    let at = format!("/v1/orgs/{}", org.slug);
    let effects = format!("{at}/policy/effects?never_expires=false");
    let first = expect(owner.get(&format!("{effects}&limit=100")).await, 200);
    assert_eq!(first["items"].as_array().unwrap().len(), 100);
    let all = owner.all(&format!("{effects}&limit=100")).await;
    assert_eq!(all.len(), 103);
    let different: std::collections::BTreeSet<_> =
        all.iter().filter_map(|id| id.as_str()).collect();
    assert_eq!(different.len(), 103);
    let change = json!({"policy": {"never_expires": false}});
    expect(owner.patch(&at, change).await, 200);
    let detail = |action: &str| -> serde_json::Value {
        let sql = format!("SELECT detail FROM {AUDIT} WHERE action = '{action}'");
        serde_json::from_str(&test.database.text(&sql)).unwrap()
    };
    let changed = detail("organization.policy_changed");
    assert_eq!(changed["count"], 103);
    assert_eq!(changed["tokens"].as_array().unwrap().len(), 100);

    // Tokens of other owners stay active.
    let other = Client::of(&test, &bob).await;
    let answer = expect(
        owner
            .post(&format!("{at}/tokens/revoke-all"), json!({}))
            .await,
        200,
    );
    assert_eq!(answer["revoked"], 103);
    let revoked = detail("token.revoked");
    assert_eq!(revoked["count"], 103);
    let tokens = revoked["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| token["token_name"].is_string()));
    assert_eq!(test.count("token", "revoked_at IS NOT NULL"), 103);
    assert!(other.is_active().await && owner.is_active().await);
    assert_eq!(test.events("token.revoked"), 1);
}

/// The record of a revocation of several tokens says what they were, as that of a single one does.
/// The name of a personal token is only in records of its user, with whom they are erased.
#[actix_web::test]
async fn record_of_several_tokens_has_their_scopes_and_names() {
    let test = TestApp::start().await;
    let operator = Client::new(&test, OPERATOR);
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Acme B").await;
    let owner = Client::of(&test, &ada).await;
    let named = |name: &str| CreateToken {
        name: name.to_owned(),
        ..input(&["orgs:read", "tokens:read"])
    };
    let newest = || {
        let sql = format!(
            "SELECT detail FROM {AUDIT} WHERE action = 'token.revoked' ORDER BY id DESC LIMIT 1"
        );
        serde_json::from_str::<serde_json::Value>(&test.database.text(&sql)).unwrap()["tokens"]
            .take()
    };
    let with_name = |token: &NewToken| {
        let (id, name) = (token.token.id.as_str(), &token.token.name);
        json!({"token_id": id, "token_name": name, "scopes": "orgs:read tokens:read"})
    };
    let without_name = |token: &NewToken| {
        let id = token.token.id.as_str();
        json!({"token_id": id, "scopes": "orgs:read tokens:read"})
    };

    // By an owner: the name of a token of the organization is no personal data.
    let token = test.organization_token(&org, named("nightly")).await;
    let path = format!("/v1/orgs/{}/tokens/revoke-all", org.slug);
    expect(owner.post(&path, json!({})).await, 200);
    assert_eq!(newest(), json!([with_name(&token)]));

    // By the user.
    let bob = test.caller("bob@x.example").await;
    let token = test.token_of(&bob, named("laptop")).await;
    let revoking = test.token_of(&bob, input(&EVERYTHING)).await;
    let revoking = Client::new(&test, text_of(&revoking));
    expect(revoking.post("/v1/tokens/revoke-all", json!({})).await, 200);
    let both = newest();
    let both = both.as_array().unwrap();
    assert!(
        both.len() == 2 && both.contains(&with_name(&token)),
        "{both:?}"
    );

    // By the operator: a deactivated user, and a removed client.
    let token = test.token_of(&bob, named("phone")).await;
    let path = format!("/v1/users/{}/deactivate", user_of(&bob));
    expect(operator.post(&path, json!({})).await, 200);
    assert_eq!(newest(), json!([without_name(&token)]));

    let device = test.token(&["tokens:read"]).await;
    expect(operator.delete(&format!("/v1/clients/{CLI}")).await, 200);
    let ended = newest();
    assert_eq!(ended[0]["scopes"], "tokens:read", "{ended}");
    assert!(ended[0]["token_name"].is_null(), "{ended}");
    assert_ne!(test.me(&device).await.status(), 200);
}
