//! `doorcode login`, from the user code to the token.

use super::{DEFAULT_SCOPES, Machine, signed_in_line};
use crate::support::deployment::mode;
use crate::support::{CLI, PASSWORD, TestApp};
use serde_json::json;

/// DEV-56, DEV-61: shows the approving user, and always the code and the plain URL.
#[actix_web::test]
async fn approval_yields_a_working_token() {
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
    let shown = [
        &format!("    Page:  {}\n", test.at("/device")),
        &format!("    Code:  {code}\n"),
        &format!("    {}?user_code=", test.at("/device")),
        "Waiting for approval.",
    ];
    let finished = login.finish().exited(0).complains(&shown).says(&[
        &signed_in_line(&test.url),
        "Scopes:      orgs:read projects:read tokens:read\n",
        "Expires:     20 February 2027",
        "Token:       Doorcode CLI",
        &format!("Kept in:     {}\n", file.display()),
        "Run `doorcode whoami` to show this again, or `doorcode logout` to revoke",
    ]);
    let first = finished.stdout.lines().next();
    assert_eq!(first, signed_in_line(&test.url).lines().next());
    let token = machine.token();
    assert!(!finished.stdout.contains(&token), "the token is not shown");
    assert_eq!(
        machine.credentials(),
        json!({"token": token, "host": test.url, "origin": "login"})
    );
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    assert_eq!(machine.everything().len(), 3, "two folders and the file");
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.count("token", "1 = 1"), 1);
}

#[actix_web::test]
async fn denial_is_reported_and_saves_nothing() {
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

/// The page preselects the limits, and the user keeps them.
#[actix_web::test]
async fn organization_and_project_are_preselected_as_limits() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let ben = test.caller("ben@x.example").await;
    let alpha = test.organization(&ben, "Alpha").await;
    let (alpha_id, shop) = (&alpha.id, test.project(&alpha, "Shop").await.id);
    let mut browser = test.browser();
    browser.sign_in("ben@x.example", PASSWORD).await;
    for (arguments, project) in [
        (["--org", "alpha"], None),
        (["--project", shop.as_str()], Some(shop.as_str())),
    ] {
        let (login, code) = machine.begin(&arguments);
        let consent = browser.type_code(&code).await;
        let option = format!(r#"<option value="{alpha_id}" selected>"#);
        assert!(consent.contains(&option), "{}", consent.body);
        let ticked = format!(r#"name="project" value="{shop}" checked"#);
        assert_eq!(consent.contains(&ticked), project.is_some());
        let ticket = consent.field("ticket").unwrap();
        let mut fields = vec![
            ("ticket", ticket.as_str()),
            ("user_code", &code),
            ("decision", "approve"),
            ("organization", alpha_id.as_str()),
        ];
        fields.extend(project.map(|id| ("project", id)));
        let page = browser.post("/device/decide", &fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        login.finish().exited(0);
        let token = test.introspect(&machine.token()).await;
        assert_eq!(token["organization"], alpha_id.as_str());
        assert_eq!(token["projects"], json!(project.map(|id| [id])));
    }
}

#[actix_web::test]
async fn malformed_organization_is_reported() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine
        .command(&["login", "--no-browser", "--org", "Two words"])
        .run()
        .exited(1)
        .complains(&[
            "The server refused: The organization must be the slug or the ID of \
             an organization. (invalid_request)\nNothing was saved.",
        ]);
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}

/// The user can only end a request that a policy forbids.
#[actix_web::test]
async fn rule_that_forbids_the_sign_in_is_reported() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    test.database
        .execute("UPDATE membership SET role = 'member'");
    test.database
        .execute("UPDATE organization SET personal_tokens = 'admins'");
    let (login, code) = machine.begin(&[]);
    let mut browser = test.user().await;
    let page = browser.type_code(&code).await;
    browser.decide(&page, "deny", &[]).await;
    login.finish().exited(1).complains(&[
        "The policy of the organization lets only admins and owners use personal tokens. Ask an \
         owner to change your role or the policy, then sign in again.\n\
         Nothing was saved. To try again, run `doorcode login`.",
    ]);
    assert!(machine.everything().is_empty());
}

/// DEV-60: an expired code ends the sign-in with a message, without a new attempt.
#[actix_web::test]
async fn expired_code_is_reported_and_not_requested_again() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, _) = machine.begin(&[]);
    test.clock.advance(601);
    // The server notices the expiry at the next poll; `end_waiting` ends the held one.
    test.app.end_waiting();
    login.finish().exited(1).complains(&[
        "The code expired before it was approved.",
        "To try again, run `doorcode login`.",
    ]);
    assert!(machine.everything().is_empty());
    assert_eq!(test.count("device_grant", "1 = 1"), 1);
}

#[actix_web::test]
async fn only_the_given_scopes_are_requested() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&["--scope", "tokens:read", "--scope", "tokens:write"]);
    let mut browser = test.user().await;
    let consent = browser.type_code(&code).await;
    assert!(consent.contains("tokens:read") && consent.contains("tokens:write"));
    assert!(!consent.contains("projects:read"), "{}", consent.body);
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 200, "{}", page.body);

    login
        .finish()
        .exited(0)
        .says(&["Scopes:      tokens:read\n", "Not granted: tokens:write\n"]);
    let introspected = test.introspect(&machine.token()).await;
    assert_eq!(introspected["scope"], "tokens:read");
}

#[actix_web::test]
async fn unknown_scope_is_rejected_with_advice() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let login = machine.command(&["login", "--no-browser", "--scope", "orgs:fly"]);
    login
        .run()
        .exited(1)
        .complains(&["There is no scope orgs:fly. The scopes are: ", "orgs:read"]);
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
async fn json_output_is_a_single_document() {
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
async fn new_sign_in_revokes_the_replaced_token() {
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
        .says(&["The previous token is revoked."]);
    let second = machine.token();
    assert_ne!(first, second);
    assert_eq!(test.me(&first).await.status(), 401);
    assert_eq!(test.me(&second).await.status(), 200);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 1);
}

#[actix_web::test]
async fn given_token_is_checked_and_saved() {
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

    // The same token again is kept and not revoked as the previous one.
    let repeated = machine.command(&["login", "--token", "-"]);
    repeated.input(&format!("{token}\n")).run().exited(0);
    assert_eq!(machine.token(), token);
    assert_eq!(test.me(&token).await.status(), 200);

    // Another token replaces it.
    let other = test.token(&["tokens:read"]).await;
    let replaced = machine.command(&["login", "--token", "-"]);
    replaced.input(&other).run().exited(0);
    assert_eq!(machine.token(), other);
    assert_eq!(test.me(&other).await.status(), 200);
    // A token given by hand is not revoked.
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.count("token", &format!("client_id = '{CLI}'")), 2);
}

#[actix_web::test]
async fn rejected_token_is_not_saved() {
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
fn conflicting_options_are_usage_errors() {
    let machine = Machine::at("http://127.0.0.1:1");
    for arguments in [
        &["--token", "dc_0", "--scope", "orgs:read"][..],
        &["--token", "dc_0", "--device"],
        &["--token", "dc_0", "--no-browser"],
        &["--token", "dc_0", "--org", "acme"],
        &["--project", "website"],
        &["--profile", "a b"],
        &["--host", "two words"],
        &["--only"],
        &["--config", "doorcode.toml"],
        &["--what"],
    ] {
        let refused = machine.command(&["login"]).args(arguments).run().exited(2);
        assert_ne!(refused.stderr, "");
    }
    assert!(machine.everything().is_empty());
}
