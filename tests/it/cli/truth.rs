//! What the client says about tokens is what the server answers.

use super::{DEFAULT_SCOPES, Machine, code_of};
use crate::support::program::Running;
use crate::support::{OPERATOR, TestApp};
use doorcode::app::client::Kind;
use serde_json::json;
use std::net::TcpListener;

/// Two servers, and a machine that is signed in to the first one.
async fn signed_in_to_the_first_of_two() -> (TestApp, TestApp, Machine) {
    let (first, second) = (TestApp::start().await, TestApp::start().await);
    let machine = Machine::new(&first);
    machine.sign_in(&first, &[]).await;
    (first, second, machine)
}

/// Starts a sign-in to another server than the one of the machine.
fn begin_at(machine: &Machine, test: &TestApp) -> (Running, String) {
    let login = ["login", "--no-browser", "--host", &test.url];
    let mut login = machine.command(&login).spawn();
    let code = code_of(&mut login);
    (login, code)
}

async fn is_active(test: &TestApp, token: &str) -> bool {
    test.introspect(token).await["active"].as_bool().unwrap()
}

#[actix_web::test]
async fn sign_in_to_another_server_keeps_the_first_one() {
    let (first, second, machine) = signed_in_to_the_first_of_two().await;
    let of_first = machine.token();
    let (login, code) = begin_at(&machine, &second);
    second.user().await.approve(&code, &DEFAULT_SCOPES).await;
    login.finish().exited(0).says(&[
        &format!("Signed in to {}", second.url),
        &format!("Also kept:   tokens for {}", first.url),
    ]);
    let of_second = machine.token();
    let mut kept = machine.credentials();
    assert_eq!(
        kept["hosts"].take(),
        json!({ first.url.clone(): {"token": of_first, "origin": "login"} })
    );
    for (test, token) in [(&first, &of_first), (&second, &of_second)] {
        assert!(is_active(test, token).await, "{}", test.url);
        let hint = &token[token.len() - 4..];
        let whoami = machine.command(&["whoami", "--host", &test.url]).run();
        whoami.exited(0).says(&[hint]);
    }
    // The last sign-in is the one of commands that name no server.
    let whoami = machine.command(&["whoami"]).without("DOORCODE_HOST").run();
    whoami.exited(0).says(&[&second.url]);

    let logout = machine.command(&["logout", "--host", &first.url]).run();
    logout
        .exited(0)
        .says(&[&format!("Signed out of {}.", first.url)]);
    assert!(!is_active(&first, &of_first).await);
    assert!(is_active(&second, &of_second).await);
    assert_eq!(machine.credentials().get("hosts"), None);
}

/// A token is neither sent to another server, not even on this machine, nor said to be revoked
/// there.
#[actix_web::test]
async fn token_goes_to_its_own_server_alone() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let token = machine.token();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let host = format!("http://{}", other.local_addr().unwrap());
    for command in [
        &["logout"][..],
        &["logout", "--force"],
        &["whoami"],
        &["audit", "list"],
    ] {
        let refused = machine.command(command).args(&["--host", &host]).run();
        refused.exited(3).complains(&[
            &format!("You are not signed in to {host}."),
            &format!("are for {} and are not sent to other servers.", test.url),
        ]);
    }
    let connection = other.accept().map(drop).map_err(|cause| cause.kind());
    assert_eq!(connection, Err(std::io::ErrorKind::WouldBlock));
    assert_eq!(machine.token(), token);
    assert!(is_active(&test, &token).await);
}

