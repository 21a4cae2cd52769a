//! An organization's policy and plan.

use super::{Client, EVERYTHING, expect, refused};
use crate::statements;
use crate::support::tenant::{input, text_of};
use crate::support::{OPERATOR, TestApp};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;
use serde_json::json;

const DAY: i64 = 86_400;

fn never(scopes: &[&str]) -> CreateToken {
    CreateToken {
        expires: Some("never".into()),
        ..input(scopes)
    }
}

#[actix_web::test]
async fn stricter_policy_lists_the_affected_tokens_and_gives_a_grace_period() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Tight").await;
    test.add_member(&org, &bob, Role::Member).await;
    let short = Client::of(&test, &bob).await;
    let long = Client::with(&test, &bob, never(&EVERYTHING)).await;
    let machine = test.organization_token(&org, never(&["orgs:read"])).await;
    let machine = Client::new(&test, text_of(&machine));
    let owner = Client::of(&test, &ada).await;

    let at = format!("/v1/orgs/{}", org.slug);
    let effects = format!("{at}/policy/effects?max_lifetime_days=90");
    let shown = expect(owner.get(&effects).await, 200);
    let items = shown["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{shown}");
    assert!(
        items
            .iter()
            .all(|item| item["violation"] == "never_expires")
    );
    assert!(items.iter().all(|item| item["effect"] == "ends"));
    let owners: Vec<_> = items.iter().map(|item| item["owner"].as_str()).collect();
    assert!(
        owners.contains(&Some("bob@x.example")) && owners.contains(&None),
        "{shown}"
    );
    assert!(long.is_active().await, "showing changes nothing");

    let change = json!({"policy": {"max_lifetime_days": 90}, "grace_seconds": DAY});
    let changed = expect(owner.patch(&at, change).await, 200);
    assert_eq!(changed["policy"]["max_lifetime_days"], 90);
    assert_eq!(changed["policy"]["never_expires"], false);
    for client in [&short, &long, &machine] {
        expect(client.get(&at).await, 200);
    }
    test.clock.advance(DAY - 1);
    expect(long.get(&at).await, 200);
    test.clock.advance(1);
    assert!(!long.is_active().await);
    assert!(!machine.is_active().await);
    expect(short.get(&at).await, 200);
    assert_eq!(test.events("organization.policy_changed"), 1);
}

#[actix_web::test]
async fn without_grace_period_tokens_end_immediately_and_new_ones_follow_the_policy() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Strict").await;
    let long = Client::with(&test, &ada, never(&EVERYTHING)).await;
    let owner = Client::of(&test, &ada).await;
    let at = format!("/v1/orgs/{}", org.id);
    let change = json!({"policy": {"max_lifetime_days": 90}, "grace_seconds": 0});
    expect(owner.patch(&at, change).await, 200);
    assert!(!long.is_active().await);

    for expires in ["never", "1y"] {
        let body = json!({"name": "n", "scopes": [], "expires": expires});
        let answer = refused(owner.post("/v1/tokens", body.clone()).await, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], "#/expires", "{answer}");
        let tokens = format!("{at}/tokens");
        refused(owner.post(&tokens, body).await, 422, "invalid");
    }
    let body = json!({"name": "n", "scopes": []});
    let made = expect(owner.post("/v1/tokens", body).await, 201);
    assert!(made["expires_at"].is_string(), "{made}");
}

/// A user of several organizations keeps the token, which only loses the strict organization.
#[actix_web::test]
async fn token_rejected_by_one_organization_works_in_the_others() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let strict = test.organization(&ada, "Strict").await;
    let lax = test.organization(&bob, "Lax").await;
    test.add_member(&strict, &bob, Role::Member).await;
    let everywhere = Client::of(&test, &bob).await;
    let owner = Client::of(&test, &ada).await;
    let at = format!("/v1/orgs/{}", strict.slug);
    let query = format!("{at}/policy/effects?personal_tokens=admins");
    let shown = expect(owner.get(&query).await, 200);
    assert_eq!(shown["items"][0]["effect"], "loses_organization", "{shown}");
    let change = json!({"policy": {"personal_tokens": "admins"}, "grace_seconds": 0});
    expect(owner.patch(&at, change).await, 200);

    refused(everywhere.get(&at).await, 403, "policy");
    expect(everywhere.get(&format!("/v1/orgs/{}", lax.slug)).await, 200);
    let me = expect(everywhere.get("/v1/me").await, 200);
    assert_eq!(me["organizations"].as_array().unwrap().len(), 1, "{me}");
    let limited = json!({"name": "n", "scopes": [], "organization": strict.slug});
    refused(everywhere.post("/v1/tokens", limited).await, 403, "policy");

    test.add_member(&strict, &bob, Role::Admin).await;
    expect(everywhere.get(&at).await, 200);
}

