//! The cost of the audit log: `cargo bench --bench audit`.
//!
//! Measures the introspection rate of a server that records every token use, as a share of the
//! rate of one that does not; both take turns on the same machine. Also measures the duration of
//! a verification and an export of 1,000,000 records, and the memory compared with 10,000. Runs on
//! PostgreSQL if `DOORCODE_TEST_DATABASE` names a server, else on SQLite.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorcode::domain::audit::chain::Head;
use doorcode::domain::audit::origin::Origin;
use doorcode::domain::audit::record::{Detail, Method, Outcome, Record};
use doorcode::domain::audit::salt::Salt;
use doorcode::store::Store;
use doorcode::store::audit::Log;
use rand::RngExt;
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};
use support::deployment::Deployment;
use support::line::Line;
use support::open::{database, now, open};
use support::seed::{self, Size};

const SIZE: Size = Size {
    tokens: 1_000,
    users: 100,
    organizations: 10,
    of_first: 0,
};

/// Minimum share of the introspection rate with recorded uses.
const LEAST: f64 = 0.85;

/// Concurrent connections.
const AT_ONCE: usize = 16;

/// Turns of each server, and requests of each connection in a turn: enough that the writes after
/// a turn are few compared with those within it.
const TURNS: usize = 12;
const QUESTIONS: usize = 2_000;

/// The lengths of the two logs that are verified and exported.
const RECORDS: [u64; 2] = [10_000, 1_000_000];

/// Maximum memory ratio, long log to short.
const WITHIN: f64 = 1.25;

fn store(deployment: &Deployment) -> Store {
    open(&database(&deployment.database.url).unwrap())
}

/// A deployment with this `[audit] token_use`.
async fn server(token_use: &str) -> Deployment {
    let cores = std::thread::available_parallelism().unwrap().to_string();
    let deployment = Deployment::new()
        .set("DOORCODE__SERVER__WORKERS", &cores)
        .set("DOORCODE__AUDIT__TOKEN_USE", token_use);
    let store = store(&deployment);
    SIZE.seed(&store, now(), |_, _| ()).await;
    store.stop();
    deployment
}

fn introspection(line: &mut Line) -> String {
    let token = loop {
        let n = line.random.random_range(0..SIZE.tokens);
        if seed::is_live(n) {
            break n;
        }
    };
    let body = format!("token={}", seed::token(token).expose());
    let credentials = format!("{}:{}", seed::API, seed::api_secret().expose());
    format!(
        "POST /auth/introspect HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        STANDARD.encode(credentials),
        body.len()
    )
}

/// Duration of one turn on new connections: a server closes connections that stay idle until the
/// next turn.
fn turn(deployment: &Deployment, seed: u64) -> Duration {
    let mut lines = Line::open(deployment.address, AT_ONCE, seed);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for line in &mut lines {
            scope.spawn(|| {
                for _ in 0..QUESTIONS {
                    let request = introspection(line);
                    let answer = line.ask(request.as_bytes());
                    assert!(answer.contains("\"active\":true"), "{answer}");
                }
            });
        }
    });
    began.elapsed()
}

/// Prints the introspection rates; returns whether the share is at least [`LEAST`].
async fn compare() -> bool {
    let deployments = [server("every").await, server("off").await];
    let _servers = deployments.each_ref().map(Deployment::start);
    let mut took = [Duration::ZERO; 2];
    for round in 0..=TURNS {
        for (deployment, took) in deployments.iter().zip(&mut took) {
            let elapsed = turn(deployment, round as u64 * AT_ONCE as u64);
            // The first turn is a warm-up.
            if round > 0 {
                *took += elapsed;
            }
        }
    }
    let asked = (TURNS * QUESTIONS * AT_ONCE) as f64;
    let [every, off] = took.map(|took| asked / took.as_secs_f64());
    let share = every / off;
    let missed = if share < LEAST { "  MISSED" } else { "" };
    println!("introspections a second, no use recorded    {off:>12.0}");
    println!("introspections a second, every use recorded {every:>12.0}");
    println!("share                                       {share:>12.2}{missed}");
    share >= LEAST
}

