//! `doorcode whoami`.

use super::{Machine, owner, signed_in_line};
use crate::support::{CLI, OPERATOR, TestApp};
use doorcode::app::token::CreateToken;

#[actix_web::test]
async fn whoami_shows_owner_token_scopes_and_expiry() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let token = machine.token();
    let shown = machine.command(&["whoami"]).run().exited(0).says(&[
        &signed_in_line(&test.url),
        "Organizations: Acme (owner)\n",
        "Token:         Doorcode CLI",
        &token[token.len() - 4..],
        &format!("Kept in:       {}\n", machine.file().display()),
        "Scopes:        orgs:read projects:read tokens:read\n",
        "Expires:       20 February 2027",
    ]);
    assert_eq!(shown.stderr, "");
    assert!(!shown.stdout.contains(&token));

    let document = machine
        .command(&["whoami", "--json"])
        .run()
        .exited(0)
        .json();
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    let expected = serde_json::json!({
        "signed_in": true, "host": test.url, "profile": "default", "token_source": "file",
        "me": me,
    });
    assert_eq!(document, expected);
    // The server is stored with the token.
    let remembered = machine.command(&["whoami"]).without("DOORCODE_HOST");
    remembered
        .run()
        .exited(0)
        .says(&[&signed_in_line(&test.url)]);
}

/// A token that no user owns is in no organization as a member.
#[actix_web::test]
async fn organization_is_the_owner_of_its_token_and_not_one_of_none() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let ada = owner(&test).await;
    let rockets = test.organization(&ada, "Rockets").await;
    let input = CreateToken {
        name: "ci".into(),
        ..CreateToken::default()
    };
    let made = test.organization_token(&rockets, input).await;
    for (token, signed_in) in [
        (made.secret.expose(), "as the organization Rockets.\n"),
        (OPERATOR, "as the operator.\n"),
    ] {
        let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", token);
        let shown = whoami.run().exited(0).says(&[signed_in, "Token:         "]);
        assert!(!shown.stdout.contains("Organizations:"), "{shown:?}");
    }
}

#[actix_web::test]
async fn user_who_is_not_signed_in_gets_advice() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    for arguments in [&["whoami"][..], &["whoami", "--json"]] {
        let refused = machine.command(arguments).run().exited(3).complains(&[
            &format!("You are not signed in to {}.", test.url),
            "Run `doorcode login` to sign in.",
        ]);
        assert_eq!(refused.stdout, "");
    }
    machine
        .command(&["whoami", "--profile", "work"])
        .run()
        .exited(3)
        .complains(&["with the profile work", "`doorcode login --profile work`"]);
    assert!(machine.everything().is_empty());
}

#[actix_web::test]
async fn token_revoked_elsewhere_is_rejected() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let form = [("client_id", "doorcode-cli"), ("token", &machine.token())];
    test.oauth("/auth/revoke", &form).await;
    machine.command(&["whoami"]).run().exited(3).complains(&[
        "refused the token: it is expired, revoked or mistyped.",
        "Run `doorcode login` to sign in.",
    ]);
}

#[actix_web::test]
async fn token_from_the_environment_has_priority() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let other = test.token(&["tokens:write"]).await;
    let whoami = || machine.command(&["whoami"]).env("DOORCODE_TOKEN", &other);
    whoami().run().exited(0).says(&[
        "Kept in:       the environment variable DOORCODE_TOKEN\n",
        "Scopes:        tokens:write\n",
    ]);
    test.oauth("/auth/revoke", &[("client_id", CLI), ("token", &other)])
        .await;
    whoami().run().exited(3);
    machine.command(&["whoami"]).run().exited(0);
}

/// A saved token is sent only to its own server.
#[actix_web::test]
async fn saved_token_is_not_sent_to_another_server() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    machine
        .command(&["whoami", "--host", "https://auth.invalid"])
        .run()
        .exited(3)
        .complains(&[
            "You are not signed in to https://auth.invalid.",
            "are not sent to other servers",
        ]);
    machine
        .command(&["whoami", "--host", "http://auth.invalid"])
        .run()
        .exited(2)
        .complains(&["is not encrypted", "--allow-http"]);
}
