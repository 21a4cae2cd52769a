//! Graceful stop, requested by a supervisor (SIGTERM) or with Ctrl-C (SIGINT).

use crate::support::deployment::Deployment;
use crate::support::device::{Answer, GRANT};
use crate::support::program::{PATIENCE, Running};
use crate::support::{TestApp, http};
use doorcode::app::user;
use futures_util::FutureExt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::time::Duration;

async fn start_grant(deployment: &Deployment) -> Answer {
    let request = http()
        .post(deployment.at("/auth/device"))
        .form(&[("client_id", "doorcode-cli")]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn poll(deployment: &Deployment, grant: &Answer, wait: u32) -> reqwest::RequestBuilder {
    http()
        .post(deployment.at("/auth/device/token"))
        .header("prefer", format!("wait={wait}"))
        .form(&[
            ("grant_type", GRANT),
            ("client_id", "doorcode-cli"),
            ("device_code", grant.body["device_code"].as_str().unwrap()),
        ])
}

/// Waits until a poll waits for the decision.
async fn until_a_poll_is_held(deployment: &Deployment) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let metrics = http().get(deployment.at("/metrics")).send().await;
        let metrics = metrics.unwrap().text().await.unwrap();
        if metrics.contains("doorcode_held_polls 1") {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "no poll was seen");
    }
}

fn stop(server: Running, signal: &str) {
    server.signal(signal);
    let finished = server
        .finish()
        .exited(0)
        .complains(&["stopping", "stopped"]);
    assert!(!finished.stderr.contains("panicked"), "{finished:?}");
}

/// CONTRACT 3, `Prefer: wait`: the held poll gets its response at the stop and does not count as
/// held, so that the device waits its interval before it polls the next server.
#[actix_web::test]
async fn held_poll_gets_a_response_when_the_server_stops() {
    for signal in ["TERM", "INT"] {
        let deployment = Deployment::with_user();
        let server = deployment.start();
        let grant = start_grant(&deployment).await;
        let request = poll(&deployment, &grant, 30).send();
        let held = actix_web::rt::spawn(async { Answer::of(request.await.unwrap()).await });
        until_a_poll_is_held(&deployment).await;
        assert!(!held.is_finished());

        let asked_at = std::time::Instant::now();
        stop(server, signal);
        let answer = held.await.unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.error(), "authorization_pending");
        assert_eq!(answer.headers.get("preference-applied"), None);
        assert!(
            asked_at.elapsed().as_secs() < 15,
            "{signal} was not heard at once"
        );

        // The device grant stays active: the next server continues it.
        let _server = deployment.start();
        let code = grant.body["user_code"].as_str().unwrap();
        let scopes = ["orgs:read"];
        deployment.user().await.approve(code, &scopes).await;
        let issued = poll(&deployment, &grant, 30).send().await.unwrap();
        assert_eq!(issued.status(), 200);
    }
}

/// A supervisor stops the server while a proxy sends it requests: it is not ready at once, so that the
/// proxy sends the next ones elsewhere, and serves those that still come. A second signal stops it.
#[actix_web::test]
async fn terminated_server_is_not_ready_but_serves_on() {
    let deployment = Deployment::with_user().set("DOORCODE__SERVER__DRAIN_FOR", "300s");
    let mut server = deployment.start();
    let kept = http().get(deployment.at("/healthz")).send().await.unwrap();
    assert_eq!(kept.headers().get("connection"), None);
    assert_eq!(deployment.status("/readyz").await, 200);
    server.signal("TERM");
    server.line("not ready any more");
    let ready = http().get(deployment.at("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    // A proxy that keeps connections opens none of them again.
    assert_eq!(ready.headers()["connection"], "close");
    assert!(
        ready
            .text()
            .await
            .unwrap()
            .starts_with("not ready: stopping")
    );
    assert_eq!(deployment.status("/healthz").await, 200);
    let grant = start_grant(&deployment).await;
    let code = grant.body["user_code"].as_str().unwrap();
    deployment.user().await.approve(code, &["orgs:read"]).await;
    let issued = poll(&deployment, &grant, 0).send().await.unwrap();
    assert_eq!(issued.status(), 200);
    stop(server, "TERM");
    let refused = std::net::TcpStream::connect(deployment.address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Clients of a Unix socket that connect one after the other while the server stops: who is still
/// admitted gets an answer, and the others find no socket. Nothing of it is an error in the log.
#[test]
fn who_connects_at_the_moment_of_the_stop_is_served() {
    let deployment = Deployment::migrated();
    let path = deployment.path("http.sock");
    let listen = format!("unix:{}", path.display());
    let deployment = deployment.set("DOORCODE__SERVER__LISTEN", &listen);
    let ask = || {
        let mut stream = UnixStream::connect(&path).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Some(answer)
    };
    for _ in 0..5 {
        let server = deployment.start();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(answer) = ask() {
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
                    }
                });
            }
            server.signal("TERM");
            let finished = server.finish().exited(0);
            assert!(!finished.stderr.contains("ERROR"), "{finished:?}");
        });
    }
}

