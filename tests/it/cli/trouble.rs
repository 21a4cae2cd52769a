//! Interruptions, unreachable servers, and other web servers.

use super::{DEFAULT_SCOPES, Machine};
use crate::support::TestApp;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Waits until a poll waits for the decision.
async fn until_a_poll_is_held(test: &TestApp) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while test.app.held_polls() == 0 {
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

/// The first finding of a newcomer: a program that is not in PATH is not found by its name.
#[test]
fn commands_in_texts_can_be_typed_as_the_program_was_called() {
    let machine = Machine::at("http://127.0.0.1:1");
    for called in ["target/release/doorcode", "./doorcode"] {
        let whoami = machine.command(&["whoami"]).called_as(called).run();
        whoami
            .exited(3)
            .complains(&[&format!("Run `{called} login` to sign in.")]);
    }
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
            "Cannot reach https://auth.invalid: its name is not known",
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
            &format!("The response from {host} is not as expected"),
            "Check that this is the address of the right server",
        ]);
    }
    assert!(machine.everything().is_empty());
}

/// Passes requests on to a server, except that it answers the first one for `/v1/me` with 503.
fn flaky_front(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let failed = std::sync::Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (server, failed) = (server.clone(), failed.clone());
            std::thread::spawn(move || pass_on(stream.unwrap(), &server, &failed));
        }
    });
    host
}

/// Passes one request of a connection on, which is then closed.
fn pass_on(mut client: TcpStream, server: &str, failed: &AtomicBool) {
    // One read returns each of these short requests completely.
    let mut request = [0; 8192];
    let length = client.read(&mut request).unwrap();
    let request = String::from_utf8_lossy(&request[..length]);
    if request.starts_with("GET /v1/me ") && !failed.swap(true, Ordering::SeqCst) {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";
        client.write_all(answer.as_bytes()).unwrap();
        return;
    }
    let mut upstream = TcpStream::connect(server).unwrap();
    let closing = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    upstream.write_all(closing.as_bytes()).unwrap();
    // The client may have gone.
    let _ = std::io::copy(&mut upstream, &mut client);
}

#[actix_web::test]
async fn failure_after_the_approval_does_not_lose_the_sign_in() {
    let test = TestApp::start().await;
    let server = test.url.strip_prefix("http://").unwrap().to_owned();
    let machine = Machine::at(&flaky_front(server));
    let (login, code) = machine.begin(&[]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let finished = login.finish().exited(0);
    finished.complains(&["The server did not respond. Retrying."]);
    assert_eq!(test.me(&machine.token()).await.status(), 200);
    assert_eq!(test.count("token", "1 = 1"), 1);
}