/// A deployment with a log of `count` records.
async fn log(count: u64) -> Deployment {
    const BATCH: u64 = 2_000;
    let deployment = Deployment::new();
    let store = store(&deployment);
    let origin = Origin::parse("doorcode-bench").unwrap();
    let mut head = Head::genesis(&origin);
    let log = Log {
        origin,
        head,
        pruned: None,
    };
    store
        .write(move |conn| doorcode::store::audit::insert_head(conn, &log))
        .await
        .unwrap();
    let at = now();
    let mut done = 0;
    while done < count {
        let mut lines = Vec::new();
        for n in done..count.min(done + BATCH) {
            let line = head.seal(record(n, at));
            head = line.head();
            lines.push(line);
        }
        done += lines.len() as u64;
        store
            .write(move |conn| doorcode::store::audit::append(conn, &lines))
            .await
            .unwrap();
        print!("\r{done} of {count} records");
        std::io::stdout().flush().unwrap();
    }
    println!();
    store.stop();
    deployment
}

fn record(n: u64, at: doorcode::domain::Instant) -> Record {
    Record {
        sequence: 0,
        id: format!("evt_{n:032x}"),
        at,
        action: "token.created".to_owned(),
        outcome: Outcome::Done,
        actor_kind: "user".to_owned(),
        actor_id: Some(format!("usr_{:032x}", n % 1_000)),
        method: Method::Session,
        user_id: Some(format!("usr_{:032x}", n % 1_000)),
        token_id: None,
        client_id: None,
        organization_id: Some(format!("org_{:032x}", n % 100)),
        target: Some(format!("tok_{n:032x}")),
        request_id: format!("{n:032x}"),
        address: Some("192.0.2.1".to_owned()),
        agent: Some("Mozilla/5.0 (X11; Linux x86_64)".to_owned()),
        detail: Detail::try_from(json!({"token_name": format!("Token {n}"), "scopes": "a:b c:d"}))
            .unwrap(),
        salt: Some(Salt::new(u128::from(n).to_be_bytes())),
    }
}

/// Duration, and peak memory of the process in MiB.
struct Cost {
    took: Duration,
    peak: f64,
}

/// The peak memory of a running process so far, in MiB.
fn peak(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u32 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(f64::from(kib) / 1024.0)
}

/// Runs `doorcode audit verify`.
fn check(deployment: &Deployment) -> Cost {
    let began = Instant::now();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_doorcode"))
        .args(["audit", "verify"])
        .current_dir(deployment.directory())
        .env("DOORCODE__DATABASE__URL", &deployment.database.url)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0.0;
    let exit = loop {
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        most = peak(child.id()).unwrap_or(most);
        std::thread::park_timeout(Duration::from_millis(5));
    };
    assert!(exit.success(), "the log is not valid");
    Cost {
        took: began.elapsed(),
        peak: most,
    }
}

/// Exports the log from a server.
async fn export(deployment: &Deployment, count: u64) -> Cost {
    let server = deployment.start();
    let operator = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    let began = Instant::now();
    let request = support::http().get(deployment.at("/v1/audit/export"));
    let answer = request.bearer_auth(operator.trim()).send().await.unwrap();
    let mut answer = answer.error_for_status().unwrap();
    let mut lines = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    let took = began.elapsed();
    assert!(lines > count, "the export ended after {lines} lines");
    let peak = peak(server.id()).unwrap();
    server.signal("TERM");
    server.finish().exited(0);
    Cost { took, peak }
}

#[actix_web::main]
async fn main() {
    let mut holds = compare().await;
    let mut peaks = Vec::new();
    for count in RECORDS {
        let deployment = log(count).await;
        let costs = [
            ("check", check(&deployment)),
            ("copy", export(&deployment, count).await),
        ];
        for (what, Cost { took, peak }) in &costs {
            let seconds = took.as_secs_f64();
            println!("{what} of {count} records: {seconds:.1} s, {peak:.0} MiB at the most");
        }
        peaks.push(costs.map(|(what, cost)| (what, cost.peak)));
    }
    for ((what, short), (_, long)) in peaks[0].iter().zip(&peaks[1]) {
        let ratio = long / short;
        let missed = if ratio > WITHIN { "  MISSED" } else { "" };
        println!("memory of a {what}, long log to short {ratio:>18.2}{missed}");
        holds &= ratio <= WITHIN;
    }
    if !holds {
        std::process::exit(1);
    }
}
