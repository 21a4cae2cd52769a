//! Lines 6, 9 to 13, 16, 17, 25 and 27: issuing, listing and revoking.

use super::{Dashboard, LIST, PAGE, issue};
use crate::support::program::Program;
use serde_json::json;

/// Format `wal_` and hexadecimal digits, unambiguous in the list of a secret manager.
#[actix_web::test]
async fn e_06_the_form_is_unambiguous() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let digits = token.strip_prefix("wal_").unwrap();
    assert_eq!(digits.len(), 48);
    assert!(
        digits
            .chars()
            .all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
    );
    let mut admin = dashboard.browser("admin").await;
    let hint = format!("wal_…{}", &token[token.len() - 4..]);
    assert!(admin.get(PAGE).await.contains(&hint));
}

/// Scopes are a closed set chosen at issue time; an unknown scope is refused.
#[actix_web::test]
async fn e_09_an_unknown_scope_is_refused() {
    let dashboard = Dashboard::start().await;
    let mut admin = dashboard.browser("admin").await;
    let page = issue(&mut admin, "ci", &["databases:read", "databases:drop"]).await;
    assert_eq!(page.status, 422);
    assert!(
        page.contains("There is no scope databases:drop."),
        "{}",
        page.body
    );
    let body = json!({"name": "ci", "scopes": ["databases:drop"]});
    let refused = dashboard.operator("POST /v1/orgs/acme/tokens", body).await;
    assert_eq!(refused.0, 422, "{refused:?}");
    assert_eq!(dashboard.system.test.count("token", "1 = 1"), 0);
}

/// Scopes are coarse and apply to the whole organization.
#[actix_web::test]
async fn e_10_scopes_are_coarse_and_org_wide() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    for request in [
        LIST,
        "GET /api/v1/databases/db_1",
        "GET /api/v1/databases/db_2/tables",
    ] {
        assert_eq!(dashboard.status(request, &token).await, 200, "{request}");
    }
    let told = dashboard.system.last_call();
    let organization = dashboard.acme.id.as_str();
    assert_eq!(told.header("x-auth-organization-id"), organization);
    assert_eq!(told.header("x-auth-scopes"), "databases:read");
}

