//! Renaming tokens.

use super::{Client, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of};
use serde_json::json;

const WRITER: [&str; 2] = ["tokens:read", "tokens:write"];

/// A new name changes nothing else, and the same name again changes nothing at all.
#[actix_web::test]
async fn renamed_token_keeps_everything_but_its_name() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let client = Client::with(&test, &ada, input(&WRITER)).await;
    let token = test.token_of(&ada, input(&["orgs:read"])).await;
    let at = format!("/v1/tokens/{}", token.token.id);
    let before = expect(client.get(&at).await, 200);
    for _ in 0..2 {
        let renamed = expect(
            client.patch(&at, json!({"name": " Build server "})).await,
            200,
        );
        assert_eq!(renamed["name"], "Build server");
        let shown = expect(client.get(&at).await, 200);
        assert_eq!(shown, renamed);
        for same in ["id", "hint", "scopes", "expires_at", "created_at", "state"] {
            assert_eq!(shown[same], before[same], "{same}");
        }
        assert_eq!(test.events("token.renamed"), 1);
    }
    assert!(Client::new(&test, text_of(&token)).is_active().await);

    // A list of ended tokens can be put in order too.
    expect(client.delete(&at).await, 204);
    let renamed = expect(client.patch(&at, json!({"name": "old"})).await, 200);
    assert_eq!(
        (&renamed["name"], &renamed["state"]),
        (&json!("old"), &json!("revoked"))
    );
    assert_eq!(test.events("token.renamed"), 2);
}

#[actix_web::test]
async fn name_must_be_valid_and_the_token_visible() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Naming").await;
    let client = Client::of(&test, &ada).await;
    let token = test.token_of(&ada, input(&[])).await;
    let at = format!("/v1/tokens/{}", token.token.id);
    for name in ["", "  ", &"x".repeat(101), "a\nb"] {
        let body = refused(
            client.patch(&at, json!({"name": name})).await,
            422,
            "invalid",
        );
        assert_eq!(body["errors"][0]["pointer"], "#/name", "{body}");
    }
    let reader = Client::with(&test, &ada, input(&["tokens:read"])).await;
    let name = || json!({"name": "new"});
    refused(reader.patch(&at, name()).await, 403, "insufficient_scope");
    let eve = test.caller("eve@x.example").await;
    let eve = Client::of(&test, &eve).await;
    refused(eve.patch(&at, name()).await, 404, "not_found");
    let here = format!("/v1/orgs/{}/tokens/{}", org.slug, token.token.id);
    refused(client.patch(&here, name()).await, 404, "not_found");
    assert_eq!(test.events("token.renamed"), 0);

    let body = json!({"name": "nightly"});
    let made = expect(
        client
            .post(&format!("/v1/orgs/{}/tokens", org.slug), body)
            .await,
        201,
    );
    let here = format!(
        "/v1/orgs/{}/tokens/{}",
        org.slug,
        made["id"].as_str().unwrap()
    );
    refused(eve.patch(&here, name()).await, 403, "forbidden");
    assert_eq!(
        expect(client.patch(&here, name()).await, 200)["name"],
        "new"
    );
    assert_eq!(test.events("token.renamed"), 1);
}
