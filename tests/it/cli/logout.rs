//! `doorcode logout`.

use super::Machine;
use crate::support::TestApp;
use crate::support::deployment::mode;
use serde_json::json;

/// REV-02, REV-03: revoked on the server first, then forgotten.
#[actix_web::test]
async fn logging_out_revokes_the_token_and_forgets_it() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.write_file(r#"{"more": 1}"#);
    machine.sign_in(&test, &[]).await;
    let token = machine.token();
    assert_eq!(test.me(&token).await.status(), 200);
    machine
        .command(&["logout"])
        .run()
        .exited(0)
        .says(&[&format!(
            "Signed out of {}. The token is revoked and forgotten.",
            test.url
        )]);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(test.introspect(&token).await, json!({"active": false}));
    assert_eq!(machine.credentials(), json!({"more": 1, "host": test.url}));
    assert_eq!(mode(&machine.file()), 0o600);
    for command in ["whoami", "logout"] {
        machine.command(&[command]).run().exited(3);
    }
}

#[actix_web::test]
async fn json_says_what_was_done() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let document = machine
        .command(&["logout", "--json"])
        .run()
        .exited(0)
        .json();
    assert_eq!(
        document,
        json!({"signed_in": false, "host": test.url, "profile": "default", "revoked": true})
    );
}

#[actix_web::test]
async fn a_token_that_is_revoked_already_is_forgotten_too() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let form = [("client_id", "doorcode-cli"), ("token", &machine.token())];
    test.oauth("/auth/revoke", &form).await;
    machine.command(&["logout"]).run().exited(0);
    assert_eq!(machine.credentials().get("token"), None);
}

#[actix_web::test]
async fn without_the_server_the_token_is_kept_unless_forced() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let token = machine.token();
    let nowhere = "http://127.0.0.1:1";
    machine
        .command(&["logout", "--host", nowhere])
        .run()
        .exited(1)
        .complains(&[
            "Cannot reach http://127.0.0.1:1",
            "The token is kept",
            "logout --force",
        ]);
    assert_eq!(machine.token(), token);
    machine
        .command(&["logout", "--host", nowhere, "--force"])
        .run()
        .exited(0)
        .says(&["is forgotten on this machine."])
        .complains(&["The token stays valid on the server"]);
    assert_eq!(machine.credentials().get("token"), None);
    assert_eq!(test.me(&token).await.status(), 200);
}

#[actix_web::test]
async fn a_token_of_the_environment_is_for_the_person_to_remove() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let token = test.token(&["orgs:read"]).await;
    machine
        .command(&["logout"])
        .env("DOORCODE_TOKEN", &token)
        .run()
        .exited(1)
        .complains(&["unset DOORCODE_TOKEN", "Nothing was changed."]);
    assert_eq!(test.me(&token).await.status(), 200);
}

/// A token that was made on the page and given to the command line is signed out like one
/// of its own.
#[actix_web::test]
async fn a_token_that_was_made_on_the_page_is_revoked_too() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut browser = test.user().await;
    browser.get("/tokens/new").await;
    let fields = [
        ("name", "robot"),
        ("expires", "never"),
        ("scope", "orgs:read"),
    ];
    let page = browser.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").expect(&page.body);
    let login = machine.command(&["login", "--token", &token]);
    login.run().exited(0).says(&["Expires:     never"]);
    machine.command(&["logout"]).run().exited(0);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(machine.credentials().get("token"), None);
}
