//! Performance limits of the release program: `cargo bench --bench login`.
//!
//! - Time from Approve to the end of `doorcode login`, with the token saved.
//! - Time from the start of the server on an existing SQLite database to its first response.
//! - Resident memory of an idle server, and size of the program.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use support::browser::Browser;
use support::program::{Program, Running};
use support::{EMAIL, PASSWORD};

const ROUNDS: usize = 30;
const WARM_UPS: usize = 3;
const STARTS: usize = 10;

const SCOPES: [&str; 3] = ["orgs:read", "projects:read", "tokens:read"];

/// A deployment on SQLite with default settings.
struct Deployment {
    directory: tempfile::TempDir,
    address: SocketAddr,
    url: String,
}

impl Deployment {
    fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let deployment = Self {
            directory: tempfile::tempdir().unwrap(),
            address,
            url: format!("http://{address}"),
        };
        deployment.command(&["migrate"]).run().exited(0);
        deployment
            .command(&["user", "add", "--email", EMAIL, "--name", "Ada"])
            .args(&["--org", "Acme", "--role", "owner", "--password-stdin"])
            .input(PASSWORD)
            .run()
            .exited(0);
        deployment
    }

    fn command(&self, arguments: &[&str]) -> Program {
        Program::new(self.directory.path(), arguments)
            .env("DOORCODE__SERVER__LISTEN", self.address.to_string())
            .env("DOORCODE__SERVER__PUBLIC_URL", &self.url)
    }

    fn start(&self) -> Running {
        let mut server = self.command(&["serve"]).spawn();
        server.line("Press Ctrl-C to stop.");
        server
    }
}

/// Time from Approve to the end of the command.
async fn sign_in(deployment: &Deployment, browser: &mut Browser) -> Duration {
    let mut login = deployment
        .command(&["login", "--no-browser", "--host", &deployment.url])
        .spawn();
    let line = login.line("Code:  ");
    let code = line.split_once("Code:  ").unwrap().1.trim();
    login.line("Waiting for approval");
    let consent = browser.type_code(code).await;
    let pressed_at = Instant::now();
    let page = browser.decide(&consent, "approve", &SCOPES).await;
    let finished = login.finish();
    let took = pressed_at.elapsed();
    assert_eq!(page.status, 200, "{}", page.body);
    finished.exited(0).says(&["Signed in to"]);
    let file = deployment
        .directory
        .path()
        .join(".config/doorcode/config.json");
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(kept["token"].is_string(), "{kept}");
    // Each round is a first sign-in, without the revocation of a previous token.
    std::fs::remove_file(file).unwrap();
    took
}

/// Time from the start of the process to its first response.
fn first_answer(deployment: &Deployment) -> Duration {
    let started_at = Instant::now();
    let server = deployment.command(&["serve"]).spawn();
    let answer = loop {
        let Ok(mut stream) = TcpStream::connect(deployment.address) else {
            std::thread::yield_now();
            continue;
        };
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        break answer;
    };
    let took = started_at.elapsed();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.signal("TERM");
    server.finish().exited(0);
    took
}

/// Resident memory of an idle server, in MiB.
#[expect(
    clippy::disallowed_methods,
    reason = "the server must be idle before its memory is measured"
)]
fn idle_memory(server: &Running) -> f64 {
    std::thread::sleep(Duration::from_secs(1));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Prints a series; returns its median.
fn print_series(what: &str, mut series: Vec<Duration>) -> f64 {
    series.sort();
    let at =
        |share: f64| milliseconds(series[((series.len() - 1) as f64 * share).round() as usize]);
    println!(
        "{what:<44} min {:6.1}   median {:6.1}   p95 {:6.1} ms   ({} rounds)",
        at(0.0),
        at(0.5),
        at(0.95),
        series.len()
    );
    at(0.5)
}

#[actix_web::main]
async fn main() {
    let deployment = Deployment::new();

    let server = deployment.start();
    let fresh = idle_memory(&server);
    let mut browser = Browser::new(&deployment.url);
    browser.sign_in(EMAIL, PASSWORD).await;
    let mut rounds = Vec::new();
    for round in 0..WARM_UPS + ROUNDS {
        let took = sign_in(&deployment, &mut browser).await;
        if round >= WARM_UPS {
            rounds.push(took);
        }
    }
    let used = idle_memory(&server);
    server.signal("TERM");
    server.finish().exited(0);
    let starts = (0..STARTS).map(|_| first_answer(&deployment)).collect();

    let program = Path::new(env!("CARGO_BIN_EXE_doorcode"));
    let size = std::fs::metadata(program).unwrap().len() as f64 / 1e6;
    let login = print_series("Approve to token in `doorcode login`", rounds);
    let start = print_series("process start to first response (SQLite)", starts);
    println!(
        "idle memory of the server                     {fresh:.1} MiB after its start, {used:.1} MiB after use"
    );
    println!("size of the program                           {size:.1} MB");

    let figures = [
        ("approval to token", login, 150.0),
        ("first response", start, 100.0),
        ("idle memory", fresh.max(used), 40.0),
        ("size", size, 25.0),
    ];
    let mut missed = false;
    for (what, value, limit) in figures {
        if value >= limit {
            println!("MISSED: {what} is {value:.1}; the limit is {limit}");
            missed = true;
        }
    }
    if missed {
        std::process::exit(1);
    }
}
