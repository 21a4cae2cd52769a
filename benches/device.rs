//! Device authorizations a second with many pending codes of one client: `cargo bench --bench device`.
//!
//! One client and one source hold all pending codes. Servers with none, 5,000 and 10,000 of them
//! respond in turns, so that other load on the machine affects all. The rates with many must stay
//! within 10 % of the rate with none.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

mod support;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};
use support::line::Line;
use support::program::{Program, Running};

/// Pending codes of each server before the measurement.
const LEVELS: [usize; 3] = [0, 5_000, 10_000];

/// Turns of each server, and requests of a turn.
const TURNS: usize = 25;
const REQUESTS: usize = 80;

/// Concurrent connections.
const AT_ONCE: usize = 16;

/// Smallest ratio of a rate to the first one.
const WITHIN: f64 = 0.9;

const BODY: &str = "client_id=doorcode-cli";

/// A server on a new SQLite database without limits of pending codes.
fn start(directory: &std::path::Path, address: SocketAddr) -> Running {
    let mut program = Program::new(directory, &["serve"])
        .env("DOORCODE__SERVER__LISTEN", address.to_string())
        .env("DOORCODE__SERVER__PUBLIC_URL", format!("http://{address}"))
        .env("DOORCODE__DEVICE__CODE_LIFETIME", "30m");
    for limit in ["SOURCE", "SITE", "CLIENT"] {
        program = program.env(
            &format!("DOORCODE__DEVICE__LIVE_CODES_PER_{limit}"),
            "1000000",
        );
    }
    let mut server = program.spawn();
    server.line("Press Ctrl-C to stop.");
    server
}

/// Sends requests for device codes over all connections; returns the time that they take.
fn authorize(lines: &mut [Line], count: usize) -> Duration {
    let each = count.div_ceil(lines.len());
    let request = format!(
        "POST /auth/device HTTP/1.1\r\nHost: doorcode\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let began = Instant::now();
    std::thread::scope(|scope| {
        for line in lines {
            let request = request.as_bytes();
            scope.spawn(move || {
                for _ in 0..each {
                    let answer = line.ask(request);
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                }
            });
        }
    });
    began.elapsed()
}

/// A server that is measured.
struct Subject {
    level: usize,
    lines: Vec<Line>,
    took: Duration,
    _server: Running,
    _directory: tempfile::TempDir,
}

impl Subject {
    fn new(level: usize) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let server = start(directory.path(), address);
        let mut lines = Line::open(address, AT_ONCE, 0);
        authorize(&mut lines, level);
        Self {
            level,
            lines,
            took: Duration::ZERO,
            _server: server,
            _directory: directory,
        }
    }
}

fn main() {
    let mut subjects = LEVELS.map(Subject::new);
    for _ in 0..TURNS {
        for subject in &mut subjects {
            subject.took += authorize(&mut subject.lines, REQUESTS);
        }
    }
    let none = subjects[0].took.as_secs_f64();
    for Subject { level, took, .. } in &subjects {
        let took = took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let rate = (TURNS * REQUESTS) as f64 / took;
        let ratio = none / took;
        println!("{level:>6} pending codes: {rate:>6.0} authorizations/s, {ratio:.2} of the first");
        assert!(
            ratio >= WITHIN,
            "a request takes longer with {level} pending codes"
        );
    }
}
