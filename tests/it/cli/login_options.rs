//! Options of `doorcode login` that choose what is requested and what is kept.

use super::{DEFAULT_SCOPES, Machine, code_of, owner};
use crate::support::{CLI, EMAIL, TestApp};
use serde_json::{Value, json};

async fn is_active(test: &TestApp, token: &str) -> bool {
    test.introspect(token).await["active"].as_bool().unwrap()
}

async fn me(test: &TestApp, token: &str) -> Value {
    test.me(token).await.json().await.unwrap()
}

/// A wrapper or an editor shows the code itself.
#[actix_web::test]
async fn code_appears_as_a_line_of_json_before_the_result() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut login = machine
        .command(&["login", "--no-browser", "--json"])
        .spawn();
    let line = login.line(r#""event""#);
    let event: Value = serde_json::from_str(&line).unwrap();
    let code = event["user_code"].as_str().unwrap().to_owned();
    let expected = json!({
        "event": "code",
        "verification_uri": test.at("/device"),
        "verification_uri_complete": event["verification_uri_complete"],
        "user_code": code,
        "expires_in": event["expires_in"],
    });
    assert_eq!(event, expected);
    assert!(event["expires_in"].as_u64() > Some(0), "{event}");
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let finished = login.finish().exited(0);
    assert_eq!(finished.stdout.lines().next(), Some(&*line));
    assert_eq!(finished.json()["me"]["user"]["email"], EMAIL);
}

#[actix_web::test]
async fn sign_in_as_another_client_is_revoked_as_that_client() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&["--client-id", CLI, "--scope", "orgs:read"]);
    test.user().await.approve(&code, &["orgs:read"]).await;
    login.finish().exited(0);
    let token = machine.token();
    assert_eq!(me(&test, &token).await["token"]["client_id"], CLI);
    machine
        .command(&["logout"])
        .run()
        .exited(0)
        .says(&["is revoked"]);
    assert!(!is_active(&test, &token).await);
    let unknown = machine.command(&["login", "--no-browser", "--client-id", "no-such"]);
    unknown.run().exited(1).complains(&["invalid_client"]);
}

#[actix_web::test]
async fn renewed_sign_in_has_the_same_scopes_and_client_and_a_later_end() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let renew = || machine.command(&["login", "--renew", "--no-browser"]);
    renew()
        .run()
        .exited(3)
        .complains(&["there is nothing to renew"]);
    let scopes = ["orgs:read", "audit:read"];
    let (login, code) = machine.begin(&["--client-id", CLI, "--scope", &scopes.join(",")]);
    test.user().await.approve(&code, &scopes).await;
    login.finish().exited(0);
    let (old, before) = (machine.token(), me(&test, &machine.token()).await);

    test.clock.advance(24 * 60 * 60);
    let mut renewed = renew().spawn();
    let code = code_of(&mut renewed);
    test.user().await.approve(&code, &scopes).await;
    renewed
        .finish()
        .exited(0)
        .says(&["The previous token is revoked."]);
    let after = me(&test, &machine.token()).await;
    assert_eq!(after["scopes"], before["scopes"]);
    assert_eq!(after["token"]["client_id"], CLI);
    let end = |me: &Value| me["token"]["expires_at"].as_str().unwrap().to_owned();
    assert!(end(&after) > end(&before));
    assert!(!is_active(&test, &old).await);
    renew().args(&["--scope", "orgs:read"]).run().exited(2);
}

#[actix_web::test]
async fn project_of_a_sign_in_becomes_the_default_if_the_token_can_access_it() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let ada = owner(&test).await;
    let rockets = test.organization(&ada, "Rockets").await;
    let web = test.project(&rockets, "Web").await.id.to_string();
    let begin = |scopes| machine.begin(&["--project", &web, "--scope", scopes, "--only"]);
    let (login, code) = begin("orgs:read");
    test.user().await.approve(&code, &["orgs:read"]).await;
    let finished = login.finish().exited(0);
    finished.complains(&[&format!("{web} is not the default project")]);
    assert_eq!(machine.credentials().get("default_project"), None);

    let (login, code) = begin("projects:read");
    test.user().await.approve(&code, &["projects:read"]).await;
    login.finish().exited(0);
    assert_eq!(machine.credentials()["default_project"], web.as_str());
}
