//! Lines 7 to 11, 14, 21 and 22: the pages.

use super::{ALPHA_TOKENS, Fleets, create};
use crate::support::OPERATOR;
use crate::support::tenant::text_of;
use serde_json::json;

/// It is managed under the settings of the fleet; the pages recommend it for CI.
#[actix_web::test]
async fn c_07_fleet_tokens_are_managed_under_the_fleet_and_recommended_for_ci() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let page = create(
        &mut ada,
        ALPHA_TOKENS,
        &[
            ("name", "ci"),
            ("scope", "machines:read"),
            ("expires", "90d"),
        ],
    )
    .await;
    assert!(page.attribute("data-token").is_some(), "{}", page.body);
    let list = ada.get(ALPHA_TOKENS).await;
    assert!(list.contains(">ci</a>"), "{}", list.body);
    // Also on the page where members create personal tokens.
    for path in [ALPHA_TOKENS, "/tokens"] {
        let page = ada.get(path).await;
        assert!(
            page.contains("For CI use a fleet token"),
            "{path}: {}",
            page.body
        );
    }
    let overview = ada.get("/o/alpha").await;
    assert!(overview.contains(ALPHA_TOKENS), "{}", overview.body);
    // The pages use the word of the system.
    for path in ["/o", "/o/alpha", "/tokens/new", ALPHA_TOKENS] {
        let page = ada.get(path).await;
        assert!(page.contains("fleet"), "{path}: {}", page.body);
        let (_, text) = page.body.split_once("<main").unwrap();
        let other = text.split('<').filter_map(|piece| piece.split_once('>'));
        let other = other.map(|(_, text)| text.to_lowercase());
        let other: Vec<_> = other.filter(|text| text.contains("organization")).collect();
        assert!(other.is_empty(), "{path}: {other:?}");
    }
}

/// Create requires a name, a scope and an expiry.
#[actix_web::test]
async fn c_08_a_token_needs_a_name_a_scope_and_an_expiry() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let whole = [
        ("name", "ci"),
        ("scope", "machines:read"),
        ("expires", "90d"),
    ];
    for path in ["/tokens", ALPHA_TOKENS] {
        for (missing, message) in [
            ("name", "Enter a name."),
            ("scope", "Choose at least one scope."),
            ("expires", "Choose when"),
        ] {
            let mut fields = whole.to_vec();
            fields.retain(|(name, _)| *name != missing);
            let page = create(&mut ada, path, &fields).await;
            assert_eq!(page.status, 422, "{path} {missing}");
            assert!(page.contains(message), "{path} {missing}: {}", page.body);
            assert!(page.attribute("data-token").is_none());
        }
        let page = create(&mut ada, path, &whole).await;
        assert!(
            page.attribute("data-token").is_some(),
            "{path}: {}",
            page.body
        );
    }
    // Nor does a program get one without a scope.
    let test = &fleets.system.test;
    let request = test
        .anon()
        .post(test.at("/v1/orgs/alpha/tokens"))
        .bearer_auth(OPERATOR)
        .header("idempotency-key", "c-08")
        .json(&json!({"name": "ci", "expires": "90d"}));
    assert_eq!(request.send().await.unwrap().status(), 422);
}

/// Expiry: never, 30 days, 90 days, 1 year, custom.
#[actix_web::test]
async fn c_09_expiry_has_five_choices() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let form = ada.get("/tokens/new").await;
    let chips = form.body.split(r#"name="expires" value=""#).skip(1);
    let choices: Vec<_> = chips.map(|chip| chip.split('"').next().unwrap()).collect();
    let mut sorted = choices.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["1y", "30d", "90d", "custom", "never"]);
    let on = fleets.system.test.app.now() + chrono::Duration::days(45);
    let on = on.format("%Y-%m-%d").to_string();
    for (choice, days) in [
        ("never", None),
        ("30d", Some(30)),
        ("90d", Some(90)),
        ("1y", Some(365)),
        ("custom", Some(46)),
    ] {
        let fields = [
            ("name", choice),
            ("scope", "machines:read"),
            ("expires", choice),
            ("expires_on", &on),
        ];
        let page = create(&mut ada, "/tokens", &fields).await;
        let token = page.attribute("data-token").unwrap();
        let introspected = fleets.system.introspect(&token).await;
        let expires = introspected["exp"].as_i64();
        let left = expires.map(|at| at - introspected["iat"].as_i64().unwrap());
        match (left, days) {
            (None, None) => {}
            // A day that was chosen ends at midnight.
            (Some(left), Some(days)) => {
                let missing = days * 86_400 - left;
                assert!((0..86_400).contains(&missing), "{choice}: {left}");
            }
            other => panic!("{choice}: {other:?}"),
        }
    }
}

