//! Lines 20 and 21: the scopes, and a token without any.

use super::{CREATE, Dashboard, LIST};
use serde_json::Value;

const SCOPES: [&str; 11] = [
    "databases:read",
    "databases:write",
    "destinations:read",
    "destinations:write",
    "backups:trigger",
    "restores:read",
    "restores:write",
    "evidence:read",
    "evidence:export",
    "audit:read",
    "readiness:read",
];

/// There are eleven scopes, each for what its description says.
#[actix_web::test]
async fn e_20_there_are_eleven_scopes() {
    let dashboard = Dashboard::start().await;
    let test = &dashboard.system.test;
    let all = dashboard.token("all", &SCOPES).await;
    let request = test.anon().get(test.at("/v1/scopes")).bearer_auth(&all);
    let catalogue: Value = request.send().await.unwrap().json().await.unwrap();
    let items = catalogue["items"].as_array().unwrap();
    let names: Vec<_> = items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, SCOPES);

    for (request, scope) in [
        (LIST, "databases:read"),
        (CREATE, "databases:write"),
        ("DELETE /api/v1/databases/db_1", "databases:write"),
        ("GET /api/v1/destinations", "destinations:read"),
        (
            "POST /api/v1/destinations/d_1/attachments",
            "destinations:write",
        ),
        ("POST /api/v1/backups", "backups:trigger"),
        ("POST /api/v1/backups/b_1/cancel", "backups:trigger"),
        ("GET /api/v1/restores/drills", "restores:read"),
        ("POST /api/v1/restores/drills", "restores:write"),
        ("GET /api/v1/evidence", "evidence:read"),
        ("POST /api/v1/evidence/exports", "evidence:export"),
        ("GET /api/v1/audit", "audit:read"),
        ("GET /api/v1/readiness", "readiness:read"),
    ] {
        let with = dashboard.token("with", &[scope]).await;
        let others: Vec<_> = SCOPES.into_iter().filter(|one| *one != scope).collect();
        let without = dashboard.token("without", &others).await;
        let key = [("idempotency-key", "e-20")];
        for (token, status) in [(&with, 200), (&without, 403), (&all, 200)] {
            let answer = dashboard.system.api_with(request, token, &key).await;
            assert_eq!(answer.status, status, "{request} {scope}");
        }
    }
    // walwarden's `audit:read` opens nothing of the audit log of Doorcode.
    let audit = test.anon().get(test.at("/v1/audit")).bearer_auth(&all);
    assert_eq!(audit.send().await.unwrap().status(), 403);
}

/// A token with no scopes is allowed and can use read procedures that are open.
#[actix_web::test]
async fn e_21_a_token_without_scopes_uses_what_is_open() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("open", &[]).await;
    assert_eq!(dashboard.status("GET /api/v1/regions", &token).await, 200);
    assert_eq!(dashboard.status("GET /api/v1/regions", "").await, 401);
    assert_eq!(dashboard.status(LIST, &token).await, 403);
}
