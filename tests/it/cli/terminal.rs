//! A sign-in in terminals of several sizes, and Ctrl-C in each step.

use super::fake_server::{FakeServer, Reply};
use super::pseudo_terminal::Terminal;
use super::{DEFAULT_SCOPES, Machine};
use crate::support::TestApp;
use crate::support::program::Program;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// A terminal as most users have it.
fn modern(program: Program) -> Program {
    program
        .env("TERM", "xterm-256color")
        .env("LANG", "en_US.UTF-8")
}

/// A code, whose page is not on this machine.
fn grant() -> Value {
    json!({
        "device_code": "device",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://auth.example.com/device",
        "verification_uri_complete": "https://auth.example.com/device?user_code=WDJB-MJHT",
        "expires_in": 600,
        "interval": 1,
    })
}

/// A token that does not exist.
fn token() -> Value {
    json!({"access_token": "dc_1", "token_type": "Bearer", "scope": "orgs:read"})
}

/// Stands in for a server that is reached by its name: its page is not on this machine.
fn public_server(mut poll: impl FnMut() -> Reply + Send + 'static) -> FakeServer {
    FakeServer::start(move |path| match path {
        "/auth/device" => Reply::json(200, &grant()),
        "/auth/device/token" => poll(),
        "/auth/revoke" => Reply::json(200, &json!({})),
        // The token is never looked at.
        _ => Reply::Hang,
    })
}

fn machine_of(server: &FakeServer) -> Machine {
    Machine::at(&format!("http://{}", server.address))
}

fn has_picture(terminal: &Terminal) -> bool {
    terminal.written().contains('█')
}

#[test]
fn page_and_code_are_visible_in_every_terminal() {
    let server = public_server(|| Reply::Hang);
    for (columns, rows, picture) in [(80, 24, false), (40, 24, false), (200, 50, true)] {
        let machine = machine_of(&server);
        let mut login = modern(machine.command(&["login"])).in_terminal(columns, rows);
        login.until_visible(&[
            "    Page:  https://auth.example.com/device",
            "Code:  ",
            "WDJB-MJHT",
            "Waiting for approval, ",
        ]);
        assert_eq!(has_picture(&login), picture, "{columns}x{rows}");
        login.press("\u{3}");
        let ended = login.finish().exited(130);
        let cancelled = "Cancelled. Nothing was saved.";
        assert!(ended.stdout.contains(cancelled), "{ended:?}");
    }
}

#[test]
fn settings_of_the_terminal_are_respected() {
    let server = public_server(|| Reply::Hang);
    for (name, value, escapes, picture, ascii) in [
        ("NO_COLOR", "1", true, true, false),
        ("LANG", "C", true, false, true),
        ("TERM", "dumb", false, false, false),
        ("TERM", "", false, false, false),
    ] {
        let machine = machine_of(&server);
        let login = modern(machine.command(&["login"])).env(name, value);
        let mut login = login.in_terminal(200, 50);
        login.until("Waiting for approval");
        let written = login.written();
        assert_eq!(written.contains('\u{1b}'), escapes, "{name}={value}");
        assert_eq!(written.is_ascii(), ascii || !escapes, "{name}={value}");
        assert_eq!(has_picture(&login), picture, "{name}={value}");
        assert!(!written.contains("\u{1b}[1m") || name != "NO_COLOR");
        login.press("\u{3}");
        login.finish().exited(130);
    }
}

#[actix_web::test]
async fn loopback_address_gets_no_qr_code() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut login = modern(machine.command(&["login"])).in_terminal(200, 50);
    login.until("Waiting for approval");
    assert!(!has_picture(&login), "{}", login.written());
    let visible = login.visible().join("\n");
    let (_, code) = visible.split_once("Code:  ").unwrap();
    let code = code.lines().next().unwrap().trim();
    test.user().await.approve(code, &DEFAULT_SCOPES).await;
    let ended = login.finish().exited(0);
    assert!(ended.stdout.contains("Signed in to"), "{}", ended.stdout);
}

/// The finding: a job's log fills with redrawn lines, and nothing names the way for jobs.
#[test]
fn job_and_pipe_are_told_how_long_the_code_is_valid() {
    let server = public_server(|| Reply::Hang);
    let machine = machine_of(&server);
    let text = "Waiting for approval. The code is valid for 10 minutes. A job that runs without \
                a user needs a token in DOORCODE_TOKEN instead.";
    let login = modern(machine.command(&["login"])).env("CI", "true");
    let mut login = login.in_terminal(200, 50);
    login.until(text);
    login.press("\u{3}");
    assert!(!login.finish().exited(130).stdout.contains(" left."));

    let mut login = machine.command(&["login"]).spawn();
    login.line(text);
    login.signal("TERM");
    let ended = login.finish().exited(130);
    assert_eq!(ended.stdout, "", "results only");
    assert!(ended.stderr.is_ascii(), "no locale: {}", ended.stderr);
    let prompt = "    Page:  https://auth.example.com/device\n    Code:  WDJB-MJHT\n";
    assert!(ended.stderr.contains(prompt), "{}", ended.stderr);
}

