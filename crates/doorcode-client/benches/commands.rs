//! What a user waits for besides the network, and the size of the program:
//! `cargo bench --profile client -p doorcode-client`.
//!
//! The server is a thread that answers at once, so that the time is that of the program.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each command.
const RUNS: usize = 200;

/// The longest median.
const LIMIT: Duration = Duration::from_millis(15);

/// The largest program, in bytes.
const LARGEST: u64 = 6_000_000;

const ME: &str = r#"{
    "user": { "id": "usr_1", "name": "Ada", "email": "ada@example.com", "email_verified": true },
    "token": {
        "id": "tok_1", "kind": "personal", "name": "laptop", "hint": "dc_…1",
        "created_at": "2026-01-01T00:00:00Z", "expires_at": null
    },
    "scopes": ["orgs:read"], "organizations": [], "projects": []
}"#;

/// A server that answers every request with the owner of the token.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(count) if count > 0 => request.extend_from_slice(&chunk[..count]),
                    _ => break,
                }
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let length = ME.len();
            let response = format!("{head}\r\nContent-Length: {length}\r\n\r\n{ME}");
            // The program may have been stopped.
            let _ = stream.write_all(response.as_bytes());
        }
    });
    address
}

/// The times of the runs, shortest first.
fn measure(program: &str, arguments: &[&str], host: &str) -> Vec<Duration> {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let status = Command::new(program)
                .args(arguments)
                .env_clear()
                .envs([("DOORCODE_HOST", host), ("DOORCODE_TOKEN", "dc_0")])
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success(), "{arguments:?}");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn main() {
    let program = env!("CARGO_BIN_EXE_doorcode");
    let host = format!("http://{}", server());
    let mut is_within = true;
    for arguments in [&["--help"][..], &["whoami"]] {
        let times = measure(program, arguments, &host);
        let (median, late) = (times[RUNS / 2], times[RUNS * 95 / 100]);
        println!("{arguments:?}: median {median:.1?}, 95th percentile {late:.1?}, {RUNS} runs");
        is_within &= median < LIMIT;
    }
    let size = std::fs::metadata(program).unwrap().len();
    println!("size: {:.2} MB", size as f64 / 1e6);
    assert!(is_within, "a median is above {LIMIT:?}");
    assert!(
        size <= LARGEST,
        "the program is larger than {LARGEST} bytes"
    );
}
