//! Rejected requests are recorded, at every route that can reject.

use crate::api::description::described;
use crate::csrf::{Scene, borrowed};
use crate::support::database::AUDIT;
use crate::support::device::GRANT;
use crate::support::{CLI, TestApp, http};
use doorcode::app::client::Kind;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Writes the collected rejections and asserts that they are one record with these values.
async fn assert_recorded(test: &TestApp, action: &str, reason: &str, route: &str, count: i64) {
    let before = test.events(action);
    test.settle().await;
    assert_eq!(test.events(action), before + 1, "{route}: {reason}");
    let detail = test.database.text(&format!(
        "SELECT detail FROM {AUDIT} WHERE action = '{action}' ORDER BY at DESC, id DESC LIMIT 1"
    ));
    let detail: Value = serde_json::from_str(&detail).unwrap();
    assert_eq!(detail["reason"], reason, "{route}");
    assert_eq!(detail["route"], route, "{reason}");
    assert_eq!(detail["count"], count, "{route}: {reason}");
    // A further kind has a record of its own every five seconds.
    test.clock.advance(5);
}

async fn assert_refused(request: RequestBuilder, status: u16) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status, "{}", answer.url());
}

#[actix_web::test]
async fn failed_client_authentication_is_recorded_at_each_oauth_endpoint() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    for address in [
        "/auth/device",
        "/auth/device/token",
        "/auth/introspect",
        "/auth/revoke",
        "/v1/auth/device",
        "/v1/auth/device/token",
    ] {
        let form = [
            ("grant_type", GRANT),
            ("device_code", &device.device_code),
            ("token", "dc_unknown"),
            ("client_id", "nobody"),
        ];
        for _ in 0..25 {
            let answer = test.oauth(address, &form).await;
            assert_eq!(answer.error(), "invalid_client", "{address}");
        }
        let route = format!("POST {address}");
        assert_recorded(&test, "access.refused", "invalid_client", &route, 25).await;
    }
}

#[actix_web::test]
async fn forbidden_client_request_is_recorded() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    test.add_client("other", Kind::Public, &[]).await;
    let revoke = [("client_id", "other"), ("token", token.as_str())];
    let answer = test.oauth("/auth/revoke", &revoke).await;
    assert_eq!(answer.error(), "invalid_grant");
    let route = "POST /auth/revoke";
    assert_recorded(&test, "access.refused", "invalid_grant", route, 1).await;

    let poll = [
        ("grant_type", GRANT),
        ("client_id", CLI),
        ("device_code", "invented"),
    ];
    for _ in 0..3 {
        let answer = test.oauth("/auth/device/token", &poll).await;
        assert_eq!(answer.error(), "invalid_grant");
    }
    let route = "POST /auth/device/token";
    assert_recorded(&test, "access.refused", "invalid_grant", route, 3).await;

    // The first poll by the wrong client has its own record; later ones are counted.
    let device = test.device("").await;
    for _ in 0..3 {
        assert_eq!(
            test.poll_as("other", &device).await.error(),
            "invalid_grant"
        );
    }
    assert_eq!(test.events("device.wrong_client"), 1);
    assert_recorded(&test, "access.refused", "invalid_grant", route, 2).await;

    test.database
        .execute("UPDATE client SET scopes = '' WHERE id = 'other'");
    let answer = test.oauth("/auth/device", &[("client_id", "other")]).await;
    assert_eq!(answer.error(), "unauthorized_client");
    let route = "POST /auth/device";
    assert_recorded(&test, "access.refused", "unauthorized_client", route, 1).await;
}

#[actix_web::test]
async fn unknown_token_is_recorded_at_each_route_that_accepts_tokens() {
    let test = TestApp::start().await;
    let description = described(&test).await;
    let mut addresses = vec![
        ("GET".to_owned(), "/auth/verify".to_owned()),
        ("POST".to_owned(), "/auth/introspect".to_owned()),
    ];
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if path.starts_with("/v1/") {
                addresses.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(addresses.len() > 40, "{addresses:?}");
    for (method, path) in addresses {
        let at = path.replace(['{', '}'], "");
        let method_name = Method::from_bytes(method.as_bytes()).unwrap();
        let request = http()
            .request(method_name, test.at(&at))
            .bearer_auth("dc_unknown");
        let request = match path.as_str() {
            "/auth/introspect" => request.form(&[("token", "dc_unknown")]),
            _ => request,
        };
        assert_refused(request, 401).await;
        let route = match path.as_str() {
            "/auth/verify" => path,
            _ => format!("{method} {path}"),
        };
        assert_recorded(&test, "access.refused", "invalid_token", &route, 1).await;
    }
}

#[actix_web::test]
async fn cross_site_form_is_recorded_at_each_route_that_accepts_forms() {
    let Scene {
        test,
        mut browser,
        forms,
        ..
    } = Scene::new().await;
    browser.set_header("sec-fetch-site", "cross-site");
    test.settle().await;
    for (address, fields) in &forms {
        let page = browser.post_bare(address, &borrowed(fields)).await;
        assert_eq!(page.status, 403, "{address}");
        let before = test.events("form.refused");
        test.settle().await;
        assert_eq!(test.events("form.refused"), before + 1, "{address}");
    }
}
