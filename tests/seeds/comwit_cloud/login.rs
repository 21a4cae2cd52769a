//! The device flow, as HTTP and in the browser.

use super::{CLI_SCOPES, comwit};
use crate::seeds::system::send;
use crate::support::deployment::mode;
use crate::support::device::{Answer, GRANT};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// Begins the flow as the documentation shows it.
async fn begin(comwit: &super::Comwit) -> Value {
    let request = comwit.system.request("POST /v1/auth/device");
    let body = json!({"client_id": "comwit-cli", "scope": CLI_SCOPES.join(" ")});
    let begun = send(request.json(&body)).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    begun.body
}

async fn poll(comwit: &super::Comwit, begun: &Value) -> Answer {
    let request = comwit.system.request("POST /v1/auth/device/token");
    let body = json!({
        "grant_type": GRANT,
        "client_id": "comwit-cli",
        "device_code": begun["device_code"],
    });
    send(request.json(&body)).await
}

/// Two ways to get a PAT: CLI device login (recommended) and the console.
#[actix_web::test]
async fn b_21_token_comes_from_the_cli_or_the_console() {
    let comwit = comwit().await;
    let (mut user, console) = comwit.member_with("ways", &["app:read"]).await;
    let machine = comwit.system.machine(&comwit.system.api);
    let (login, code) = machine.begin(&[]);
    user.browser.approve(&code, &CLI_SCOPES).await;
    machine.branded(login.finish().exited(0));
    let printed = machine.run(&["token", "print"]).exited(0);
    for token in [console.as_str(), printed.stdout.trim()] {
        let called = comwit.system.call(&comwit.web("GET", "/apps"), token).await;
        assert_eq!(called.status, 200);
        assert_eq!(called.body["headers"]["x-auth-user-id"], user.id);
    }
}

/// `login` starts the device flow: `POST /v1/auth/device` returns `user_code` and
/// `verification_uri`.
#[actix_web::test]
async fn b_22_login_starts_the_device_flow() {
    let comwit = comwit().await;
    let begun = begin(&comwit).await;
    let code = begun["user_code"].as_str().unwrap();
    assert_eq!((code.len(), code.find('-')), (9, Some(4)));
    let page = format!("{}/device", comwit.system.pages);
    assert_eq!(begun["verification_uri"], page);

    let machine = comwit.system.machine(&comwit.system.api);
    let (mut login, code) = machine.begin(&[]);
    assert_eq!((code.len(), code.find('-')), (9, Some(4)));
    login.line(&page);
    login.kill();
}

/// The CLI opens the browser at that URL.
#[actix_web::test]
async fn b_23_cli_opens_the_browser() {
    let comwit = comwit().await;
    let machine = comwit.system.machine(&comwit.system.api);
    // The opener writes the link to a pipe, from which it is read once it is there.
    let home = machine.home();
    let (pipe, opener) = (home.join("opened"), home.join("opener"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let script = format!("#!/bin/sh\necho \"$1\" > {}\n", pipe.display());
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, PermissionsExt::from_mode(0o755)).unwrap();
    let login = machine.command(&["login"]).env("COMWIT_BROWSER", &opener);
    let login = login.spawn();
    let opened = actix_web::web::block(move || std::fs::read_to_string(pipe));
    let opened = opened.await.unwrap().unwrap();
    let link = format!("{}/device?user_code=", comwit.system.pages);
    assert!(opened.starts_with(&link), "{opened}");
    login.kill();
}

/// A user signed in to the console approves the displayed code.
#[actix_web::test]
async fn b_24_user_approves_the_displayed_code() {
    let comwit = comwit().await;
    let mut user = comwit.member("approver").await;
    let begun = begin(&comwit).await;
    let code = begun["user_code"].as_str().unwrap();
    let consent = user.browser.type_code(code).await;
    assert_eq!(consent.status, 200);
    for shown in [code, "Comwit CLI", &user.email, "app:deploy"] {
        assert!(consent.contains(shown), "{shown}");
    }
    let approved = user.browser.decide(&consent, "approve", &CLI_SCOPES).await;
    assert_eq!(approved.status, 200);
    assert!(approved.contains("Approved"), "{}", approved.body);
    assert_eq!(poll(&comwit, &begun).await.status, 200);
}

/// The CLI polls `POST /v1/auth/device/token` until it receives the `cwt_` token.
#[actix_web::test]
async fn b_25_cli_polls_for_the_token() {
    let comwit = comwit().await;
    let mut user = comwit.member("poller").await;
    let begun = begin(&comwit).await;
    let pending = poll(&comwit, &begun).await;
    assert_eq!(
        (pending.status, pending.error()),
        (400, "authorization_pending")
    );
    let code = begun["user_code"].as_str().unwrap();
    user.browser.approve(code, &CLI_SCOPES).await;
    let issued = poll(&comwit, &begun).await;
    assert!(issued.token().starts_with("cwt_"));
    assert_eq!(issued.body["scope"], "app:deploy app:read project:read");
}

/// The token is saved to `~/.config/comwit/config.json`.
#[actix_web::test]
async fn b_26_token_is_saved_in_the_folder_of_the_cli() {
    let comwit = comwit().await;
    let mut user = comwit.member("saver").await;
    let machine = comwit.system.machine(&comwit.system.api);
    let (login, code) = machine.begin(&[]);
    user.browser.approve(&code, &CLI_SCOPES).await;
    machine.branded(login.finish().exited(0));
    let saved = machine.json("comwit/config.json");
    let token = saved["token"].as_str().unwrap();
    assert!(token.starts_with("cwt_"));
    assert_eq!(mode(&machine.file("comwit/config.json")), 0o600);
    let called = comwit.system.call("GET /v1/projects", token).await;
    assert_eq!(called.status, 200);
}

/// `login --project <id>` also pins the default project.
#[actix_web::test]
async fn b_27_login_pins_the_default_project() {
    let comwit = comwit().await;
    let mut user = comwit.member("pinner").await;
    let machine = comwit.system.machine(&comwit.system.api);
    let (login, code) = machine.begin(&["--project", &comwit.web]);
    user.browser.approve(&code, &CLI_SCOPES).await;
    machine.branded(login.finish().exited(0));
    let saved = machine.json("comwit/config.json");
    assert_eq!(saved["default_project"], comwit.web);
    let shown = machine.run(&["config", "show", "--json"]).exited(0).json();
    assert_eq!(shown["project"]["value"], comwit.web);
}
