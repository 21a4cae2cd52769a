//! Lines 15 to 17 and 24: rotation without downtime, and the audit log.

use super::{ALPHA_TOKENS, Fleets};
use crate::support::OPERATOR;
use crate::support::tenant::text_of;
use serde_json::Value;

/// Rotation without downtime: a second token with the same scopes is valid beside the first.
#[actix_web::test]
async fn c_15_a_second_token_is_valid_beside_the_first() {
    let fleets = Fleets::start().await;
    let old = fleets.fleet_token("gha", &["machines:read"]).await;
    let new = fleets.fleet_token("gha", &["machines:read"]).await;
    let mut ada = fleets.ada().await;
    let rotate = format!("{ALPHA_TOKENS}/{}/rotate", new.token.id);
    ada.get(&rotate).await;
    let page = ada.post(&rotate, &[("overlap", "24h")]).await;
    let successor = page.attribute("data-token").unwrap();
    for token in [text_of(&old), text_of(&new), &successor] {
        assert_eq!(fleets.machines("alpha", token).await, 200);
    }
    let scopes = fleets.system.introspect(&successor).await["scope"].clone();
    assert_eq!(scopes, "machines:read");
}

/// The audit log shows the last use of the old token, so that “before the rollout” can be
/// verified.
#[actix_web::test]
async fn c_16_the_last_use_of_the_old_token_is_shown() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let old = fleets.fleet_token("old", &["machines:read"]).await;
    assert_eq!(fleets.machines("alpha", text_of(&old)).await, 200);
    test.settle().await;
    let used = test.app.now();
    test.clock.advance(3600);
    let mut ada = fleets.ada().await;
    let page = ada.get(&format!("{ALPHA_TOKENS}/{}", old.token.id)).await;
    assert!(
        page.contains("GET /v1/fleets/{organization}/machines/**"),
        "{}",
        page.body
    );
    assert!(page.contains("1 hour ago"), "{}", page.body);
    let uses = fleets
        .records(&format!("/uses?token={}", old.token.id))
        .await;
    let last = uses[0]["at"].as_str().unwrap();
    assert!(
        last.starts_with(&used.format("%Y-%m-%dT%H:%M").to_string()),
        "{last}"
    );
}

/// Then the old token is revoked.
#[actix_web::test]
async fn c_17_then_the_old_token_is_revoked() {
    let fleets = Fleets::start().await;
    let old = fleets.fleet_token("old", &["machines:read"]).await;
    let new = fleets.fleet_token("new", &["machines:read"]).await;
    let mut ada = fleets.ada().await;
    ada.get(ALPHA_TOKENS).await;
    let revoke = format!("{ALPHA_TOKENS}/{}/revoke", old.token.id);
    assert_eq!(ada.post(&revoke, &[]).await.status, 303);
    assert_eq!(fleets.machines("alpha", text_of(&old)).await, 401);
    assert_eq!(fleets.machines("alpha", text_of(&new)).await, 200);
}

/// Every issuance, use and revocation is in the audit log with actor and request ID.
#[actix_web::test]
async fn c_24_issues_uses_and_revocations_have_an_actor_and_a_request_id() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let mut mia = fleets.browser(super::MIA).await;
    let token = mia.new_token("ci", &["machines:read"], "90d").await;
    let id = fleets.system.introspect(&token).await["jti"].clone();
    let id = id.as_str().unwrap();
    let answer = fleets
        .system
        .api("GET /v1/fleets/alpha/machines", &token)
        .await;
    let request_id = answer.headers["x-request-id"].to_str().unwrap();
    // The API logs the same id as Doorcode and the answer.
    assert_eq!(fleets.system.last_call().header("x-request-id"), request_id);
    fleets
        .system
        .revoke_on_page(&mut mia, ("/tokens", &token))
        .await;
    let caller = fleets.mia.user_id().unwrap().as_str();

    let records = fleets.records(&format!("?token={id}")).await;
    for action in ["token.created", "token.revoked"] {
        let record = records.iter().find(|record| record["action"] == action);
        let record = record.unwrap_or_else(|| panic!("{action}: {records:?}"));
        assert!(record["actor_id"] == caller, "{record}");
        assert!(
            record["request_id"].as_str().unwrap().len() >= 8,
            "{record}"
        );
    }
    let uses = fleets.records(&format!("/uses?token={id}")).await;
    let by_api: Vec<&Value> = uses
        .iter()
        .filter(|used| used["request_id"] == request_id)
        .collect();
    assert_eq!(by_api.len(), 1, "{uses:?}");
    assert_eq!(by_api[0]["token_id"], id);
    assert_eq!(
        by_api[0]["route"],
        "GET /v1/fleets/{organization}/machines/**"
    );
    let verify = test
        .anon()
        .get(test.at("/v1/audit/verify"))
        .bearer_auth(OPERATOR);
    let verified: Value = verify.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["valid"], true, "{verified}");
}
