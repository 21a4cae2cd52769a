//! `[tokens] builtin_scopes`, `[[scopes]]` and `[[presets]]`: a catalogue of the system's own.

use super::{get, post, route};
use crate::support::{OPERATOR, TestApp};
use doorcode::app::client::Kind;
use serde_json::{Value, json};

/// An API that has its own `audit:read`, and the name that it is known by in Doorcode otherwise.
const API: &str = r#"
[[scopes]]
name = "restores:write"
description = "Start restores"
risk = "high"
group = "Restores"

[[scopes]]
name = "audit:read"
description = "Read the evidence of backups"
default = true

[[scopes]]
name = "restores:list"
description = "See restores"
risk = "read"
group = "Restores"

[[presets]]
name = "Auditor"
scopes = ["audit:read", "restores:list"]

[[routes]]
match = "GET /v1/evidence"
scope = "audit:read"
"#;

async fn start(tokens: &str) -> TestApp {
    TestApp::with(&format!("[tokens]\n{tokens}\n{API}")).await
}

async fn token(test: &TestApp, scopes: &[&str]) -> String {
    let mut browser = test.user().await;
    browser.new_token("of a test", scopes, "30d").await
}

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn own_scope_has_the_name_of_a_hidden_one() {
    let test = start(r#"builtin_scopes = "hide""#).await;
    let own = token(&test, &["audit:read"]).await;
    assert_eq!(route(&test, "GET /v1/evidence", &own).await, 204);

    // The system's `audit:read` opens nothing in Doorcode's own API, whatever else the token has.
    for path in ["/v1/audit", "/v1/tokens", "/v1/orgs", "/v1/projects"] {
        let answer = get(&test, path, &own).await;
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
        assert_eq!(answer.body["code"], "insufficient_scope", "{path}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(!challenge.contains("hidden"), "{challenge}");
    }
    assert_eq!(get(&test, "/v1/me", &own).await.status, 200);
    assert_eq!(get(&test, "/v1/tokens/x", "dc_wrong").await.status, 401);

    // The catalogue has no other scopes, in the order of the configuration.
    let catalogue = get(&test, "/v1/scopes", &own).await;
    let listed = ["restores:write", "audit:read", "restores:list"];
    assert_eq!(names(&catalogue.body), listed);
    let body = json!({"name": "x", "scopes": ["tokens:read"]});
    let id = test.database.text("SELECT id FROM users");
    let refused = test
        .anon()
        .post(test.at("/v1/tokens"))
        .bearer_auth(OPERATOR)
        .header("x-actor-user-id", id)
        .header("idempotency-key", "one")
        .json(&body);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 422);

    // The owner still reads the audit log in a browser, and manages tokens there.
    let mut browser = test.user().await;
    assert_eq!(browser.get("/o/acme/audit").await.status, 200);
    let page = browser.get("/tokens/new").await;
    for absent in ["tokens:read", "orgs:write"] {
        assert!(!page.contains(&format!(r#"value="{absent}""#)), "{absent}");
    }
    assert_eq!(browser.post("/tokens/revoke-all", &[]).await.status, 303);
    assert_eq!(route(&test, "GET /v1/evidence", &own).await, 401);
}

#[actix_web::test]
async fn prefixed_scopes_open_the_own_api_of_the_server() {
    let test = start(r#"builtin_scopes = "doorcode:""#).await;
    let own = token(&test, &["audit:read"]).await;
    let answer = get(&test, "/v1/audit", &own).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(r#"scope="doorcode:audit:read""#),
        "{challenge}"
    );

    let auditor = token(&test, &["doorcode:audit:read", "doorcode:tokens:read"]).await;
    assert_eq!(get(&test, "/v1/audit", &auditor).await.status, 200);
    assert_eq!(get(&test, "/v1/tokens", &auditor).await.status, 200);
    assert_eq!(route(&test, "GET /v1/evidence", &auditor).await, 403);

    // Uses are recorded with the name that the token has.
    test.settle().await;
    let named = |scope: &str| test.count("token_use", &format!("uses LIKE '%\"{scope}\"%'"));
    assert!(named("doorcode:audit:read") > 0 && named("doorcode:tokens:read") > 0);
    assert_eq!(named("tokens:read"), 0);
    let document = test.anon().get(test.at("/openapi.json")).send().await;
    let document: Value = document.unwrap().json().await.unwrap();
    let needed = &document["paths"]["/v1/audit"]["get"]["security"][0]["bearer"];
    assert_eq!(*needed, json!(["doorcode:audit:read"]));
}

/// What is granted under one setting grants nothing else under another.
#[actix_web::test]
async fn token_of_an_earlier_setting_does_not_gain() {
    let test = TestApp::start().await;
    let old = token(&test, &["audit:read", "tokens:read"]).await;
    assert_eq!(get(&test, "/v1/audit", &old).await.status, 200);
    for setting in ["hide", "doorcode:"] {
        let settings = format!("[tokens]\nbuiltin_scopes = \"{setting}\"\n");
        let later = test.second_server(&settings).await;
        for path in ["/v1/audit", "/v1/tokens"] {
            let answer = get(&later, path, &old).await;
            assert_eq!(answer.status, 403, "{setting} {path}: {answer:?}");
        }
    }
    assert_eq!(get(&test, "/v1/audit", &old).await.status, 200);
}

#[actix_web::test]
async fn form_and_sign_in_use_the_defaults() {
    let test = start(r#"builtin_scopes = "doorcode:""#).await;
    let own = token(&test, &[]).await;
    let catalogue = get(&test, "/v1/scopes", &own).await.body;
    assert_eq!(
        catalogue["items"][0],
        json!({
            "name": "restores:write",
            "description": "Start restores",
            "risk": "high",
            "group": "Restores",
            "default": false,
        })
    );
    let of = |at: usize| {
        let item = &catalogue["items"][at];
        [
            &item["name"],
            &item["risk"],
            &item["group"],
            &item["default"],
        ]
        .map(Value::clone)
    };
    assert_eq!(
        of(1),
        [
            json!("audit:read"),
            json!("read"),
            json!("audit"),
            json!(true)
        ]
    );
    assert_eq!(of(2)[1..3], [json!("read"), json!("Restores")]);
    assert_eq!(
        of(3)[..3],
        [
            json!("doorcode:audit:read"),
            json!("read"),
            json!("doorcode:audit")
        ]
    );
    let presets = json!([{"name": "Auditor", "scopes": ["audit:read", "restores:list"]}]);
    assert_eq!(catalogue["presets"], presets);

    let mut browser = test.user().await;
    let page = browser.get("/tokens/new").await.body;
    let ticked = |page: &str, name: &str| {
        let (_, rest) = page.split_once(&format!(r#"value="{name}""#)).unwrap();
        rest.split_once('>').unwrap().0.contains(" checked")
    };
    assert!(ticked(&page, "audit:read") && !ticked(&page, "restores:write"));
    assert!(page.find(r#"value="restores:write""#) < page.find(r#"value="audit:read""#));
    // What the user unticked stays unticked when the form comes back.
    let page = browser
        .post("/tokens/new", &[("name", ""), ("expires", "30d")])
        .await;
    assert_eq!(page.status, 422);
    assert!(!ticked(&page.body, "audit:read"));

    let device = test
        .oauth("/auth/device", &[("client_id", "doorcode-cli")])
        .await;
    let code = device.body["user_code"].as_str().unwrap().to_owned();
    let consent = browser.type_code(&code).await;
    for name in ["audit:read", "doorcode:orgs:read", "doorcode:tokens:read"] {
        assert!(consent.contains(&format!(r#"value="{name}""#)), "{name}");
    }
    assert!(!consent.contains(r#"value="restores:list""#));
}

#[actix_web::test]
async fn token_without_scopes_is_refused_where_one_is_required() {
    let test = start("builtin_scopes = \"hide\"\nscope_required = true").await;
    let mut browser = test.user().await;
    for path in ["/tokens/new", "/o/acme/settings/api-tokens/new"] {
        browser.get(path).await;
        let page = browser
            .post(path, &[("name", "x"), ("expires", "30d")])
            .await;
        assert_eq!(page.status, 422, "{path}");
        assert!(page.contains("Choose at least one scope."), "{path}");
    }
    let answer = post(
        &test,
        "/v1/orgs/acme/tokens",
        OPERATOR,
        json!({"name": "x"}),
    )
    .await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(
        answer.body["errors"][0]["pointer"], "#/scopes",
        "{answer:?}"
    );

    let device = test.device("audit:read restores:list").await;
    let consent = browser.type_code(&device.user_code).await;
    let page = browser.decide(&consent, "approve", &[]).await;
    assert_eq!(page.status, 400, "{}", page.body);
    assert!(page.contains("Choose at least one scope."));
    assert_eq!(test.count("token", "1 = 1"), 0);
    let consent = browser.type_code(&device.user_code).await;
    browser.decide(&consent, "approve", &["audit:read"]).await;
    assert_eq!(test.poll(&device).await.body["scope"], "audit:read");
}

/// Without a default scope, a client that requests none learns at once that it must name one.
#[actix_web::test]
async fn sign_in_without_scopes_is_refused_where_one_is_required() {
    let settings = "[tokens]\nbuiltin_scopes = \"hide\"\nscope_required = true";
    let test = TestApp::empty(settings).await;
    let form = [("client_id", "doorcode-cli")];
    let empty = test.oauth("/auth/device", &form).await;
    assert_eq!((empty.status, empty.error()), (400, "unauthorized_client"));
    let scopes = "\n[[scopes]]\nname = \"a\"\ndescription = \"A\"";
    let test = TestApp::empty(&format!("{settings}{scopes}")).await;
    let empty = test.oauth("/auth/device", &form).await;
    assert_eq!((empty.status, empty.error()), (400, "invalid_scope"));
    let named = [("client_id", "doorcode-cli"), ("scope", "a")];
    assert_eq!(test.oauth("/auth/device", &named).await.status, 200);
}

/// Where there are no scopes, a user signs in to use the routes that ask for a role.
#[actix_web::test]
async fn server_without_scopes_gives_tokens_to_public_clients_alone() {
    let test = TestApp::empty("[tokens]\nbuiltin_scopes = \"hide\"").await;
    let form = [("client_id", "doorcode-cli")];
    assert_eq!(test.oauth("/auth/device", &form).await.status, 200);
    let secret = test.add_client("robot", Kind::Confidential, &[]).await;
    let form = [("client_id", "robot"), ("client_secret", &secret)];
    let refused = test.oauth("/auth/device", &form).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, "unauthorized_client")
    );
}