/// The secret is shown exactly once and cannot be recovered.
#[actix_web::test]
async fn c_10_the_secret_is_shown_exactly_once() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let token = ada.new_token("ci", &["machines:read"], "90d").await;
    let secret = token.split_once('_').unwrap().1;
    let id = fleets.system.introspect(&token).await["jti"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        "/tokens".to_owned(),
        format!("/tokens/{id}"),
        format!("/tokens/{id}/secret"),
        format!("/tokens/{id}/rotate"),
        format!("/tokens/{id}/revoke"),
        "/account/activity".to_owned(),
        "/o/alpha/audit".to_owned(),
        "/o/alpha/tokens".to_owned(),
    ] {
        let page = ada.get(&path).await;
        assert!(!page.contains(secret), "{path}");
    }
    let content = fleets.system.test.database.content();
    assert!(!content.iter().any(|line| line.contains(secret)));
}

/// Lost secret: revoke and reissue.
#[actix_web::test]
async fn c_11_a_lost_secret_is_revoked_and_issued_again() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let lost = ada.new_token("ci", &["machines:read"], "90d").await;
    let id = fleets.system.introspect(&lost).await["jti"].clone();
    let id = id.as_str().unwrap();
    ada.get(&format!("/tokens/{id}/revoke")).await;
    assert_eq!(
        ada.post(&format!("/tokens/{id}/revoke"), &[]).await.status,
        303
    );
    assert_eq!(fleets.machines("alpha", &lost).await, 401);
    let form = ada.get(&format!("/tokens/new?from={id}")).await;
    assert!(form.is_ticked("machines:read"), "{}", form.body);
    let again = ada.new_token("ci", &["machines:read"], "90d").await;
    assert_eq!(fleets.machines("alpha", &again).await, 200);
}

/// The pages state the cadence: 90 days for production, every cycle for short-lived CI runners.
#[actix_web::test]
async fn c_14_the_cadence_of_rotation_is_stated() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    for (path, cadence) in [
        (
            "/tokens",
            "Rotate tokens for production every 90 days, and those of short-lived CI runners every cycle.",
        ),
        (
            ALPHA_TOKENS,
            "Rotate tokens for production every 90 days, and those of short-lived CI runners every cycle.",
        ),
        (
            "/tokens/new",
            "Let a token for production expire in 90 days, and that of a short-lived CI runner after its cycle.",
        ),
        (
            "/o/alpha/settings/api-tokens/new",
            "Let a token for production expire in 90 days, and that of a short-lived CI runner after its cycle.",
        ),
    ] {
        let page = ada.get(path).await;
        assert!(page.contains(cadence), "{path}: {}", page.body);
    }
}

/// A single revoke asks for confirmation.
#[actix_web::test]
async fn c_21_a_single_revoke_asks_for_confirmation() {
    let fleets = Fleets::start().await;
    let made = fleets.fleet_token("gha-deploy", &["machines:read"]).await;
    let mut ada = fleets.ada().await;
    let revoke = format!("{ALPHA_TOKENS}/{}/revoke", made.token.id);
    assert!(ada.get(ALPHA_TOKENS).await.contains(&revoke));
    let question = ada.get(&revoke).await;
    assert!(
        question.contains("Revoke “gha-deploy”?"),
        "{}",
        question.body
    );
    assert_eq!(fleets.machines("alpha", text_of(&made)).await, 200);
    assert_eq!(ada.post(&revoke, &[]).await.status, 303);
    assert_eq!(fleets.machines("alpha", text_of(&made)).await, 401);
}

/// “Revoke all” is a button at the top of the list.
#[actix_web::test]
async fn c_22_all_are_revoked_with_the_button_above_the_list() {
    let fleets = Fleets::start().await;
    let made = [
        fleets.fleet_token("one", &["machines:read"]).await,
        fleets.fleet_token("two", &["files:read"]).await,
    ];
    let mut ada = fleets.ada().await;
    let list = ada.get(ALPHA_TOKENS).await;
    let button = list.body.find("Revoke all").unwrap();
    assert!(button < list.body.find("<table").unwrap());
    let all = format!("{ALPHA_TOKENS}/revoke-all");
    let question = ada.get(&all).await;
    assert!(
        question.contains("Revoke all 2 active tokens?"),
        "{}",
        question.body
    );
    assert_eq!(fleets.machines("alpha", text_of(&made[0])).await, 200);
    assert_eq!(ada.post(&all, &[]).await.status, 303);
    for token in &made {
        assert_eq!(fleets.machines("alpha", text_of(token)).await, 401);
    }
}