#[actix_web::test]
async fn given_token_is_revoked_only_on_request() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let give = |token: &str| {
        machine
            .command(&["login", "--token", "-"])
            .input(token)
            .run()
    };
    let token = test
        .user()
        .await
        .new_token("robot", &["orgs:read"], "never")
        .await;
    give(&token)
        .exited(0)
        .says(&["`doorcode logout` to delete the token."]);
    assert_eq!(machine.credentials()["origin"], "given");
    machine.command(&["logout"]).run().exited(0).complains(&[
        "The token was given by hand, so it may be in use elsewhere",
        "stays valid (expires: never)",
    ]);
    assert!(is_active(&test, &token).await);

    // A sign-in replaces it without revoking it.
    give(&token).exited(0);
    let (login, code) = machine.begin(&[]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let replaced = login.finish().exited(0);
    assert!(!replaced.stdout.contains("revoked."), "{replaced:?}");
    replaced.complains(&["The previous token was given by hand"]);
    assert!(is_active(&test, &token).await);

    give(&token)
        .exited(0)
        .says(&["The previous token is revoked."]);
    let logout = machine.command(&["logout", "--revoke"]).run().exited(0);
    logout.says(&["The token is revoked and deleted from this machine."]);
    assert!(!is_active(&test, &token).await);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 0);
}

/// An earlier version did not store how a token came into the file. The server knows which tokens
/// a device login issued.
#[actix_web::test]
async fn token_of_an_earlier_version_is_revoked_if_a_login_issued_it() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let issued = machine.token();
    let made = test
        .user()
        .await
        .new_token("robot", &["orgs:read"], "never")
        .await;
    for (token, revoked) in [(&issued, true), (&made, false)] {
        machine.write_file(&json!({"token": token, "host": test.url}).to_string());
        let logout = machine.command(&["logout", "--json"]).run().exited(0);
        assert_eq!(logout.json()["revoked"], revoked);
        assert_eq!(is_active(&test, token).await, !revoked);
    }
}

#[actix_web::test]
async fn operator_token_is_neither_stored_nor_said_to_be_revoked() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let login = machine.command(&["login", "--token", "-"]).input(OPERATOR);
    login
        .run()
        .exited(1)
        .complains(&["The operator token is not stored", "DOORCODE_TOKEN"]);
    assert!(machine.everything().is_empty());

    // An earlier version stored it.
    machine.write_file(&json!({"token": OPERATOR, "host": test.url}).to_string());
    let logout = machine.command(&["logout"]).run().exited(0);
    assert!(!logout.stdout.contains("revoked"), "{logout:?}");
    logout.complains(&["operator token", "cannot be revoked here"]);
    assert_eq!(test.me(OPERATOR).await.status(), 200);
    assert_eq!(machine.credentials(), json!({"host": test.url}));
}

#[actix_web::test]
async fn token_that_the_server_does_not_revoke_is_kept() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    // A client that must send its secret: the server refuses the revocation.
    let token = test.token(&["orgs:read"]).await;
    test.add_client("other", Kind::Confidential, &[]).await;
    test.database
        .execute("UPDATE token SET client_id = 'other'");
    let kept = json!({"token": token, "host": test.url, "origin": "login"});
    machine.write_file(&kept.to_string());
    let logout = machine.command(&["logout"]).run().exited(1);
    logout.complains(&["The token is kept"]);
    assert!(is_active(&test, &token).await);
    assert_eq!(machine.credentials(), kept);
}

/// A sign-in whose token created others.
async fn with_descendants() -> (TestApp, Machine, [String; 2]) {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let scopes = ["tokens:read", "tokens:write"];
    let (login, code) = machine.begin(&["--scope", "tokens:read,tokens:write"]);
    test.user().await.approve(&code, &scopes).await;
    login.finish().exited(0);
    let token = machine.token();
    let body = json!({"name": "nightly build", "scopes": ["tokens:read"]});
    let request = test.anon().post(test.at("/v1/tokens")).bearer_auth(&token);
    let request = request.header("Idempotency-Key", "1").json(&body);
    let created = request.send().await.unwrap();
    assert_eq!(created.status(), 201);
    let created: serde_json::Value = created.json().await.unwrap();
    let child = created["token"].as_str().unwrap().to_owned();
    (test, machine, [token, child])
}

