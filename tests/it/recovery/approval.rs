//! Device grants that a user approved before a password change or a revocation of all tokens.

use super::{NEW, id_of, operate};
use crate::support::browser::Browser;
use crate::support::database::AUDIT;
use crate::support::device::Device;
use crate::support::tenant::OPERATOR;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::org;
use doorcode::domain::role::Role;
use reqwest::Method;
use serde_json::json;

/// A device grant that the browser's user approved.
async fn approved(test: &TestApp, browser: &mut Browser) -> Device {
    let device = test.device("orgs:read").await;
    browser.approve(&device.user_code, &["orgs:read"]).await;
    browser.get("/account").await;
    device
}

/// Asserts that the device gets no token.
async fn assert_denied(test: &TestApp, device: &Device) {
    let polled = test.poll(device).await;
    assert_eq!(polled.error(), "access_denied", "{polled:?}");
}

#[actix_web::test]
async fn password_change_that_ends_sessions_ends_approvals() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let kept = approved(&test, &mut browser).await;
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    assert_eq!(browser.post("/account/password", &fields).await.status, 303);
    assert_eq!(test.poll(&kept).await.status, 200, "other sessions stay");

    let ended = approved(&test, &mut browser).await;
    let fields = [
        ("current_password", NEW),
        ("new_password", PASSWORD),
        ("end_others", "yes"),
    ];
    let changed = browser.post("/account/password", &fields).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_denied(&test, &ended).await;
}

/// Even if there is no token.
#[actix_web::test]
async fn revocation_of_all_tokens_ends_approvals() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = approved(&test, &mut browser).await;
    let revoked = browser.post("/tokens/revoke-all", &[]).await;
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_denied(&test, &device).await;
    assert_eq!(test.events("device.denied"), 1);

    let device = approved(&test, &mut browser).await;
    let path = format!("/v1/users/{}/revoke-all", id_of(&test, EMAIL));
    let before = json!({"issued_before": "2026-01-01T00:00:00Z"});
    for (body, is_denied) in [(before, false), (json!({}), true)] {
        let revoked = operate(&test, Method::POST, &path, &body).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        let state = "state = 'denied'";
        let denied = test.count("device_grant", state) == 2;
        assert_eq!(denied, is_denied);
    }
    assert_denied(&test, &device).await;
}

/// The operator's revocations include what a device could still fetch.
#[actix_web::test]
async fn revocation_by_the_operator_ends_approvals() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = approved(&test, &mut browser).await;
    let path = "/v1/clients/cli/revoke-all";
    let revoked = operate(&test, Method::POST, path, &json!({})).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_denied(&test, &device).await;

    let device = approved(&test, &mut browser).await;
    test.clock.advance(1);
    let before = json!({"issued_before": test.app.now().to_rfc3339()});
    let later = approved(&test, &mut browser).await;
    let revoked = operate(&test, Method::POST, "/v1/tokens/revoke-all", &before).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_denied(&test, &device).await;
    assert_eq!(test.poll(&later).await.status, 200, "requested afterwards");
}

/// Each end of an approval has its record, by whatever the user lost it.
#[actix_web::test]
async fn end_of_an_approval_is_recorded() {
    for way in ["deactivation", "leaving", "deletion"] {
        let test = TestApp::start().await;
        let ben = "ben@x.example";
        let owner = Some(("Alpha", Role::Owner));
        let id = test.add_user(ben, PASSWORD, owner).await;
        let mut browser = test.browser();
        browser.sign_in(ben, PASSWORD).await;
        let device = approved(&test, &mut browser).await;
        let alpha = org::find(&test.req(&OPERATOR), "alpha").await.unwrap();
        let alpha = alpha.organization.id;
        let (path, target) = match way {
            "deactivation" => (format!("/v1/users/{id}/deactivate"), id.as_str()),
            "leaving" => {
                let other = test.caller("other@x.example").await;
                let other = other.user_id().unwrap();
                let req = test.req(&OPERATOR);
                let owner = org::put_member(&req, "alpha", other, Role::Owner).await;
                owner.unwrap();
                (format!("/v1/orgs/alpha/members/{id}"), id.as_str())
            }
            _ => ("/v1/orgs/alpha".to_owned(), alpha.as_str()),
        };
        let method = match way {
            "deactivation" => Method::POST,
            _ => Method::DELETE,
        };
        let ended = operate(&test, method, &path, &json!({})).await;
        assert!(ended.status < 300, "{way}: {ended:?}");
        assert_denied(&test, &device).await;
        let record =
            format!("action = 'device.denied' AND actor_kind = 'operator' AND target = '{target}'");
        assert_eq!(test.count(AUDIT, &record), 1, "{way}");
        assert_eq!(test.events("device.denied"), 1, "{way}");
    }
}
