//! The console's token, and the routes that are its own.

use super::{CLI_SCOPES, OPERATOR, comwit, start};
use crate::seeds::system::send;
use crate::support::database::AUDIT;
use serde_json::{Value, json};

/// `PLATFORM_API_SERVER_TOKEN` is shared, global, used by the console and operators.
#[actix_web::test]
async fn b_10_operator_token_is_in_the_variable_of_the_platform() {
    let comwit = comwit().await;
    let shop = format!("GET /v1/projects/{}/apps", comwit.shop);
    for route in ["GET /v1/status", "GET /v1/projects", &shop] {
        let called = comwit.system.call(route, OPERATOR).await;
        assert_eq!(called.status, 200, "{route}");
    }
    let file = comwit.system.deployment.path("data/operator_token");
    assert!(!file.exists(), "the variable replaces the file");
    // Only this variable counts: the usual one has no effect.
    let other = OPERATOR.replace("c91e", "d91e");
    let system = start(&[("DOORCODE_OPERATOR_TOKEN", &other)]);
    assert_eq!(system.call("GET /v1/status", OPERATOR).await.status, 200);
    assert_eq!(system.call("GET /v1/status", &other).await.status, 401);
}

/// It bypasses scope and membership checks.
#[actix_web::test]
async fn b_11_operator_passes_every_check() {
    let comwit = comwit().await;
    for project in [&comwit.web, &comwit.shop] {
        for (method, rest) in [
            ("GET", "/databases"),
            ("POST", "/databases"),
            ("DELETE", "/apps/api"),
            ("POST", "/apps/api/rollback"),
            ("POST", "/domains/purchase"),
        ] {
            let route = format!("{method} /v1/projects/{project}{rest}");
            let call = comwit.system.request(&route).bearer_auth(OPERATOR);
            let called = send(call.header("idempotency-key", "one")).await;
            assert_eq!(called.status, 200, "{route}");
        }
    }
}

/// It is never issued to CLI or API end users.
#[actix_web::test]
async fn b_12_operator_token_is_never_issued() {
    let comwit = comwit().await;
    let mut user = comwit.member("enduser").await;
    let machine = comwit.system.machine(&comwit.system.api);
    let (login, code) = machine.begin(&[]);
    user.browser.approve(&code, &CLI_SCOPES).await;
    let login = machine.branded(login.finish().exited(0));
    let printed = machine.run(&["token", "print"]).exited(0);
    let issued = printed.stdout.trim();
    assert_ne!(issued, OPERATOR);
    let called = comwit
        .system
        .call(&comwit.web("GET", "/apps"), issued)
        .await;
    assert_eq!(called.body["headers"]["x-auth-token-kind"], "personal");
    let mut seen = format!("{login:?}{printed:?}");
    for page in [
        "/tokens",
        "/tokens/new",
        "/devices",
        "/account",
        "/o/comwit",
    ] {
        let page = user.browser.get(page).await;
        assert_eq!(page.status, 200);
        seen += &page.body;
    }
    for route in ["GET /v1/me", "GET /v1/scopes", "GET /v1/routes"] {
        let answer = comwit.system.manage(route, issued, Value::Null).await;
        seen += &answer.body.to_string();
    }
    assert!(!seen.contains(OPERATOR));
}

/// Console acting for a user adds `X-Comwit-Actor-User-Id`; audit and writes are attributed to
/// that user.
#[actix_web::test]
async fn b_13_console_acts_for_a_user() {
    let comwit = comwit().await;
    let user = comwit.member("acted").await;
    let route = comwit.web("POST", "/databases");
    let write = comwit.system.request(&route).bearer_auth(OPERATOR);
    let write = write.header("idempotency-key", "one");
    let written = send(write.header("x-comwit-actor-user-id", &user.id)).await;
    assert_eq!(written.status, 200, "{written:?}");
    assert_eq!(written.body["headers"]["x-auth-user-id"], user.id);

    // The management API of Doorcode, too.
    let rename = format!("PATCH /v1/users/{}", user.id);
    let rename = comwit.system.doorcode(&rename).bearer_auth(OPERATOR);
    let rename = rename.header("x-comwit-actor-user-id", &user.id);
    let renamed = send(rename.json(&json!({"name": "Acted"}))).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let of_user = format!(
        "action LIKE 'user.%' AND actor_kind = 'operator' AND actor_id = '{}'",
        user.id
    );
    assert_eq!(comwit.system.deployment.database.count(AUDIT, &of_user), 1);

    let of_write = |one: &Value| {
        one["user_id"] == user.id && one["route"] == "POST /v1/projects/{project}/databases"
    };
    let seen = comwit.system.recorded_use("operator", of_write).await;
    assert_eq!(seen["decision"], "allowed");
}

/// Direct `cwt_` callers never send that header; the API takes the user id from the introspected
/// token (a header from a PAT caller has no effect).
#[actix_web::test]
async fn b_14_actor_header_of_a_user_has_no_effect() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("direct", &["app:read"]).await;
    let other = comwit.member("victim").await;
    let apps = comwit.system.request(&comwit.web("GET", "/apps"));
    let apps = apps
        .bearer_auth(&token)
        .header("x-comwit-actor-user-id", &other.id);
    let called = send(apps).await;
    assert_eq!(called.status, 200);
    assert_eq!(called.body["headers"]["x-auth-user-id"], user.id);
    assert_eq!(
        called.body["headers"]["x-comwit-actor-user-id"],
        Value::Null
    );
    let me = comwit.system.doorcode("GET /v1/me").bearer_auth(&token);
    let me = send(me.header("x-comwit-actor-user-id", &other.id)).await;
    assert_eq!(me.body["user"]["id"], user.id);
}

/// PAT on `/v1/status` → 403.
#[actix_web::test]
async fn b_17_status_is_for_the_operator() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("status", &["project:read"]).await;
    let called = comwit.system.call("GET /v1/status", &token).await;
    assert_eq!(called.status, 403);
    assert_eq!(called.body["error"]["code"], "operator_required");
}

/// PAT on non-project `/v1/databases*` → 403.
#[actix_web::test]
async fn b_18_databases_outside_projects_are_for_the_operator() {
    let comwit = comwit().await;
    let scopes = ["database:read", "database:write"];
    let (_, token) = comwit.member_with("databases", &scopes).await;
    let routes = [
        "GET /v1/databases",
        "POST /v1/databases",
        "GET /v1/databases/7",
    ];
    let found = comwit.system.statuses(&routes, &token).await;
    assert_eq!(found, [403, 403, 403]);
}

/// PAT on hidden legacy aliases → 403.
#[actix_web::test]
async fn b_19_old_names_are_for_the_operator() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("aliases", &["database:read"]).await;
    let routes = ["GET /v1/dbs", "GET /v1/dbs/7", "DELETE /v1/dbs/7"];
    let found = comwit.system.statuses(&routes, &token).await;
    assert_eq!(found, [403, 403, 403]);
}

/// Those routes need the operator token.
#[actix_web::test]
async fn b_20_operator_uses_its_routes() {
    let comwit = comwit().await;
    let routes = [
        "GET /v1/status",
        "GET /v1/databases",
        "POST /v1/databases",
        "GET /v1/dbs/7",
    ];
    let found = comwit.system.statuses(&routes, OPERATOR).await;
    assert_eq!(found, [200, 200, 200, 200]);
}