#[actix_web::test]
async fn what_ends_with_a_token_is_listed_and_needs_consent() {
    let (test, machine, [token, child]) = with_descendants().await;
    let codes = test.count("device_grant", "1 = 1");
    for command in [&["logout"][..], &["login", "--no-browser"]] {
        machine.command(command).run().exited(1).complains(&[
            "The revocation also ends what was created with the token: 1 token.",
            "nightly build",
            "Nothing was changed. Add --yes to end them too",
        ]);
    }
    assert_eq!(machine.token(), token);
    assert!(is_active(&test, &token).await && is_active(&test, &child).await);
    assert_eq!(
        test.count("device_grant", "1 = 1"),
        codes,
        "no code was wasted"
    );

    // Another profile leaves both alone.
    machine.sign_in(&test, &["--profile", "other"]).await;
    assert!(is_active(&test, &token).await && is_active(&test, &child).await);

    // On a terminal it asks.
    let logout = |answer: &str| machine.command(&["logout"]).input(answer).on_terminal();
    let question = ["nightly build", "Continue? [y/N]"];
    let refused = logout("n\n").run().exited(1).says(&question);
    refused.says(&["Nothing was changed."]);
    assert!(is_active(&test, &token).await && is_active(&test, &child).await);
    logout("y\n")
        .run()
        .exited(0)
        .says(&question)
        .says(&["The token is revoked"]);
    assert!(!is_active(&test, &token).await && !is_active(&test, &child).await);
}

#[actix_web::test]
async fn sign_in_with_consent_ends_the_previous_token_and_its_descendants() {
    let (test, machine, [token, child]) = with_descendants().await;
    machine.sign_in(&test, &["--yes"]).await;
    assert!(!is_active(&test, &token).await && !is_active(&test, &child).await);
    assert!(is_active(&test, &machine.token()).await);
}

#[actix_web::test]
async fn scopes_are_added_unless_only_is_given() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let refused = machine.command(&["audit", "list"]).run().exited(4);
    let advice = "Run `doorcode login --scope audit:read` to add the scope";
    assert!(!refused.stderr.contains("administrator"), "{refused:?}");
    refused.complains(&["audit:read", advice]);

    let scopes = ["audit:read", "orgs:read", "projects:read", "tokens:read"];
    for (arguments, granted) in [
        (&["--scope", "audit:read"][..], &scopes[..]),
        (&["--scope", "orgs:read", "--only"], &["orgs:read"]),
    ] {
        let before = machine.token();
        let (login, code) = machine.begin(arguments);
        let mut browser = test.user().await;
        let consent = browser.type_code(&code).await;
        for scope in scopes {
            let offered = consent.contains(&format!(r#"value="{scope}""#));
            assert_eq!(offered, granted.contains(&scope), "{scope}");
        }
        browser.decide(&consent, "approve", granted).await;
        login
            .finish()
            .exited(0)
            .says(&["The previous token is revoked."]);
        let introspected = test.introspect(&machine.token()).await;
        assert_eq!(introspected["scope"], granted.join(" "));
        assert!(!is_active(&test, &before).await);
    }
    // A refusal that no scope would change names none.
    let token = test
        .user()
        .await
        .new_token("t", &["audit:read"], "30d")
        .await;
    let refused = machine.command(&["audit", "list", "--org", "no-such"]);
    let refused = refused.env("DOORCODE_TOKEN", &token).run().exited(4);
    assert!(!refused.stderr.contains("--scope"), "{refused:?}");
}

#[actix_web::test]
async fn refused_token_of_the_environment_is_named() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    for bad in ["dc_0", "two words"] {
        let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", bad);
        whoami.run().exited(3).complains(&[
            "The token comes from the environment variable DOORCODE_TOKEN.",
            "unset the variable",
        ]);
        // The given token is the refused one, not the one of the environment.
        let login = machine.command(&["login", "--token", "dc_1"]);
        let login = login.env("DOORCODE_TOKEN", bad).run().exited(3);
        login.complains(&["is set and overrides", "Run `doorcode login`"]);
    }
    let login = machine.command(&["login", "--no-browser"]);
    let mut login = login.env("DOORCODE_TOKEN", "dc_0").spawn();
    login.line("The environment variable DOORCODE_TOKEN is set and overrides");
    login.line("Code:");
    let token = test.token(&["orgs:read"]).await;
    let whoami = machine
        .command(&["audit", "list"])
        .env("DOORCODE_TOKEN", &token);
    whoami
        .run()
        .exited(4)
        .complains(&["Set one that has the scope audit:read."]);
    assert!(machine.everything().is_empty());
}
