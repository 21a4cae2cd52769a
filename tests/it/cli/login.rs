//! `doorcode login`, from the code to the token.

use super::{DEFAULT_SCOPES, Machine, signed_in_line};
use crate::support::deployment::mode;
use crate::support::{CLI, TestApp};
use serde_json::json;

/// DEV-56, DEV-61: who approved is shown, and the code and the plain address always are.
#[actix_web::test]
async fn approving_the_code_ends_with_a_token_that_works() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&[]);
    assert_eq!(code.len(), 9, "{code}");
    assert!(
        machine.everything().is_empty(),
        "nothing is kept before the approval"
    );
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;

    let file = machine.file();
    let finished = login.finish().exited(0).says(&[
        &format!("    Page:  {}\n", test.at("/device")),
        &format!("    Code:  {code}\n"),
        &format!("    {}?user_code=", test.at("/device")),
        &signed_in_line(&test.url),
        "Scopes:      orgs:read projects:read tokens:read\n",
        "Expires:     20 February 2027",
        "Token:       Doorcode CLI",
        &format!("Kept in:     {}\n", file.display()),
        "`doorcode whoami` shows this again; `doorcode logout` revokes the token",
    ]);
    assert_eq!(finished.stderr, "Waiting for approval…\n");
    let token = machine.token();
    assert!(!finished.stdout.contains(&token), "the token is not shown");
    assert_eq!(
        machine.credentials(),
        json!({"token": token, "host": test.url})
    );
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    assert_eq!(machine.everything().len(), 3, "two folders and the file");
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.count("token", "1 = 1"), 1);
}

#[actix_web::test]
async fn denying_the_code_ends_with_words_and_keeps_nothing() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&[]);
    let mut browser = test.user().await;
    let consent = browser.type_code(&code).await;
    let denied = browser.decide(&consent, "deny", &[]).await;
    assert_eq!(denied.status, 200, "{}", denied.body);

    login.finish().exited(1).complains(&[
        "The sign-in was denied in the browser.\nNothing was saved. To try again, run `doorcode login`.",
    ]);
    assert!(machine.everything().is_empty());
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// DEV-60: what has expired ends with a message, and is not started again.
#[actix_web::test]
async fn a_code_that_expires_ends_with_words_and_is_not_asked_for_again() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, _) = machine.begin(&[]);
    test.clock.advance(601);
    // The server learns of the time at the next poll; a decision elsewhere ends the hold.
    test.app.end_waiting();
    login.finish().exited(1).complains(&[
        "The code expired before it was approved.",
        "To try again, run `doorcode login`.",
    ]);
    assert!(machine.everything().is_empty());
    assert_eq!(test.count("device_grant", "1 = 1"), 1);
}

#[actix_web::test]
async fn only_the_scopes_that_are_named_are_asked_for() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&["--scope", "tokens:read", "--scope", "orgs:write"]);
    let mut browser = test.user().await;
    let consent = browser.type_code(&code).await;
    assert!(consent.contains("tokens:read") && consent.contains("orgs:write"));
    assert!(!consent.contains("projects:read"), "{}", consent.body);
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 200, "{}", page.body);

    login
        .finish()
        .exited(0)
        .says(&["Scopes:      tokens:read\n", "Not granted: orgs:write\n"]);
    let introspected = test.introspect(&machine.token()).await;
    assert_eq!(introspected["scope"], "tokens:read");
}

#[actix_web::test]
async fn a_scope_that_does_not_exist_is_refused_with_advice() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let login = machine.command(&["login", "--no-browser", "--scope", "orgs:fly"]);
    login
        .run()
        .exited(1)
        .complains(&["(invalid_scope)", "Check the names after --scope"]);
    machine
        .command(&["login", "--scope", "two words"])
        .run()
        .exited(1);
    machine
        .command(&["login", "--scope", "\"x\""])
        .run()
        .exited(2);
    assert!(machine.everything().is_empty());
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}

