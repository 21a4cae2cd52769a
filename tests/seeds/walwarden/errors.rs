//! Lines 18 and 22 to 24: errors, the matrix of scopes, and the programs that use the API.

use super::{CREATE, Dashboard, LIST};
use doorcode_client::{Branding, Client, Host, Secret};
use serde_json::Value;

/// Missing scope fails closed: 403 `forbidden`.
#[actix_web::test]
async fn e_18_a_missing_scope_is_forbidden() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["audit:read"]).await;
    let answer = dashboard.system.api(LIST, &token).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body["code"], "forbidden", "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(
        answer.body["message"].as_str().unwrap().len() > 10,
        "{answer:?}"
    );
    // A route that no rule names is closed as well.
    let unknown = dashboard.system.api("GET /api/v1/unknown", &token).await;
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (403, &"forbidden".into())
    );
}

/// The scope of each endpoint and the meanings of 401, 403 and 409 are documented.
#[actix_web::test]
async fn e_22_the_scope_of_each_endpoint_is_documented() {
    let dashboard = Dashboard::start().await;
    let test = &dashboard.system.test;
    let token = dashboard.token("ci", &[]).await;
    let request = test.anon().get(test.at("/v1/routes")).bearer_auth(&token);
    let routes: Value = request.send().await.unwrap().json().await.unwrap();
    let items = routes["items"].as_array().unwrap();
    let of = |pattern: &str| {
        let mut items = items.iter();
        items
            .find(|item| item["match"] == pattern)
            .unwrap_or_else(|| panic!("{pattern}: {routes}"))
    };
    assert_eq!(of("GET /api/v1/databases/**")["scope"], "databases:read");
    let write = of("* /api/v1/databases/**");
    assert_eq!(write["scope"], "databases:write");
    assert_eq!(write["idempotency_key"], true, "{write}");
    assert_eq!(
        of("GET /api/v1/regions")["access"],
        "authenticated",
        "{routes}"
    );
    let mut admin = dashboard.browser("admin").await;
    let page = admin.get("/scopes").await;
    for text in [
        "databases:read",
        "GET /api/v1/databases/**",
        "evidence:export",
        "POST /api/v1/evidence/exports",
        "the answer is 401",
        "it is 403",
    ] {
        assert!(page.contains(text), "{text}: {}", page.body);
    }
    // What the statuses mean, for callers without a token too.
    let mut stranger = test.browser();
    for (code, status, meaning) in [
        ("invalid_token", "401", "unknown, expired or revoked"),
        ("insufficient_scope", "403", "lacks the scope"),
        (
            "idempotency_in_progress",
            "409",
            "still processing a request with this Idempotency-Key",
        ),
    ] {
        let page = stranger.get(&format!("/problems/{code}")).await;
        assert!(
            page.contains(status) && page.contains(meaning),
            "{code}: {}",
            page.body
        );
    }
}

/// The same token drives CLI and SDK (`WALWARDEN_API_KEY`, `WALWARDEN_BASE_URL`).
#[actix_web::test]
async fn e_23_one_token_drives_the_command_line_and_the_sdk() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let machine = dashboard.system.machine();
    let url = &dashboard.system.test.url;
    let whoami = machine.command(&["whoami", "--json"]);
    let whoami = whoami.env("WALWARDEN_API_KEY", &token);
    let finished = whoami.env("WALWARDEN_BASE_URL", url).run().exited(0);
    assert_eq!(
        finished.json()["me"]["organization"]["slug"],
        "acme",
        "{finished:?}"
    );
    machine.command(&["whoami"]).run().exited(3);

    let host = Host::parse(url).unwrap();
    let client = Client::new(&host, &Branding::default()).unwrap();
    let me = client.me(&Secret::new(token.clone())).await.unwrap();
    assert!(me.owner().to_string().contains("Acme"));
    assert_eq!(dashboard.status(LIST, &token).await, 200);
}

/// Changes require an `Idempotency-Key` header.
#[actix_web::test]
async fn e_24_changes_need_an_idempotency_key() {
    let dashboard = Dashboard::start().await;
    let token = dashboard
        .token("ci", &["databases:write", "backups:trigger"])
        .await;
    for request in [
        CREATE,
        "PATCH /api/v1/databases/db_1",
        "DELETE /api/v1/databases/db_1",
        "POST /api/v1/backups",
    ] {
        let answer = dashboard.system.api(request, &token).await;
        assert_eq!(answer.status, 400, "{request}");
        assert_eq!(answer.body["code"], "idempotency_key_required", "{request}");
        let key = [("idempotency-key", "e-24")];
        let answer = dashboard.system.api_with(request, &token, &key).await;
        assert_eq!(answer.status, 200, "{request}: {answer:?}");
        let told = dashboard.system.last_call();
        assert_eq!(told.header("idempotency-key"), "e-24");
    }
}
