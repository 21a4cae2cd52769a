//! `doorcode logout`.

use super::Machine;
use crate::support::TestApp;
use crate::support::deployment::mode;
use serde_json::json;

/// REV-02, REV-03: the token is revoked on the server first, then removed from the file.
#[actix_web::test]
async fn logout_revokes_and_removes_the_token() {
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
            "Signed out of {}. The token is revoked and deleted from this machine.",
            test.url
        )]);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(test.introspect(&token).await, json!({"active": false}));
    assert_eq!(machine.credentials(), json!({"more": 1, "host": test.url}));
    assert_eq!(mode(&machine.file()), 0o600);
    machine.command(&["whoami"]).run().exited(3);
    let again = machine.command(&["logout"]).run().exited(0);
    again.says(&[&format!("You are not signed in to {}.", test.url)]);
}

#[actix_web::test]
async fn json_output_reports_the_result() {
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
async fn revoked_token_is_removed() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let form = [("client_id", "doorcode-cli"), ("token", &machine.token())];
    test.oauth("/auth/revoke", &form).await;
    machine.command(&["logout"]).run().exited(0);
    assert_eq!(machine.credentials().get("token"), None);
}

#[actix_web::test]
async fn token_is_kept_without_the_server_unless_forced() {
    let machine = Machine::at("http://127.0.0.1:1");
    let kept = json!({"token": "dc_0", "host": "http://127.0.0.1:1", "origin": "login"});
    machine.write_file(&kept.to_string());
    machine.command(&["logout"]).run().exited(1).complains(&[
        "Cannot reach http://127.0.0.1:1",
        "The token is kept",
        "logout --force",
    ]);
    assert_eq!(machine.credentials(), kept);
    machine
        .command(&["logout", "--force"])
        .run()
        .exited(0)
        .says(&["is deleted from this machine."])
        .complains(&["The token stays valid on the server"]);
    assert_eq!(machine.credentials(), json!({"host": "http://127.0.0.1:1"}));
}

#[actix_web::test]
async fn token_from_the_environment_is_not_revoked() {
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