/// No wildcard scope exists or is accepted.
#[actix_web::test]
async fn e_11_there_is_no_wildcard() {
    let dashboard = Dashboard::start().await;
    let mut admin = dashboard.browser("admin").await;
    for wildcard in ["*", "databases:*", "*:read"] {
        let page = issue(&mut admin, "ci", &[wildcard]).await;
        assert_eq!(page.status, 422, "{wildcard}");
        let body = json!({"name": "ci", "scopes": [wildcard]});
        let refused = dashboard.operator("POST /v1/orgs/acme/tokens", body).await;
        assert_eq!(refused.0, 422, "{wildcard}: {refused:?}");
    }
    assert!(
        !admin
            .get(&format!("{PAGE}/new"))
            .await
            .contains(r#"value="*"#)
    );
    // Nor can the configuration define one.
    let home = tempfile::tempdir().unwrap();
    let scope = "[[scopes]]\nname = \"databases:*\"\ndescription = \"All\"\n";
    std::fs::write(home.path().join("doorcode.toml"), scope).unwrap();
    let check = Program::new(home.path(), &["config", "check"]).run();
    check.exited(1).complains(&["databases:*"]);
}

/// Expiry is optional.
#[actix_web::test]
async fn e_12_expiry_is_optional() {
    let dashboard = Dashboard::start().await;
    let mut admin = dashboard.browser("admin").await;
    let form = admin.get(&format!("{PAGE}/new")).await;
    assert!(form.is_ticked("never"), "{}", form.body);
    let token = dashboard.token("ci", &["databases:read"]).await;
    assert!(dashboard.system.introspect(&token).await["exp"].is_null());
    admin.get(&format!("{PAGE}/new")).await;
    let fields = [("name", "ci"), ("expires", "30d")];
    let page = admin.post(&format!("{PAGE}/new"), &fields).await;
    let token = page.attribute("data-token").unwrap();
    assert!(dashboard.system.introspect(&token).await["exp"].is_number());
}

/// Revocable at any time.
#[actix_web::test]
async fn e_13_a_token_is_revoked_at_any_time() {
    let dashboard = Dashboard::start().await;
    let mut admin = dashboard.browser("admin").await;
    let young = dashboard.token("young", &["databases:read"]).await;
    dashboard.revoke(&mut admin, &young).await;
    let old = dashboard.token("old", &["databases:read"]).await;
    dashboard.system.test.clock.advance(400 * 86_400);
    assert_eq!(dashboard.status(LIST, &old).await, 200);
    let mut admin = dashboard.browser("admin").await;
    dashboard.revoke(&mut admin, &old).await;
    for token in [&young, &old] {
        assert_eq!(dashboard.status(LIST, token).await, 401);
    }
}

/// The list shows name, scopes, creation time, last-used time and revocation state.
#[actix_web::test]
async fn e_16_the_list_shows_name_scopes_times_and_state() {
    let dashboard = Dashboard::start().await;
    let scopes = [
        "audit:read",
        "databases:read",
        "databases:write",
        "destinations:read",
        "evidence:read",
        "readiness:read",
    ];
    let token = dashboard.token("terraform-ci", &scopes).await;
    dashboard.system.test.clock.advance(3600);
    assert_eq!(dashboard.status(LIST, &token).await, 200);
    dashboard.system.test.settle().await;
    let mut admin = dashboard.browser("admin").await;
    let page = admin.get(PAGE).await;
    let texts = ["terraform-ci", "1 hour ago", "just now"];
    for text in scopes.iter().chain(&texts) {
        assert!(page.contains(text), "{text}: {}", page.body);
    }
    dashboard.revoke(&mut admin, &token).await;
    let ended = admin.get(&format!("{PAGE}?show=ended")).await;
    for text in ["terraform-ci", "<span>Revoked</span>", "1 hour ago"] {
        assert!(ended.contains(text), "{text}: {}", ended.body);
    }
}

/// The name is visible on this page only.
///
/// Differently: `GET /v1/me` tells the name to a program that has the token, for its `whoami`, and the
/// audit log to admins, where E14 demands it.
#[actix_web::test]
async fn e_17_the_api_does_not_learn_the_name() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("terraform-ci", &["databases:read"]).await;
    assert_eq!(dashboard.status(LIST, &token).await, 200);
    let told = dashboard.system.last_call();
    assert!(
        !format!("{told:?}").contains("terraform-ci"),
        "{}",
        format!("{told:?}")
    );
    let introspected = dashboard.system.introspect(&token).await;
    assert!(!introspected.to_string().contains("terraform-ci"));
    let mut member = dashboard.browser("member").await;
    for path in [PAGE, "/o/acme", "/tokens", "/account/activity"] {
        assert!(!member.get(path).await.contains("terraform-ci"), "{path}");
    }
}

/// Revocation is idempotent.
#[actix_web::test]
async fn e_25_revocation_is_idempotent() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let id = dashboard.id(&token).await;
    let mut admin = dashboard.browser("admin").await;
    admin.get(PAGE).await;
    for _ in 0..2 {
        let page = admin.post(&format!("{PAGE}/{id}/revoke"), &[]).await;
        assert_eq!(page.status, 303, "{}", page.body);
    }
    let path = format!("DELETE /v1/orgs/acme/tokens/{id}");
    for _ in 0..2 {
        let (status, answer) = dashboard.operator(&path, json!({})).await;
        assert_eq!(status, 204, "{answer}");
    }
    assert_eq!(dashboard.system.test.events("token.revoked"), 1);
}

/// The revoked row stays on the page.
///
/// Differently: it moves to the filter Ended of the same page, so that the active tokens stay in sight
/// after years of rotation.
#[actix_web::test]
async fn e_27_the_revoked_row_stays_on_the_page() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let id = dashboard.id(&token).await;
    let mut admin = dashboard.browser("admin").await;
    dashboard.revoke(&mut admin, &token).await;
    let page = admin.get(PAGE).await;
    let ended = format!("{PAGE}?show=ended");
    assert!(page.contains(&ended), "{}", page.body);
    dashboard.system.test.clock.advance(400 * 86_400);
    let mut admin = dashboard.browser("admin").await;
    let page = admin.get(&ended).await;
    assert!(page.contains(&id) && page.contains("<span>Revoked</span>"));
}
