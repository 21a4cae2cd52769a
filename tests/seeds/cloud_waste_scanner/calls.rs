//! Calls of the API with the token and without.

use super::{SCAN, scan, shared, start};
use crate::seeds::system::send;
use crate::support::http;
use serde_json::json;

/// Calls carry `Authorization: Bearer <token>`.
#[actix_web::test]
async fn a_08_token_is_a_bearer_token() {
    let system = shared().await;
    let token = system.operator();
    assert_eq!(scan(&system, &token).await, 202);
    let basic = system.request(SCAN).basic_auth("token", Some(&token));
    assert_eq!(send(basic).await.status, 401);
    let bare = system.request(SCAN).header("authorization", &token);
    assert_eq!(send(bare).await.status, 401);
    let query = format!("{SCAN}?access_token={token}");
    assert_eq!(send(system.request(&query)).await.status, 401);
}

/// `POST /v1/scans` with bearer and no body is accepted (all profiles).
#[actix_web::test]
async fn a_09_scan_without_a_body_covers_all_accounts() {
    let system = shared().await;
    let scan = system.call(SCAN, &system.operator()).await;
    assert_eq!(scan.status, 202);
    assert_eq!(
        scan.body,
        json!({"id": "scan_1", "accounts": "all", "by": "operator"})
    );
}

/// The same with JSON `{"selected_accounts":[…]}` limits it to those accounts.
#[actix_web::test]
async fn a_10_scan_with_selected_accounts_is_limited_to_them() {
    let system = shared().await;
    let selected = json!({"selected_accounts": ["profile_abc123"]});
    let scan = system.request(SCAN).bearer_auth(system.operator());
    let scan = send(scan.json(&selected)).await;
    assert_eq!(scan.status, 202);
    assert_eq!(scan.body["accounts"], selected["selected_accounts"]);
}

/// All non-status API routes require a valid bearer token.
#[actix_web::test]
async fn a_11_every_route_but_the_status_needs_a_token() {
    let system = shared().await;
    let never = format!("cws_{}", "0".repeat(48));
    for route in [
        SCAN,
        "GET /v1/scans",
        "DELETE /v1/scans/1",
        "GET /v1/anything",
        "GET /v1/Status",
        "POST /v1/status",
        "GET /v1/status/more",
    ] {
        assert_eq!(send(system.request(route)).await.status, 401, "{route}");
        for wrong in ["x", &never] {
            assert_eq!(system.call(route, wrong).await.status, 401, "{route}");
        }
    }
}

/// That includes loopback calls.
#[actix_web::test]
async fn a_12_loopback_calls_need_a_token_too() {
    let system = shared().await;
    assert!(system.api.starts_with("http://127."), "{}", system.api);
    assert_eq!(send(system.request("GET /v1/scans")).await.status, 401);
    let called = system.call("GET /v1/scans", &system.operator()).await;
    assert_eq!(called.status, 200);
    assert_eq!(called.body["headers"]["x-forwarded-for"], "127.0.0.1");
}

/// Status routes answer without a token (implied by 11).
#[actix_web::test]
async fn a_13_status_needs_no_token() {
    let system = shared().await;
    let status = send(system.request("GET /v1/status")).await;
    assert_eq!(status.status, 200);
    assert_eq!(status.body["route"], "GET /v1/status");
    assert_eq!(status.body["headers"]["x-auth-token-kind"], json!(null));
}

/// Recent automation calls and scan runs can be reviewed for unexpected activity (per-token use
/// history).
#[actix_web::test]
async fn a_20_calls_can_be_reviewed() {
    let system = start();
    assert_eq!(scan(&system, &system.operator()).await, 202);
    system.call("DELETE /v1/scans/7", &system.operator()).await;
    system.restart();
    let uses = system.command(&["audit", "uses"]).run().exited(0);
    uses.says(&["allowed", "127.0.0.1", SCAN, "* /v1/scans/**"]);
    let uses = system.command(&["audit", "uses", "--json", "--limit", "1"]);
    let last = uses.run().exited(0).json();
    assert_eq!(last["route"], "* /v1/scans/**");
    assert!(last["at"].is_string(), "{last}");
}

/// One can "verify the auth flow end to end" (self-check).
#[actix_web::test]
async fn a_24_flow_is_verified_from_end_to_end() {
    let system = shared().await;
    let check = [
        "check",
        "--host",
        &system.deployment.url,
        "--api",
        &system.api,
    ];
    let check = system
        .command(&check)
        .env("DOORCODE_TOKEN", system.operator());
    check.run().exited(0).says(&[
        "API: GET /v1/status is open: 200 OK.",
        "It is the operator token.",
    ]);
    let ready = http().get(system.deployment.at("/readyz")).send().await;
    assert_eq!(ready.unwrap().status(), 200);
}