#[actix_web::test]
async fn json_leaves_standard_output_to_one_document() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&["--json", "--profile", "work"]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let finished = login.finish().exited(0).complains(&["Page:  ", "Code:  "]);
    let document = finished.json();
    assert_eq!(document["signed_in"], true);
    assert_eq!(document["host"], test.url.as_str());
    assert_eq!(document["profile"], "work");
    assert_eq!(document["file"], machine.file().display().to_string());
    assert_eq!(document["scopes_not_granted"], json!([]));
    assert_eq!(document["previous_token_revoked"], json!(null));
    assert_eq!(document["me"]["user"]["email"], "ada@example.com");
    assert_eq!(document["me"]["scopes"], json!(DEFAULT_SCOPES));
    let kept = machine.credentials();
    let token = kept["profiles"]["work"]["token"].as_str().unwrap();
    assert!(!finished.stdout.contains(token) && !finished.stderr.contains(token));
}

#[actix_web::test]
async fn a_new_sign_in_revokes_the_token_that_it_replaces() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let first = machine.token();
    let (login, code) = machine.begin(&[]);
    assert_eq!(
        test.me(&first).await.status(),
        200,
        "until the new one is there"
    );
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    login
        .finish()
        .exited(0)
        .says(&["The token that was kept before is revoked."]);
    let second = machine.token();
    assert_ne!(first, second);
    assert_eq!(test.me(&first).await.status(), 401);
    assert_eq!(test.me(&second).await.status(), 200);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 1);
}

#[actix_web::test]
async fn a_token_that_is_given_is_checked_and_kept() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let token = test.token(&["orgs:read"]).await;
    machine
        .command(&["login", "--token", &token])
        .run()
        .exited(0)
        .says(&[&signed_in_line(&test.url), "Scopes:      orgs:read\n"]);
    assert_eq!(machine.token(), token);
    assert_eq!(mode(&machine.file()), 0o600);

    // The same token again is kept, not revoked as the one before.
    let second_server = machine.command(&["login", "--token", "-"]);
    second_server.input(&format!("{token}\n")).run().exited(0);
    assert_eq!(machine.token(), token);
    assert_eq!(test.me(&token).await.status(), 200);

    // Another takes its place.
    let other = test.token(&["tokens:read"]).await;
    let replaced = machine.command(&["login", "--token", "-"]);
    replaced.input(&other).run().exited(0);
    assert_eq!(machine.token(), other);
    assert_eq!(test.me(&other).await.status(), 200);
    // It was issued to another client, whose place it is to revoke it.
    assert_eq!(test.count("token", &format!("client_id = '{CLI}'")), 2);
}

#[actix_web::test]
async fn a_token_that_the_server_refuses_is_not_kept() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let revoked = test.token(&["orgs:read"]).await;
    test.oauth("/auth/revoke", &[("client_id", CLI), ("token", &revoked)])
        .await;
    for bad in [revoked.as_str(), "dc_0", "two words", "ümlaut"] {
        machine
            .command(&["login", "--token", bad])
            .run()
            .exited(3)
            .complains(&["token", "Run `doorcode login` to sign in."]);
    }
    let from_input = |text: &str| {
        machine
            .command(&["login", "--token", "-"])
            .input(text)
            .run()
    };
    from_input("dc_0\n").exited(3);
    for empty in ["", "\n", "  \n"] {
        from_input(empty)
            .exited(2)
            .complains(&["The token is empty. Nothing was saved."]);
    }
    assert!(machine.everything().is_empty());
}

/// CONTRACT 7: code 2.
#[test]
fn options_that_contradict_each_other_are_wrong_usage() {
    let machine = Machine::at("http://127.0.0.1:1");
    for arguments in [
        &["--token", "dc_0", "--scope", "orgs:read"][..],
        &["--token", "dc_0", "--device"],
        &["--token", "dc_0", "--no-browser"],
        &["--profile", "a b"],
        &["--host", "example.com"],
        &["--what"],
    ] {
        let refused = machine.command(&["login"]).args(arguments).run().exited(2);
        assert_ne!(refused.stderr, "");
    }
    assert!(machine.everything().is_empty());
}
