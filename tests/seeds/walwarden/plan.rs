//! Lines 1 to 5: where tokens work, and who manages them.

use super::{Dashboard, LIST, PAGE, issue};
use serde_json::json;

/// Tokens authenticate CLI, SDK and automation against REST API v1 (`/api/v1`, bearer).
#[actix_web::test]
async fn e_01_tokens_authenticate_against_the_rest_api() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let answer = dashboard.system.api(LIST, &token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.is_object(), "{answer:?}");
    assert_eq!(dashboard.status(LIST, "").await, 401);
    let headers = [("x-api-key", &*token)];
    let other = dashboard.system.api_with(LIST, "", &headers).await;
    assert_eq!(other.status, 401, "{other:?}");
}

/// API tokens are a capability of the plan Team.
#[actix_web::test]
async fn e_02_tokens_need_the_plan_team() {
    let dashboard = Dashboard::on_free_plan().await;
    let new = json!({"name": "ci", "scopes": ["databases:read"]});
    let refused = dashboard.operator("POST /v1/orgs/acme/tokens", new).await;
    assert_eq!(refused.0, 403, "{refused:?}");
    // The plan has no personal tokens either.
    let mut owner = dashboard.browser("owner").await;
    owner.get("/tokens/new").await;
    let fields = [
        ("name", "x"),
        ("scope", "databases:read"),
        ("expires", "never"),
    ];
    let page = owner.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 403, "{}", page.body);
    assert_eq!(issue(&mut owner, "x", &[]).await.status, 403);

    dashboard.change(json!({"plan": "team"})).await;
    let of_acme = dashboard.token("ci", &["databases:read"]).await;
    let personal = owner.new_token("x", &["databases:read"], "never").await;
    for token in [&of_acme, &personal] {
        assert_eq!(dashboard.status(LIST, token).await, 200);
    }
    dashboard.change(json!({"plan": "free"})).await;
    for token in [&of_acme, &personal] {
        let answer = dashboard.system.api(LIST, token).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.body["code"], "forbidden");
    }
}

/// Only an admin or owner manages them.
#[actix_web::test]
async fn e_03_only_admins_and_owners_manage_them() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let id = dashboard.id(&token).await;
    let mut member = dashboard.browser("member").await;
    assert_eq!(
        issue(&mut member, "mine", &["databases:read"]).await.status,
        403
    );
    for path in [
        format!("{PAGE}/{id}/revoke"),
        format!("{PAGE}/{id}/rotate"),
        format!("{PAGE}/revoke-all"),
    ] {
        assert_eq!(member.get(&path).await.status, 403, "{path}");
        let page = member.post(&path, &[("overlap", "none")]).await;
        assert_eq!(page.status, 403, "{path}");
    }
    // Nor has a member a personal token.
    member.get("/tokens/new").await;
    let fields = [("name", "x"), ("expires", "never")];
    assert_eq!(member.post("/tokens/new", &fields).await.status, 403);
    assert_eq!(dashboard.status(LIST, &token).await, 200);
    for role in ["admin", "owner"] {
        let mut browser = dashboard.browser(role).await;
        let page = issue(&mut browser, role, &["databases:read"]).await;
        assert!(page.attribute("data-token").is_some(), "{}", page.body);
    }
}

/// The page is at `/o/<org>/settings/api-tokens`.
#[actix_web::test]
async fn e_04_they_are_on_a_page_of_the_organization() {
    let dashboard = Dashboard::start().await;
    let path = format!("/o/{}/settings/api-tokens", dashboard.acme.slug);
    let mut admin = dashboard.browser("admin").await;
    let page = admin.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(page.contains(&format!("{path}/new")), "{}", page.body);
}

/// Not an admin, or an organization without the plan: no management controls.
///
/// Differently: after a downgrade, Revoke stays for the tokens that exist, so that a leaked one
/// can be ended before an upgrade makes it work again.
#[actix_web::test]
async fn e_05_others_see_no_controls() {
    let dashboard = Dashboard::on_free_plan().await;
    let controls = ["/new", "/rotate", "/revoke", "/revoke-all"];
    let controls = controls.map(|end| format!("{end}\""));
    for role in ["owner", "admin", "member"] {
        let mut browser = dashboard.browser(role).await;
        for path in [PAGE, "/tokens"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{role} {path}");
            for control in &controls {
                assert!(!page.contains(control), "{role} {path} {control}");
            }
        }
    }
    dashboard.change(json!({"plan": "team"})).await;
    dashboard.token("ci", &["databases:read"]).await;
    let mut member = dashboard.browser("member").await;
    let page = member.get(PAGE).await;
    for control in &controls {
        assert!(!page.contains(control), "{control}: {}", page.body);
    }
    assert!(!page.contains(">ci<"), "{}", page.body);

    // After a downgrade a leaked token can still be revoked, but none issued.
    dashboard.change(json!({"plan": "free"})).await;
    let mut admin = dashboard.browser("admin").await;
    let page = admin.get(PAGE).await;
    for (control, shown) in controls.iter().zip([false, false, true, true]) {
        assert_eq!(page.contains(control), shown, "{control}: {}", page.body);
    }
}
