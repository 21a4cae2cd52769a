//! Lines 14 and 15: the audit chain.

use super::{Dashboard, LIST};
use crate::support::OPERATOR;
use serde_json::{Value, json};

/// Every issue and every revocation is in the audit chain with issuer, token name and scopes.
#[actix_web::test]
async fn e_14_issue_and_revocation_are_in_the_chain() {
    let dashboard = Dashboard::start().await;
    let test = &dashboard.system.test;
    let scopes = ["databases:read", "evidence:export"];
    let token = dashboard.token("terraform-ci", &scopes).await;
    let id = dashboard.id(&token).await;
    let mut admin = dashboard.browser("admin").await;
    dashboard.revoke(&mut admin, &token).await;
    test.settle().await;

    let issuer = test
        .database
        .text("SELECT id FROM users WHERE email = 'admin@example.com'");
    for action in ["token.created", "token.revoked"] {
        let path = format!("GET /v1/audit?action={action}&token={id}");
        let (_, answer) = dashboard.operator(&path, json!({})).await;
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{action}: {answer}");
        let (actor, detail) = (items[0]["actor_id"].to_string(), &items[0]["detail"]);
        assert!(actor.contains(&issuer), "{action}: {actor}");
        assert_eq!(detail["token_name"], "terraform-ci", "{action}: {detail}");
        let recorded = detail["scopes"].to_string();
        for scope in scopes {
            assert!(recorded.contains(scope), "{action}: {recorded}");
        }
    }
    let (_, verified) = dashboard.operator("GET /v1/audit/verify", json!({})).await;
    assert_eq!(verified["valid"], true, "{verified}");
    // The page says the same in words.
    let log = admin.get("/o/acme/audit").await;
    assert!(log.contains("terraform-ci"), "{}", log.body);
}

/// Never the plaintext.
#[actix_web::test]
async fn e_15_the_plaintext_is_in_no_log() {
    let dashboard = Dashboard::start().await;
    let test = &dashboard.system.test;
    let token = dashboard.token("ci", &["databases:read"]).await;
    assert_eq!(dashboard.status(LIST, &token).await, 200);
    let mut admin = dashboard.browser("admin").await;
    dashboard.revoke(&mut admin, &token).await;
    assert_eq!(dashboard.status(LIST, &token).await, 401);
    test.settle().await;
    let secret = token.strip_prefix("wal_").unwrap();
    let request = test
        .anon()
        .get(test.at("/v1/audit/export"))
        .bearer_auth(OPERATOR);
    let exported = request.send().await.unwrap().text().await.unwrap();
    assert!(exported.contains("token.revoked"), "{exported}");
    assert!(!exported.contains(secret));
    let records: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(records.len() > 5, "{exported}");
    assert!(!test.database.dump().contains(secret));
    // Neither is it in the server's own log, which the harness searches for every secret.
    assert!(test.leaks().is_empty(), "{:?}", test.leaks());
}
