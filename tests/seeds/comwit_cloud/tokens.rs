//! Bearer tokens: their kinds and their limits.

use super::{OPERATOR, comwit};
use crate::seeds::system::send;
use crate::support::http;
use serde_json::{Value, json};

/// Every request is authenticated by a bearer token in `Authorization`.
#[actix_web::test]
async fn b_01_every_request_has_a_bearer_token() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("bearer", &["project:read"]).await;
    let system = &comwit.system;
    let projects = "GET /v1/projects";
    assert_eq!(system.call(projects, &token).await.status, 200);
    assert_eq!(send(system.request(projects)).await.status, 401);
    let basic = system.request(projects).basic_auth("bearer", Some(&token));
    assert_eq!(send(basic).await.status, 401);
    let wrong = system.call(projects, &format!("{token}0")).await;
    assert_eq!(wrong.status, 401);
}

/// Two token classes: user PAT and internal operator token.
#[actix_web::test]
async fn b_02_tokens_are_personal_or_the_operator_token() {
    let comwit = comwit().await;
    let (mut user, token) = comwit.member_with("classes", &["app:read"]).await;
    let apps = comwit.web("GET", "/apps");
    for (token, kind) in [(&*token, "personal"), (OPERATOR, "operator")] {
        let called = comwit.system.call(&apps, token).await;
        assert_eq!(called.body["headers"]["x-auth-token-kind"], kind);
    }
    // There is no third class: the plan of the organizations includes no organization tokens.
    let body = json!({"name": "ci", "scopes": ["app:read"]});
    let route = "POST /v1/orgs/comwit/tokens";
    let refused = comwit.system.manage(route, OPERATOR, body).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (403, &json!("plan_required"))
    );
    let page = user.browser.get("/o/comwit/settings/api-tokens").await;
    assert!(!page.contains("/api-tokens/new"), "{}", page.body);
}

/// A PAT is the prefix `cwt_` followed by a hex string.
#[actix_web::test]
async fn b_03_token_is_a_prefix_and_hex() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("prefix", &["app:read"]).await;
    let hex = token.strip_prefix("cwt_").unwrap();
    assert_eq!(hex.len(), 48);
    assert!(
        hex.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
}

/// It is tied to one user account.
#[actix_web::test]
async fn b_04_token_belongs_to_one_user() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("tied", &["app:read"]).await;
    let called = comwit
        .system
        .call(&comwit.web("GET", "/apps"), &token)
        .await;
    assert_eq!(called.body["headers"]["x-auth-user-id"], user.id);
    let me = comwit
        .system
        .manage("GET /v1/me", &token, Value::Null)
        .await;
    assert_eq!(me.body["user"]["email"], user.email);
}

/// It can do only what its scopes allow.
#[actix_web::test]
async fn b_05_token_does_what_its_scopes_allow() {
    let comwit = comwit().await;
    let scopes = ["project:read", "app:read", "app:deploy"];
    let (_, token) = comwit.member_with("scopes", &scopes).await;
    let deploy = comwit
        .system
        .request(&comwit.web("POST", "/apps/api/deploys"));
    let deploy = deploy.bearer_auth(&token).header("idempotency-key", "one");
    assert_eq!(send(deploy).await.status, 200);
    let routes = [
        ("GET", "/apps"),
        ("DELETE", "/apps/api"),
        ("GET", "/databases"),
        ("GET", "/domains"),
    ];
    let routes = routes.map(|(method, rest)| comwit.web(method, rest));
    let routes = routes.each_ref().map(String::as_str);
    let found = comwit.system.statuses(&routes, &token).await;
    assert_eq!(found, [200, 403, 403, 403]);
}

/// It touches only projects its user is a member of.
#[actix_web::test]
async fn b_06_token_reaches_the_projects_of_its_user() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("reach", &["app:read"]).await;
    let shop = format!("GET /v1/projects/{}/apps", comwit.shop);
    let routes = [&*comwit.web("GET", "/apps"), &shop];
    assert_eq!(comwit.system.statuses(&routes, &token).await, [200, 403]);
}

