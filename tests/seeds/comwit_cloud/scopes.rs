//! The scopes of a token.

use super::{SCOPES, comwit};
use serde_json::Value;

/// A PAT carries one or more scopes.
#[actix_web::test]
async fn b_15_token_has_one_or_more_scopes() {
    let comwit = comwit().await;
    let (mut user, one) = comwit.member_with("counts", &["app:read"]).await;
    let two = user
        .browser
        .new_token("two", &["app:read", "app:write"], "30d")
        .await;
    for (token, scopes) in [(one, "app:read"), (two, "app:read app:write")] {
        let called = comwit
            .system
            .call(&comwit.web("GET", "/apps"), &token)
            .await;
        assert_eq!(called.body["headers"]["x-auth-scopes"], scopes);
    }
    user.browser.get("/tokens/new").await;
    let none = [("name", "none"), ("expires", "30d")];
    let refused = user.browser.post("/tokens/new", &none).await;
    assert_eq!(refused.attribute("data-token"), None);
    assert!(refused.contains("at least one"), "{}", refused.body);
}

/// Scopes ×9: `project:read` list accessible projects · `database:read` list/inspect ·
/// `database:write` create · `app:read` list/inspect apps, builds, env, domains · `app:write`
/// create/delete apps, set env, attach hostnames · `app:deploy` deploy builds, roll back ·
/// `domain:read` list/inspect domains and DNS · `domain:write` onboard domains, manage DNS ·
/// `domain:purchase` registrar purchase.
#[actix_web::test]
async fn b_16_there_are_nine_scopes() {
    let comwit = comwit().await;
    let (mut user, token) = comwit.member_with("nine", &SCOPES).await;
    let listed = comwit
        .system
        .manage("GET /v1/scopes", &token, Value::Null)
        .await;
    let items = listed.body["items"].as_array().unwrap();
    let names: Vec<_> = items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, SCOPES);
    for (at, word) in [
        (2, "Create"),
        (4, "hostnames"),
        (5, "roll back"),
        (8, "registrar"),
    ] {
        let description = items[at]["description"].as_str().unwrap();
        assert!(description.contains(word), "{description}");
    }
    let form = user.browser.get("/tokens/new").await;
    let offered = form.body.matches(r#"name="scope""#).count();
    for scope in SCOPES {
        assert!(form.contains(&format!(r#"value="{scope}""#)), "{scope}");
    }
    for builtin in ["projects:read", "tokens:write", "audit:read"] {
        assert!(!form.contains(builtin), "{builtin}");
    }
    assert!(offered <= SCOPES.len(), "{offered} fields");
    let routes = [
        ("GET", "/databases"),
        ("GET", "/apps/api/env"),
        ("DELETE", "/apps/api"),
        ("GET", "/domains"),
        ("POST", "/domains"),
    ];
    for (method, rest) in routes {
        let called = comwit.system.call(&comwit.web(method, rest), &token).await;
        assert_eq!(called.status, 200, "{method} {rest}");
    }
}
