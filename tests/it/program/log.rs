//! The log of the server: what it says by default, and that no request waits for its reader.

use crate::support::deployment::{Deployment, READY};
use crate::support::http;
use std::io::Read;
use std::process::Stdio;

/// Successful probes and checks of tokens are at `debug`; failures are logged.
#[actix_web::test]
async fn successful_probes_and_checks_are_not_logged_by_default() {
    let deployment = Deployment::with_user();
    let mut server = deployment.start();
    for _ in 0..3 {
        assert_eq!(deployment.status("/healthz").await, 200);
        assert_eq!(deployment.status("/readyz").await, 200);
    }
    assert_eq!(deployment.status("/auth/verify").await, 401);
    assert_eq!(deployment.status("/login").await, 200);
    server.line("\"path\":\"/login\"");
    server.signal("TERM");
    let log = server.finish().exited(0).stderr;
    assert!(
        !log.contains("/healthz") && !log.contains("/readyz"),
        "{log}"
    );
    assert!(log.contains("\"status\":401"), "{log}");

    let server = deployment
        .command(&["serve"])
        .env("RUST_LOG", "doorcode=debug");
    let mut server = server.spawn();
    server.line(READY);
    assert_eq!(deployment.status("/healthz").await, 200);
    server.line("\"path\":\"/healthz\"");
}

/// A stop writes the last lines.
#[actix_web::test]
async fn last_lines_are_written_at_the_stop() {
    let deployment = Deployment::with_user();
    for _ in 0..5 {
        let server = deployment.start();
        assert_eq!(deployment.status("/login").await, 200);
        server.signal("TERM");
        let log = server.finish().exited(0).stderr;
        let last = log.lines().last().unwrap_or_default();
        assert!(last.contains("\"message\":\"stopped\""), "{log}");
        assert!(log.contains("\"path\":\"/login\""), "{log}");
    }
}

/// A reader of the log that stands still costs lines, which are counted, but delays no request.
#[actix_web::test]
async fn stalled_reader_of_the_log_delays_no_request() {
    let deployment = Deployment::with_user();
    let mut program = deployment.command(&["serve"]).env("RUST_LOG", "trace");
    let command = program.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut said = Vec::new();
    let out = server.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&said).contains(READY) {
        let mut chunk = [0; 1024];
        let count = out.read(&mut chunk).unwrap();
        assert!(count > 0, "the server ended");
        said.extend_from_slice(&chunk[..count]);
    }
    let client = http();
    let dropped = async || {
        let metrics = client.get(deployment.at("/metrics")).send().await.unwrap();
        let text = metrics.text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("doorcode_log_lines_dropped_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let deadline = std::time::Instant::now() + crate::support::program::PATIENCE;
    while dropped().await == 0 {
        assert!(std::time::Instant::now() < deadline, "no line was dropped");
        for _ in 0..200 {
            let health = client.get(deployment.at("/healthz")).send().await.unwrap();
            assert_eq!(health.status(), 200);
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