/// Scope and membership are both enforced on every request.
#[actix_web::test]
async fn b_07_membership_and_scope_count_at_each_request() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("moving", &["app:read"]).await;
    let apps = format!("GET /v1/projects/{}/apps", comwit.shop);
    let databases = format!("GET /v1/projects/{}/databases", comwit.shop);
    let routes = [&*apps, &*databases];
    assert_eq!(comwit.system.statuses(&routes, &token).await, [403, 403]);
    comwit.join(&comwit.shop, &user).await;
    assert_eq!(comwit.system.statuses(&routes, &token).await, [200, 403]);
    let leave = format!("DELETE /v1/projects/{}/members/{}", comwit.shop, user.id);
    comwit.system.operate(&leave, Value::Null).await;
    assert_eq!(comwit.system.statuses(&routes, &token).await, [403, 403]);
}

/// Missing scope → 403.
#[actix_web::test]
async fn b_08_missing_scope_is_403() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("missing", &["database:read"]).await;
    let create = comwit.system.request(&comwit.web("POST", "/databases"));
    let create = create.bearer_auth(&token).header("idempotency-key", "one");
    let refused = send(create).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["error"]["code"], "insufficient_scope");
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(r#"scope="database:write""#),
        "{challenge}"
    );
}

/// Not a member of the target project → 403.
#[actix_web::test]
async fn b_09_foreign_project_is_403() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("foreign", &["database:read"]).await;
    let unknown = "GET /v1/projects/prj_00000000000000000000000000000000/databases";
    let shop = format!("GET /v1/projects/{}/databases", comwit.shop);
    let own = comwit.web("GET", "/databases");
    let routes = [&*own, &shop, unknown];
    assert_eq!(
        comwit.system.statuses(&routes, &token).await,
        [200, 403, 403]
    );
}

/// Any HTTP client works: `GET /v1/projects` with the PAT lists that user's projects.
#[actix_web::test]
async fn b_34_projects_of_the_user_are_listed() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("lister", &["project:read"]).await;
    let listed = async || {
        let projects = comwit.system.call("GET /v1/projects", &token).await;
        assert_eq!(projects.status, 200, "{projects:?}");
        let items = projects.body["items"].as_array().unwrap().clone();
        let names = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["Web"]);
    comwit.join(&comwit.shop, &user).await;
    assert_eq!(listed().await, ["Web", "Shop"]);
}

/// Errors have one documented shape; safe retry (idempotency) is documented.
#[actix_web::test]
async fn b_35_errors_have_one_shape_and_retries_are_safe() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("errors", &["database:write"]).await;
    let system = &comwit.system;
    let create = comwit.web("POST", "/databases");
    let foreign = format!("GET /v1/projects/{}/apps", comwit.shop);
    let page = crate::seeds::system::example(super::FOLDER, "README.md");
    for (route, token, status, code) in [
        ("GET /v1/projects", "", 401, "unauthorized"),
        ("GET /v1/projects", "cwt_0", 401, "invalid_token"),
        ("GET /v1/projects", &token, 403, "insufficient_scope"),
        (&foreign, &token, 403, "insufficient_scope"),
        ("GET /v1/status", &token, 403, "operator_required"),
        ("GET /v1/projects/x/y", &token, 403, "forbidden"),
        (&create, &token, 400, "idempotency_key_required"),
    ] {
        let request = system.request(route);
        let refused = send(match token {
            "" => request,
            token => request.bearer_auth(token),
        });
        let refused = refused.await;
        assert_eq!(refused.status, status, "{route}: {refused:?}");
        let error = refused.body["error"].as_object().unwrap();
        assert_eq!(error["code"], code, "{route}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        let id = refused.headers["x-request-id"].to_str().unwrap();
        assert_eq!(error["request_id"], id);
        assert_eq!(error.len(), 3);
        let documented = format!("`{code}`");
        assert!(page.contains(&documented), "{code} is not documented");
    }
    assert!(page.contains("same request with the same key again"));
    let with_key = system.request(&create).bearer_auth(&token);
    let with_key = send(with_key.header("idempotency-key", "one")).await;
    assert_eq!(with_key.status, 200);
    assert_eq!(with_key.body["headers"]["idempotency-key"], "one");
    let pages = http()
        .get(format!("{}/problems", system.pages))
        .send()
        .await;
    assert_eq!(pages.unwrap().status(), 200);
}
