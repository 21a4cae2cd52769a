//! `doorcode token confirm`: from the challenge of an API to the request that passes.

use super::Machine;
use super::fake_server::{FakeServer, Reply};
use crate::recent::max_age::API;
use crate::support::{EMAIL, PASSWORD, TestApp};

async fn status(test: &TestApp, token: &str) -> u16 {
    let request = test
        .anon()
        .get(test.at("/auth/verify"))
        .bearer_auth(token)
        .header("x-original-method", "GET")
        .header("x-original-uri", "/v1/secrets");
    request.send().await.unwrap().status().as_u16()
}

/// One approval in the browser, then the retry passes.
#[actix_web::test]
async fn confirmation_in_the_browser_lets_the_retry_pass() {
    let test = TestApp::with(API).await;
    let machine = Machine::new(&test);
    machine.sign_in_with(&test, &["tokens:read"]).await;
    let token = machine.token();
    test.clock.advance(301);
    assert_eq!(status(&test, &token).await, 401);

    let arguments = ["token", "confirm", "--no-browser", "--max-age", "5m"];
    let mut waiting = machine.command(&arguments).spawn();
    let line = waiting.line("Page:  ");
    let (_, page) = line.split_once("Page:  ").unwrap();
    let page = page.trim().strip_prefix(&test.url).unwrap().to_owned();
    assert!(page.ends_with("/confirm?max_age=300"), "{page}");
    let mut browser = test.browser();
    let login = browser.get(&page).await;
    assert!(
        login.location().starts_with("/login?return_to="),
        "{login:?}"
    );
    browser.get(login.location()).await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", &*page),
    ];
    assert_eq!(browser.post_only("/login", &fields).await.location(), page);
    browser.get(&page).await;
    let path = page.split('?').next().unwrap();
    let done = browser.post_only(path, &[("max_age", "300")]).await;
    assert_eq!(done.status, 303);
    waiting
        .finish()
        .exited(0)
        .complains(&["is confirmed. Repeat the request now."]);
    assert_eq!(status(&test, &token).await, 204);
    assert_eq!(machine.token(), token, "the token is the same");
}

/// A management API behind a proxy with such a route: the command says what to do.
#[actix_web::test]
async fn refused_command_names_the_next_one() {
    let server = FakeServer::start(|_| {
        let error = r#"error="insufficient_user_authentication", max_age="300""#;
        let challenge = format!("WWW-Authenticate: Bearer realm=\"A\", {error}\r\n");
        Reply::with(401, &challenge, "{}")
    });
    let machine = Machine::at(&format!("http://{}", server.address));
    let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_x");
    whoami.run().exited(3).complains(&[
        "The request needs a sign-in of the last 5 minutes.",
        "Run `doorcode token confirm --max-age 300s` to sign in again, then repeat the command.",
    ]);
}

#[actix_web::test]
async fn token_of_nobody_is_not_confirmed() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let operator = machine
        .command(&["token", "confirm", "--no-browser"])
        .env("DOORCODE_TOKEN", crate::support::OPERATOR);
    operator
        .run()
        .exited(1)
        .complains(&["Only personal tokens can be confirmed"]);
}
