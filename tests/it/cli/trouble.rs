//! Interruptions, unreachable servers, and other web servers.

use super::{DEFAULT_SCOPES, Machine};
use crate::support::TestApp;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[actix_web::test]
async fn ctrl_c_during_the_wait_leaves_no_files() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&[]);
    until_a_poll_is_held(&test).await;
    login.signal("INT");
    let finished = login
        .finish()
        .exited(130)
        .complains(&["Cancelled. Nothing was saved."]);
    assert!(!finished.stderr.contains("panicked"), "{finished:?}");
    assert!(
        machine.everything().is_empty(),
        "{:?}",
        machine.everything()
    );

    // A late approval issues no token: the held poll was abandoned.
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// Waits until a poll has reached the database; from then on it is held.
async fn until_a_poll_is_held(test: &TestApp) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while test.count("device_grant", "last_poll_at IS NOT NULL") == 0 {
        assert!(Instant::now() < deadline, "no poll was seen");
        let healthz = test.anon().get(test.at("/healthz")).send().await;
        assert_eq!(healthz.unwrap().status(), 200);
    }
}

#[actix_web::test]
async fn ctrl_c_keeps_an_earlier_sign_in() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let before = std::fs::read(machine.file()).unwrap();
    let (mut login, _) = machine.begin(&[]);
    login.line("Waiting for approval");
    login.signal("INT");
    login.finish().exited(130);
    assert_eq!(std::fs::read(machine.file()).unwrap(), before);
    assert_eq!(machine.everything().len(), 3, "two folders and the file");
    assert_eq!(test.me(&machine.token()).await.status(), 200);
}

#[test]
fn unreachable_server_is_reported_with_advice() {
    let machine = Machine::at("http://127.0.0.1:1");
    for command in [
        &["login", "--no-browser"][..],
        &["login", "--token", "dc_0"],
    ] {
        machine.command(command).run().exited(1).complains(&[
            "Cannot reach http://127.0.0.1:1",
            "Is the server running? Start it with `doorcode serve`",
            "--host URL",
        ]);
    }
    machine
        .command(&["whoami"])
        .env("DOORCODE_TOKEN", "dc_0")
        .run()
        .exited(1)
        .complains(&["Cannot reach"]);
    machine
        .command(&["login", "--no-browser", "--host", "https://auth.invalid"])
        .run()
        .exited(1)
        .complains(&[
            "Cannot reach https://auth.invalid",
            "Check the network and the address",
        ]);
    assert!(machine.everything().is_empty());
}

#[test]
fn other_web_server_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // One read returns each of these short requests completely.
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let page = "<p>hello</p>";
            let length = page.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{page}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let machine = Machine::at(&host);
    for command in [
        &["login", "--no-browser"][..],
        &["login", "--token", "dc_0"],
    ] {
        machine.command(command).run().exited(1).complains(&[
            &format!("The response from {host} is not from a Doorcode server"),
            "Check that this is the address of a Doorcode server",
        ]);
    }
    assert!(machine.everything().is_empty());
}
