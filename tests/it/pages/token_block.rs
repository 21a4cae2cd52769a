//! Blocks of rotated tokens.

use super::token_access::{TOKENS, create_with, id_of, is_allowed};
use super::{Company, assert_role};
use crate::support::http;
use serde_json::{Value, json};

/// An admin whose token an owner blocked cannot lift the block; another admin and an owner can, and
/// the admin still lifts those of others.
#[actix_web::test]
async fn admin_cannot_lift_the_block_of_an_own_token() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let mut tokens = Vec::new();
    for (browser, name) in [(&mut admin, "own"), (&mut member, "others")] {
        let token = browser.new_token(name, &["orgs:read"], "never").await;
        let id = id_of(&test, name);
        owner.get(TOKENS).await;
        let done = owner.post(&format!("{TOKENS}/{id}/block"), &[]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert!(!is_allowed(&test, &token, "acme").await);
        tokens.push((token, format!("{TOKENS}/{id}/unblock")));
    }
    let [(own, lift_own), (others, lift_others)] = tokens.try_into().unwrap();
    admin.get(TOKENS).await;
    assert_role(&admin.post(&lift_own, &[]).await, "owner");
    assert!(!is_allowed(&test, &own, "acme").await);
    assert_eq!(admin.post(&lift_others, &[]).await.status, 303);
    assert!(is_allowed(&test, &others, "acme").await);
    assert_eq!(owner.post(&lift_own, &[]).await.status, 303);
    assert!(is_allowed(&test, &own, "acme").await);
    test.settle().await;
    assert_eq!(test.events("token.unblocked"), 2);
}

/// A token with very many descendants is blocked in one step, with all of them, and named in one audit
/// record.
#[actix_web::test]
async fn block_includes_twenty_thousand_descendants() {
    const DESCENDANTS: usize = 20_000;
    let Company {
        test,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let root = member.new_token("root", &["orgs:read"], "never").await;
    let id = id_of(&test, "root");
    // Ten lines of 2,000, each made by the one before it: the widest tree of the longest lines.
    test.database.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {DESCENDANTS})
        INSERT INTO token (id, token_digest, user_id, name, hint, scopes, created_at, created_by,
            made_by_token)
        SELECT 'tok_000000000000000000000000000' || (10000 + i), 'digest ' || i, user_id, 'child',
            hint, scopes, created_at, created_by,
            CASE WHEN i <= 2000 THEN id
            ELSE 'tok_000000000000000000000000000' || (8000 + i) END
        FROM token, n WHERE id = '{id}' ORDER BY i"
    ));
    admin.get(TOKENS).await;
    let done = admin.post(&format!("{TOKENS}/{id}/block"), &[]).await;
    assert!(done.location().ends_with(&format!("further={DESCENDANTS}")));
    assert!(!is_allowed(&test, &root, "acme").await);
    assert_eq!(
        test.count("token", "blocked_in IS NULL AND name = 'child'"),
        0
    );
    test.settle().await;
    assert_eq!(test.events("token.blocked"), 1);
}

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
