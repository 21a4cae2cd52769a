//! Each stored token has the record of its creation.

use super::{sound, verify};
use crate::support::{OPERATOR, TestApp, http};
use doorcode::app::sweep;
use doorcode::domain::audit::discrepancy::Kind;
use serde_json::Value;

/// The id of the token that [`plant`] inserts.
const PLANTED: &str = "tok_0123456789abcdef0123456789abcdef";

/// Inserts a copy of the newest token as a database writer who knows its own secret.
fn plant(test: &TestApp) {
    test.database.execute(&format!(
        "INSERT INTO token (id, token_digest, user_id, name, hint, scopes, created_at, created_by)
         SELECT '{PLANTED}', 'digest', user_id, name, hint, scopes, created_at, created_by
         FROM token ORDER BY created_at DESC LIMIT 1"
    ));
}

/// Asserts that the verification names the token.
async fn is_found(test: &TestApp) {
    let found = verify(test).await.report.first_discrepancy.unwrap();
    assert_eq!(found.kind, Kind::Inserted, "{found:?}");
    assert!(found.says.contains(PLANTED), "{found:?}");
}

/// Created, rotated and device tokens have records, and one that a database writer inserts has none.
#[actix_web::test]
async fn planted_token_is_found() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read", "tokens:write"]).await;
    let id = test.me(&token).await.json::<Value>().await.unwrap();
    let id = id["token"]["id"].as_str().unwrap().to_owned();
    let rotated = http()
        .post(test.at(&format!("/v1/tokens/{id}/rotate")))
        .bearer_auth(&token)
        .header("idempotency-key", "rotate")
        .json(&serde_json::json!({}));
    assert_eq!(rotated.send().await.unwrap().status(), 201);
    // Sealed or not.
    sound(&verify(&test).await);
    test.settle().await;
    sound(&verify(&test).await);
    plant(&test);
    is_found(&test).await;
    let answer = http()
        .get(test.at("/v1/audit/verify"))
        .bearer_auth(OPERATOR);
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["valid"], false, "{answer}");
    assert!(answer.to_string().contains(PLANTED), "{answer}");

    // Its owner, or the operator, revokes it.
    let revoked = http()
        .delete(test.at(&format!("/v1/tokens/{PLANTED}")))
        .bearer_auth(&token);
    assert_eq!(revoked.send().await.unwrap().status(), 204);
    sound(&verify(&test).await);
}

/// Where records were pruned, their tokens are accepted; newer ones are still checked.
#[actix_web::test]
async fn pruned_log_is_checked_from_its_start() {
    let settings = "[audit]\nkeep_uses = \"30d\"\nkeep_records = \"90d\"\ncheckpoint_records = 5";
    let test = TestApp::with(settings).await;
    for _ in 0..5 {
        test.token(&["tokens:read"]).await;
        test.settle().await;
        test.clock.advance(86_400);
    }
    test.clock.advance(90 * 86_400);
    let token = test.token(&["tokens:read"]).await;
    sweep::forget_old(&test.app).await.unwrap();
    test.settle().await;
    let verified = verify(&test).await;
    assert!(verified.report.start > 5, "{verified:?}");
    sound(&verified);
    test.clock.advance(86_400);
    assert_eq!(test.me(&token).await.status(), 200);
    test.token(&["tokens:read"]).await;
    test.settle().await;
    plant(&test);
    is_found(&test).await;
}