/// A port is closed while the server still knows it, which is no error.
#[actix_web::test]
async fn stop_is_no_error_in_the_log() {
    let deployment = Deployment::migrated();
    let server = deployment.start();
    assert_eq!(deployment.status("/healthz").await, 200);
    server.signal("TERM");
    let finished = server.finish().exited(0);
    assert!(!finished.stderr.contains("ERROR"), "{finished:?}");
}

/// The time to drain ends by itself; Ctrl-C has none.
#[test]
fn drain_ends_by_itself_and_a_terminal_does_not_wait_for_it() {
    let deployment = Deployment::migrated().set("DOORCODE__SERVER__DRAIN_FOR", "2s");
    let server = deployment.start();
    let asked_at = std::time::Instant::now();
    stop(server, "TERM");
    assert!(asked_at.elapsed() >= Duration::from_secs(2));
    let deployment = deployment.set("DOORCODE__SERVER__DRAIN_FOR", "300s");
    let asked_at = std::time::Instant::now();
    stop(deployment.start(), "INT");
    assert!(asked_at.elapsed() < Duration::from_secs(60));
}

/// Uses of tokens are buffered in memory. No signal that a process can handle loses them: those that
/// stop it write them, and the others have no effect.
#[actix_web::test]
async fn no_signal_loses_acknowledged_uses() {
    let deployment = Deployment::with_user();
    let mut server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("laptop", &["orgs:read"], "never").await;
    let use_it = async || {
        let me = http().get(deployment.at("/v1/me")).bearer_auth(&token);
        assert_eq!(me.send().await.unwrap().status(), 200);
    };
    let recorded = || {
        let sum = "SELECT coalesce(sum(count), 0) || '' FROM token_use";
        deployment.database.text(sum).parse::<i64>().unwrap()
    };
    let mut uses = 0;
    for signal in [
        "HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "XFSZ", "PIPE", "34", "64",
    ] {
        use_it().await;
        uses += 1;
        server.signal(signal);
        if !["HUP", "PIPE"].contains(&signal) {
            server.line("has no effect");
        }
    }
    for signal in ["QUIT", "XCPU", "INT", "TERM"] {
        use_it().await;
        uses += 1;
        stop(server, signal);
        assert_eq!(recorded(), uses, "{signal}");
        server = deployment.start();
    }
}

/// Writes acknowledged before the stop are in the database, and so are token uses, which are
/// buffered in memory.
#[actix_web::test]
async fn queued_writes_are_committed_at_the_stop() {
    let deployment = Deployment::with_user().set("DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE", "50");
    let server = deployment.start();
    let mut browser = deployment.user().await;
    browser.get("/tokens/new").await;
    let fields = [
        ("name", "laptop"),
        ("expires", "never"),
        ("scope", "orgs:read"),
    ];
    let page = browser.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").expect(&page.body);
    let me = http().get(deployment.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 200);

    let starts = (0..40).map(|_| {
        let request = http()
            .post(deployment.at("/auth/device"))
            .form(&[("client_id", "doorcode-cli")]);
        actix_web::rt::spawn(async { request.send().await.ok().map(|answer| answer.status()) })
    });
    let starts: Vec<_> = starts.collect();
    // The first requests have a response, others wait for the writer, the last for a connection.
    assert_eq!(deployment.status("/healthz").await, 200);
    stop(server, "TERM");

    let mut acknowledged = 0;
    for start in starts {
        match start.await.unwrap() {
            Some(status) if status == 200 => acknowledged += 1,
            // A late request is rejected by a closed connection or with status 503.
            other => assert!(other.is_none_or(|status| status == 503), "{other:?}"),
        }
    }
    assert!(deployment.database.count("device_grant", "1 = 1") >= acknowledged);
    assert_eq!(
        deployment
            .database
            .count("token", "last_used_at IS NOT NULL"),
        1
    );
}

/// A client that never finishes its request delays the stop; a second signal ends the delay.
#[actix_web::test]
async fn second_signal_does_not_wait_for_slow_requests() {
    let deployment = Deployment::new();
    let mut server = deployment.start();
    let mut slow = TcpStream::connect(deployment.address).unwrap();
    let head = "POST /auth/device HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nclient";
    slow.write_all(head.as_bytes()).unwrap();
    assert_eq!(deployment.status("/healthz").await, 200);

    let asked_at = std::time::Instant::now();
    server.signal("TERM");
    server.line("a second signal aborts them");
    server.signal("TERM");
    server.finish().exited(0).complains(&["stopped"]);
    assert!(asked_at.elapsed().as_secs() < 15);
    drop(slow);
}

/// A task that still waits for its write, such as the sweeper that has just begun, does not keep
/// the writers from ending.
#[actix_web::test]
async fn abandoned_write_does_not_delay_the_stop() {
    let test = TestApp::start().await;
    let mut write = Box::pin(user::offer_setup(&test.app));
    assert!(
        (&mut write).now_or_never().is_none(),
        "it waits for its writer"
    );
    let app = test.app.clone();
    let (sender, stopped) = channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(app.stop());
        sender.send(()).unwrap();
    });
    let stopped = stopped.recv_timeout(Duration::from_secs(30));
    assert_eq!(stopped, Ok(()), "the writers do not end");
    assert!(write.await.unwrap().is_none(), "what was queued was done");
}