/// The policy also applies without a resource: an API may only introspect.
#[actix_web::test]
async fn token_that_no_policy_allows_is_inactive() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Only").await;
    test.add_member(&org, &bob, Role::Admin).await;
    let token = test.token_of(&bob, input(&["tokens:read"])).await;
    let owner = Client::of(&test, &ada).await;
    let change = json!({"policy": {"personal_tokens": "admins"}, "grace_seconds": 0});
    expect(
        owner.patch(&format!("/v1/orgs/{}", org.slug), change).await,
        200,
    );
    let said = test.introspect(text_of(&token)).await;
    assert_eq!(said["scope"], "tokens:read");

    test.add_member(&org, &bob, Role::Member).await;
    let said = test.introspect(text_of(&token)).await;
    assert_eq!(said, json!({"active": false}));
}

#[actix_web::test]
async fn organization_tokens_need_the_plan_and_only_the_operator_changes_it() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Planned").await;
    let owner = Client::of(&test, &ada).await;
    let operator = Client::new(&test, OPERATOR);
    let machine = test.organization_token(&org, input(&["orgs:read"])).await;
    let machine = Client::new(&test, text_of(&machine));
    let at = format!("/v1/orgs/{}", org.slug);
    let free = json!({"plan": "free", "grace_seconds": 0});
    refused(
        owner.patch(&at, free.clone()).await,
        403,
        "operator_required",
    );
    let changed = expect(operator.patch(&at, free).await, 200);
    assert_eq!(changed["plan"], "free");
    assert!(!machine.is_active().await);
    let body = json!({"name": "n", "scopes": []});
    let tokens = format!("{at}/tokens");
    refused(
        owner.post(&tokens, body.clone()).await,
        403,
        "plan_required",
    );
    expect(operator.patch(&at, json!({"plan": "team"})).await, 200);
    expect(owner.post(&tokens, body).await, 201);
}

#[actix_web::test]
async fn change_is_applied_entirely_or_not_at_all() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Whole").await;
    let owner = Client::of(&test, &ada).await;
    let at = format!("/v1/orgs/{}", org.slug);
    for bad in [
        json!({"name": "Other", "policy": {"max_lifetime_days": 30, "never_expires": true}}),
        json!({"name": "Other", "policy": {"personal_tokens": "nobody"}}),
        json!({"name": "Other", "plan": "gold"}),
        json!({"name": "", "policy": {"max_lifetime_days": 30}}),
        json!({"name": "Other", "grace_seconds": 30 * DAY + 1}),
        json!({"name": "Other", "owner": "me"}),
    ] {
        refused(owner.patch(&at, bad).await, 422, "invalid");
    }
    refused(
        owner
            .patch(&at, json!({"name": "Other", "plan": "free"}))
            .await,
        403,
        "operator_required",
    );
    let found = expect(owner.get(&at).await, 200);
    assert_eq!(found["name"], "Whole");
    assert_eq!(found["policy"]["max_lifetime_days"], json!(null));
    assert_eq!(found["policy"]["never_expires"], true);
}

/// Other writes wait for a change of a policy, so that it takes few statements for any number of
/// tokens.
#[actix_web::test]
async fn change_that_affects_twenty_thousand_tokens_takes_few_statements() {
    const TOKENS: i64 = 20_000;
    statements::observe();
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Large").await;
    let owner = Client::with(&test, &ada, never(&EVERYTHING)).await;
    test.database.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {TOKENS})
        INSERT INTO token (id, token_digest, user_id, name, hint, scopes, created_at, created_by)
        SELECT 'tok_000000000000000000000000000' || (10000 + i), 'digest ' || i, user_id, 'bulk',
            hint, scopes, created_at, created_by
        FROM token, n WHERE name = 'of a test' ORDER BY i"
    ));
    let at = format!("/v1/orgs/{}", org.slug);
    for (policy, graces) in [
        (json!({"max_lifetime_days": 90}), TOKENS + 1),
        (json!({"max_lifetime_days": 30}), TOKENS + 1),
        (json!({"max_lifetime_days": null, "never_expires": true}), 0),
    ] {
        let change = owner.patch(&at, json!({"policy": policy, "grace_seconds": DAY}));
        let (answer, seen) = statements::during(&test.database, change).await;
        expect(answer, 200);
        assert_eq!(test.count("policy_grace", "1 = 1"), graces);
        assert!(seen.len() < 200, "{} statements", seen.len());
    }
    let rename = owner.patch(&at, json!({"name": "Larger"}));
    let (answer, seen) = statements::during(&test.database, rename).await;
    expect(answer, 200);
    // The tokens are not read.
    assert!(
        !seen
            .iter()
            .any(|sql| sql.contains("AND users.needs_organization"))
    );
}
