//! Checks of users at the provider between their sign-ins.

use super::CHECKED;
use crate::support::TestApp;
use crate::support::provider::Provider;
use doorcode::app::identity::check_due;
use futures_util::future::join;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Settings with which one group admits users, and another makes them administrators.
fn with_rules() -> String {
    format!(
        "{CHECKED}\nallowed_groups = [\"staff\"]\nrules = [{{ group = \"leads\", organization = \
         \"acme\", role = \"admin\" }}]"
    )
}

/// Lets a time pass, in seconds, after which users are checked.
async fn check_after(test: &TestApp, seconds: i64) {
    test.clock.advance(seconds);
    check_due(&test.app).await.unwrap();
}

/// Memberships that rules gave.
fn given(test: &TestApp) -> i64 {
    test.count("membership", "given_by IS NOT NULL")
}

#[actix_web::test]
async fn group_that_goes_ends_access_at_the_next_check() {
    let provider = Provider::start();
    let test = provider.server(&with_rules()).await;
    provider.desk().refreshes = true;
    provider.state("groups", json!(["staff", "leads"]));
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    assert_eq!(test.count("membership", "given_by IS NOT NULL"), 1);
    for (groups, members, status) in [(json!(["staff"]), 0, 200), (json!([]), 0, 303)] {
        provider.state("groups", groups);
        test.clock.advance(600);
        check_due(&test.app).await.unwrap();
        assert_eq!(test.count("membership", "given_by IS NOT NULL"), members);
        assert_eq!(browser.get("/tokens").await.status, status);
    }
}

#[actix_web::test]
async fn provider_that_does_not_answer_ends_nothing() {
    let provider = Provider::start();
    let test = provider.server(CHECKED).await;
    provider.desk().refreshes = true;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    provider.desk().instead = Box::new(|_, _| Some((503, json!({}))));
    test.clock.advance(1_200);
    check_due(&test.app).await.unwrap();
    assert_eq!(browser.get("/tokens").await.status, 200);
    assert_eq!(test.count("identity", "refresh_token IS NOT NULL"), 1);
}

#[actix_web::test]
async fn user_who_is_not_admitted_any_more_loses_the_memberships_of_rules() {
    for checks in [true, false] {
        let provider = Provider::start();
        let test = provider.server(&with_rules()).await;
        provider.desk().refreshes = true;
        provider.state("groups", json!(["staff", "leads"]));
        let mut browser = test.browser();
        provider.sign_in(&mut browser).await;
        assert_eq!(given(&test), 1);
        provider.state("groups", json!([]));
        if checks {
            check_after(&test, 600).await;
            assert_eq!(browser.get("/tokens").await.status, 303);
        } else {
            let page = provider.sign_in(&mut test.browser()).await;
            assert!(page.location().ends_with("provider-not-admitted"));
        }
        assert_eq!(given(&test), 0, "checks: {checks}");
        test.settle().await;
        assert_eq!(test.events("member.removed"), 1);
    }
}

/// Without `offline_access`, a refresh token ends with the session at the provider.
#[actix_web::test]
async fn refresh_token_that_was_not_asked_for_is_not_used() {
    let provider = Provider::start();
    let test = provider.server("check_every = \"10m\"").await;
    provider.desk().refreshes = true;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    assert_eq!(test.count("identity", "refresh_token IS NOT NULL"), 0);
    provider.desk().refuses = true;
    check_after(&test, 600).await;
    assert_eq!(provider.requests("/token"), 1);
    assert_eq!(browser.get("/tokens").await.status, 200);
}

#[actix_web::test]
async fn replaced_refresh_token_is_kept_though_the_check_fails_later() {
    let provider = Provider::start();
    let test = provider.server(CHECKED).await;
    provider.desk().refreshes = true;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    // Each token works once, and the UserInfo endpoint, which alone states the address, is down.
    provider.alter(|claims| drop(claims.remove("email")));
    let mut used = BTreeSet::new();
    provider.desk().instead = Box::new(move |path, body| match path {
        "/userinfo" => Some((503, json!({}))),
        _ if body.is_empty() || used.insert(body.to_owned()) => None,
        _ => Some((400, json!({"error": "invalid_grant"}))),
    });
    check_after(&test, 600).await;
    check_after(&test, 300).await;
    assert_eq!(provider.requests("/token"), 3);
    assert_eq!(browser.get("/tokens").await.status, 200);
    assert_eq!(test.count("identity", "refresh_token IS NOT NULL"), 1);
}

#[actix_web::test]
async fn groups_that_a_check_does_not_state_change_nothing() {
    for elsewhere in [json!({}), json!({"_claim_names": {"groups": "src1"}})] {
        let provider = Provider::start();
        let test = provider.server(&with_rules()).await;
        provider.desk().refreshes = true;
        provider.state("groups", json!(["staff", "leads"]));
        let mut browser = test.browser();
        provider.sign_in(&mut browser).await;
        provider.desk().user.remove("groups");
        let claims = elsewhere.as_object().unwrap().clone();
        provider.desk().user.extend(claims);
        check_after(&test, 600).await;
        assert_eq!(provider.requests("/token"), 2);
        assert_eq!(given(&test), 1);
        assert_eq!(browser.get("/tokens").await.status, 200);
        // The next check that states them counts.
        provider.state("groups", json!([]));
        check_after(&test, 600).await;
        assert_eq!(given(&test), 0);
        assert_eq!(browser.get("/tokens").await.status, 303);
    }
}

#[actix_web::test]
async fn error_about_one_user_does_not_stop_the_checks_of_others() {
    let provider = Provider::start();
    let test = provider.server(CHECKED).await;
    provider.desk().refreshes = true;
    provider.sign_in(&mut test.browser()).await;
    provider.is_asked_by("bob-at-acme", "bob@acme.example");
    test.clock.advance(1);
    provider.sign_in(&mut test.browser()).await;
    let mut failures: Vec<(u16, Value)> = vec![(400, json!({"error": "invalid_request"}))];
    provider.desk().instead = Box::new(move |path, _| {
        let fails = path == "/token";
        fails.then(|| failures.pop()).flatten()
    });
    check_after(&test, 600).await;
    assert_eq!(provider.requests("/token"), 4);
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 2);
}

/// The provider refuses the user to a check, while the user signs in there again: the new session stays,
/// with its refresh token, whichever is first.
#[actix_web::test]
async fn sign_in_during_a_check_stays() {
    let provider = Provider::start();
    let test = provider.server(CHECKED).await;
    provider.desk().refreshes = true;
    provider.sign_in(&mut test.browser()).await;
    provider.desk().instead = Box::new(|path, body| {
        let is_refresh = path == "/token" && body.contains("grant_type=refresh_token");
        is_refresh.then(|| (400, json!({"error": "invalid_grant"})))
    });
    for round in 0..20 {
        test.clock.advance(600);
        let mut browser = test.browser();
        let (checked, page) = join(check_due(&test.app), provider.sign_in(&mut browser)).await;
        checked.unwrap();
        assert_eq!(page.location(), "/tokens", "round {round}");
        assert_eq!(browser.get("/tokens").await.status, 200, "round {round}");
        let kept = test.count("identity", "refresh_token IS NOT NULL");
        assert_eq!(kept, 1, "round {round}");
    }
}
