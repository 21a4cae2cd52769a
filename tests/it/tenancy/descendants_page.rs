//! What was created with a token, on the pages.

use super::descendants::{Scene, named, text};
use super::{Client, expect};
use crate::support::PASSWORD;
use crate::support::browser::Browser;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

async fn browser(scene: &Scene, email: &str) -> Browser {
    let mut browser = scene.test.browser();
    browser.sign_in(email, PASSWORD).await;
    browser.get("/account").await;
    browser
}

/// The hint of a token, as lists show it.
fn hint(made: &Value) -> &str {
    made["hint"].as_str().unwrap()
}

/// A token is listed under the one with which it was created. The confirmation and the result of
/// the revocation say how many end with it.
#[actix_web::test]
async fn token_is_listed_under_its_creator_and_ends_with_it() {
    let scene = Scene::new().await;
    let child = expect(scene.own().post("/v1/tokens", named("child")).await, 201);
    let of_child = scene.client(text(&child));
    let machine = json!({"name": "machine", "scopes": ["orgs:read"]});
    expect(of_child.post(&scene.tokens_of_acme(), machine).await, 201);
    let invited = of_child
        .post(&scene.invitations(), json!({"role": "member"}))
        .await;
    expect(invited, 201);
    let mut ada = browser(&scene, "ada@x.example").await;
    let creator = format!("/tokens/{}", scene.maker.token.id);
    let page = ada.get(&creator).await;
    assert!(page.contains("<dt>Created with it</dt>"), "{}", page.body);
    let link = format!(
        r#"<a href="/tokens/{}">child</a>"#,
        child["id"].as_str().unwrap()
    );
    assert!(page.contains(&link), "{}", page.body);
    let of_child_page = ada
        .get(&format!("/tokens/{}", child["id"].as_str().unwrap()))
        .await;
    let with = format!("the token <code>{}", scene.maker.token.hint);
    assert!(of_child_page.contains(&with), "{}", of_child_page.body);

    let confirm = ada.get(&format!("{creator}/revoke")).await;
    let says = "<b>2 active tokens</b> created with it, and its open invitations, end too.";
    assert!(confirm.contains(says), "{}", confirm.body);
    let done = ada.post(&format!("{creator}/revoke"), &[]).await;
    let done = ada.get(done.location()).await;
    assert!(
        done.contains(" 2 tokens and 1 invitation created with it ended too."),
        "{}",
        done.body
    );
    assert!(!of_child.is_active().await);
}

/// A token that leaked may have rotated itself, so the page says that its successor stays.
#[actix_web::test]
async fn page_says_that_the_successor_stays_active() {
    let scene = Scene::new().await;
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    let new = expect(scene.own().post(&rotate, json!({})).await, 201);
    let mut ada = browser(&scene, "ada@x.example").await;
    let old = format!("/tokens/{}/revoke", scene.maker.token.id);
    let says = "The token that replaced it stays active. If this one leaked, revoke that one too.";
    assert!(ada.get(&old).await.contains(says));
    let page = ada.get(&format!("/tokens/{}", scene.maker.token.id)).await;
    let link = format!(
        r#"href="/tokens/{}"><code>{}"#,
        new["id"].as_str().unwrap(),
        hint(&new)
    );
    assert!(page.contains(&link), "{}", page.body);
    assert_eq!(
        ada.post(
            &format!("/tokens/{}/revoke", new["id"].as_str().unwrap()),
            &[]
        )
        .await
        .status,
        303
    );
    assert!(!ada.get(&old).await.contains(says));
}

/// The token of a user who left has ended, and what it created for the organization stays.
#[actix_web::test]
async fn admins_see_that_the_creating_token_has_ended() {
    let scene = Scene::new().await;
    let bob = scene.test.caller("bob@x.example").await;
    scene.test.add_member(&scene.acme, &bob, Role::Admin).await;
    let his = Client::of(&scene.test, &bob).await;
    let token = expect(his.get("/v1/me").await, 200)["token"].clone();
    let machine = json!({"name": "machine", "scopes": []});
    let machine = expect(his.post(&scene.tokens_of_acme(), machine).await, 201);
    let mut ada = browser(&scene, "ada@x.example").await;
    let list = format!("/o/{}/settings/api-tokens", scene.acme.slug);
    let hint = token["hint"].as_str().unwrap();
    let with = format!("Created with a token that has ended, <code>{hint}");
    let page = ada.get(&list).await;
    assert!(
        page.contains("machine") && !page.contains("has ended"),
        "{}",
        page.body
    );
    scene.test.unseat(&scene.acme, &bob).await;
    let page = ada.get(&list).await;
    assert!(page.contains(&with), "{}", page.body);
    let found = format!(
        "{}/{}",
        scene.tokens_of_acme(),
        machine["id"].as_str().unwrap()
    );
    let found = expect(scene.own().get(&found).await, 200);
    assert_eq!(
        (&found["state"], &found["made_by_token"]),
        (&json!("live"), &token["id"])
    );
}