#[test]
fn ctrl_c_at_the_hidden_prompt_restores_the_echo() {
    let machine = Machine::at("http://127.0.0.1:1");
    for arguments in [
        &["login", "--token", "-"][..],
        &["user", "add", "--email", "b@x.example", "--name", "Ben"],
    ] {
        let mut prompt = modern(machine.command(arguments)).in_terminal(80, 24);
        prompt.until(if arguments[0] == "login" {
            "press Enter:"
        } else {
            "characters): "
        });
        prompt.until_hidden();
        prompt.press("secret\u{3}");
        let ended = prompt.finish();
        assert_ne!(ended.code, Some(0), "{ended:?}");
        assert!(prompt.echoes(), "{arguments:?}");
        assert!(!ended.stdout.contains("secret"), "{ended:?}");
        assert!(!ended.stdout.contains("panicked"), "{ended:?}");
    }
}

/// Ctrl-C, a closed terminal and a shutdown: before the code, while the user decides, and between
/// the token and the file.
#[test]
fn every_signal_in_every_step_leaves_no_token() {
    let possible = "If you approved the sign-in just now, a token may exist";
    for signal in ["INT", "TERM", "HUP"] {
        let server = FakeServer::start(|_| Reply::Hang);
        let machine = machine_of(&server);
        let login = machine.command(&["login"]).spawn();
        server.requested("/auth/device");
        login.signal(signal);
        let ended = login.finish().exited(130);
        assert_eq!(ended.stderr, "Cancelled. Nothing was saved.\n");

        let server = public_server(|| Reply::Hang);
        let machine = machine_of(&server);
        let login = machine.command(&["login"]).spawn();
        server.requested("/auth/device/token");
        login.signal(signal);
        login.finish().exited(130).complains(&[possible]);

        let server = public_server(|| Reply::json(200, &token()));
        let machine = machine_of(&server);
        let login = machine.command(&["login"]).spawn();
        server.requested("/v1/me");
        login.signal(signal);
        let ended = login.finish().exited(130);
        server.requested("/auth/revoke");
        assert!(!ended.stderr.contains(possible), "{ended:?}");
        assert!(machine.everything().is_empty());
    }
}

/// The response with the token is lost, so the next poll finds a used code.
#[test]
fn lost_response_with_the_token_is_reported() {
    let mut polls = 0;
    let server = public_server(move || {
        polls += 1;
        match polls {
            1 => Reply::with(503, "Retry-After: 1\r\n", ""),
            _ => Reply::json(400, &json!({"error": "invalid_grant"})),
        }
    });
    let machine = machine_of(&server);
    machine.command(&["login"]).run().exited(1).complains(&[
        "error: The sign-in was approved, but the response with the token was lost.",
        "Revoke the token on the server's Tokens page, then run `doorcode login",
    ]);
}

#[test]
fn token_that_is_revoked_before_it_is_stored_is_reported() {
    let granted = FakeServer::start(|path| match path {
        "/auth/device" => Reply::json(200, &grant()),
        "/auth/device/token" => Reply::json(200, &token()),
        _ => Reply::json(401, &json!({})),
    });
    let machine = machine_of(&granted);
    machine
        .command(&["login"])
        .run()
        .exited(3)
        .complains(&["refused the token: it is expired, revoked or mistyped."]);
    assert!(machine.everything().is_empty());
}

/// The openers of remote editors and containers: they are called without a display and over SSH.
#[test]
fn browser_variable_is_called_first_and_its_failure_reported() {
    let server = public_server(|| Reply::Hang);
    for (name, script, opened) in [
        ("BROWSER", "echo \"$1\" > \"$0.opened\"; exit 0", true),
        (
            "DOORCODE_BROWSER",
            "echo \"$1\" > \"$0.opened\"; exit 3",
            false,
        ),
    ] {
        let machine = machine_of(&server);
        let program = machine.home().join("my browser");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let login = modern(machine.command(&["login"]))
            .env(name, &program)
            .env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
        let mut login = login.in_terminal(80, 24);
        login.until("The page opens in your browser. Approve only if it shows the same code.");
        login.until("Waiting for approval");
        if !opened {
            login.until("The page could not be opened in a browser here.");
            login.until("This link has the code filled in:");
            login.until_count("WDJB-MJHT", 3);
        }
        login.until_file(&machine.home().join("my browser.opened"));
        login.press("\u{3}");
        login.finish().exited(130);
        let link = std::fs::read_to_string(machine.home().join("my browser.opened")).unwrap();
        assert_eq!(
            link,
            "https://auth.example.com/device?user_code=WDJB-MJHT\n"
        );
    }
}

#[test]
fn missing_opener_shows_the_link_at_once() {
    let server = public_server(|| Reply::Hang);
    let machine = machine_of(&server);
    let login = modern(machine.command(&["login"])).env("BROWSER", "/nowhere/browser");
    let mut login = login.in_terminal(80, 24);
    login.until("Waiting for approval");
    let written = login.written();
    assert!(
        written.contains("This link has the code filled in:"),
        "{written}"
    );
    assert!(!written.contains("opens in your browser"), "{written}");
    login.press("\u{3}");
    login.finish().exited(130);
}

/// The reader of a pipe goes away.
#[test]
fn closed_pipe_is_no_panic() {
    let machine = Machine::at("http://127.0.0.1:1");
    for words in ["--help", "login --help", "login 2>&1"] {
        let script = format!("\"$0\" {words} | head -n 1");
        let ended = machine
            .command(&[])
            .run_by(&["/bin/sh", "-c", &script])
            .run()
            .exited(0);
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}
