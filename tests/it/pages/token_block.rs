//! Blocks of rotated tokens.

use super::Company;
use super::token_access::{TOKENS, create_with, id_of, is_allowed};
use crate::support::http;
use serde_json::{Value, json};

/// With an overlap several rotations of a token are active. A block of any includes all.
#[actix_web::test]
async fn block_includes_earlier_rotations() {
    let Company {
        test,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let text = |answer: Value| answer["token"].as_str().unwrap().to_owned();
    for blocked in ["first", "last"] {
        let scopes = ["orgs:read", "tokens:write"];
        let first = member.new_token(blocked, &scopes, "never").await;
        let first_id = id_of(&test, blocked);
        let child = create_with(&test, &first, blocked).await;
        let child = text(child.json().await.unwrap());
        let rotated = http()
            .post(test.at(&format!("/v1/tokens/{first_id}/rotate")))
            .bearer_auth(&first)
            .header("idempotency-key", format!("rotate {blocked}"))
            .json(&json!({"overlap_seconds": 604_800}));
        let rotated: Value = rotated.send().await.unwrap().json().await.unwrap();
        let id = match blocked {
            "first" => first_id.as_str(),
            _ => rotated["id"].as_str().unwrap(),
        };
        let all = [first, child, text(rotated.clone())];
        for token in &all {
            assert!(is_allowed(&test, token, "acme").await);
        }
        let block = format!("{TOKENS}/{id}/block");
        assert!(admin.get(&block).await.contains("2 active tokens</b>"));
        let done = admin.post(&block, &[]).await;
        assert!(done.location().ends_with("further=2"));
        for token in &all {
            assert!(!is_allowed(&test, token, "acme").await);
        }
    }
}
