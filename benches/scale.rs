//! Compares response times with 1,000,000 and with 1,000 tokens: `cargo bench --bench scale`.
//!
//! Two servers, one for each database, respond to the same requests in turns, so that other load
//! on the machine affects both. The medians with the large database must stay within 1.5 times
//! those with the small one. The databases are created on PostgreSQL if `DOORCODE_TEST_DATABASE`
//! names a server, else on SQLite.
//!
//! `cargo bench --bench scale -- seed sqlite:FILE` only creates such a database, and
//! `-- compare sqlite:SMALL sqlite:LARGE` measures on two existing databases.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, Subcommand};
use doorcode::config::DatabaseUrl;
use rand::RngExt;
use rand::rngs::StdRng;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::deployment::Deployment;
use support::line::Line;
use support::open::{database, now, open};
use support::program::Running;
use support::seed::{self, Size};

const SMALL: Size = Size {
    tokens: 1_000,
    users: 100,
    organizations: 10,
    of_first: 1_000,
};
const LARGE: Size = Size {
    tokens: 1_000_000,
    users: 100_000,
    organizations: 10_000,
    of_first: 1_000,
};

/// Maximum ratio of the medians, large to small.
const WITHIN: f64 = 1.5;

/// Concurrent connections.
const AT_ONCE: usize = 16;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Set by `cargo bench`.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Fill an empty database
    Seed {
        #[arg(value_parser = database)]
        url: DatabaseUrl,
        #[arg(long, default_value_t = LARGE.tokens)]
        tokens: u64,
        #[arg(long, default_value_t = LARGE.users)]
        users: u64,
        #[arg(long, default_value_t = LARGE.organizations)]
        organizations: u64,
        /// Additional tokens of the first user
        #[arg(long, default_value_t = LARGE.of_first)]
        of_first: u64,
    },
    /// Measure on two databases that were filled with `seed`
    Compare {
        #[arg(value_parser = database)]
        small: DatabaseUrl,
        #[arg(value_parser = database)]
        large: DatabaseUrl,
    },
}

async fn fill(url: &DatabaseUrl, size: Size) {
    let store = open(url);
    let began = Instant::now();
    size.seed(&store, now(), |done, all| {
        print!("\r{done} of {all} rows");
        std::io::stdout().flush().unwrap();
    })
    .await;
    store.stop();
    println!(" in {:.0} s", began.elapsed().as_secs_f64());
}

/// A server on a database of known size.
struct Subject {
    size: Size,
    address: SocketAddr,
    _server: Running,
}

impl Subject {
    fn start(deployment: &Deployment, size: Size) -> Self {
        Self {
            size,
            address: deployment.address,
            _server: deployment.start(),
        }
    }

    /// Whether the server has the route of this figure.
    fn knows(&self, figure: &Figure) -> bool {
        let line = &mut Line::open(self.address, 1, 0)[0];
        let request = (figure.request)(&self.size, &mut line.random);
        !line.ask(request.as_bytes()).starts_with("HTTP/1.1 404")
    }

    /// Opens connections.
    fn connect(&self, count: usize, seed: u64) -> Vec<Asker> {
        let lines = Line::open(self.address, count, seed);
        let asker = |line| Asker {
            line,
            took: Vec::new(),
        };
        lines.into_iter().map(asker).collect()
    }
}

/// A connection and its response times.
struct Asker {
    line: Line,
    took: Vec<Duration>,
}

impl Asker {
    fn take_turn(&mut self, figure: &Figure, size: &Size) {
        for _ in 0..figure.turn {
            let request = (figure.request)(size, &mut self.line.random);
            let began = Instant::now();
            let answer = self.line.ask(request.as_bytes());
            self.took.push(began.elapsed());
            let says = |piece: &str| answer.contains(piece);
            assert!(
                says(figure.status) && says(figure.says),
                "{request}\n\n{answer}"
            );
        }
    }
}

/// A request that is measured on both servers.
struct Figure {
    name: &'static str,
    /// Builds the request, with random data of the database.
    request: fn(&Size, &mut StdRng) -> String,
    status: &'static str,
    says: &'static str,
    /// Requests to each server.
    requests: usize,
    /// Requests of a connection in one turn.
    turn: usize,
}

const FIGURES: [Figure; 6] = [
    Figure {
        name: "introspection",
        request: introspection,
        status: "HTTP/1.1 200",
        says: "\"active\":true",
        requests: 6_400,
        turn: 20,
    },
    Figure {
        name: "verify, scope",
        request: |size, random| {
            get(
                "/auth/verify?scope=tokens:read",
                &bearer(live(size, random)),
            )
        },
        status: "HTTP/1.1 204",
        says: "x-auth-token-id",
        requests: 6_400,
        turn: 20,
    },
    Figure {
        name: "verify, scope and organization",
        request: verify_in_organization,
        status: "HTTP/1.1 204",
        says: "x-auth-organization-id",
        requests: 6_400,
        turn: 20,
    },
    Figure {
        name: "GET /v1/tokens?limit=50",
        request: |size, random| get("/v1/tokens?limit=50", &bearer(live(size, random))),
        status: "HTTP/1.1 200",
        says: "{\"items\":[{",
        requests: 3_200,
        turn: 20,
    },
    Figure {
        name: "page /tokens",
        request: |size, random| page_of(caller(size, random)),
        status: "HTTP/1.1 200",
        says: "dc_…",
        requests: 3_200,
        turn: 20,
    },
    Figure {
        name: "page /tokens, 1,000 tokens",
        request: |_, _| page_of(0),
        status: "HTTP/1.1 200",
        says: "dc_…",
        requests: 320,
        turn: 2,
    },
];

/// A random active token.
fn live(size: &Size, random: &mut StdRng) -> u64 {
    loop {
        let n = random.random_range(0..size.tokens);
        if seed::is_live(n) {
            return n;
        }
    }
}

/// A random user with the usual number of tokens.
fn caller(size: &Size, random: &mut StdRng) -> u64 {
    loop {
        let n = random.random_range(1..size.users);
        if size.has_tokens(n) {
            return n;
        }
    }
}

fn bearer(token: u64) -> String {
    format!("Authorization: Bearer {}\r\n", seed::token(token).expose())
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

fn page_of(user: u64) -> String {
    let cookie = seed::cookie(user);
    let cookie = format!("Cookie: doorcode_session={}\r\n", cookie.expose());
    get("/tokens", &cookie)
}

fn introspection(size: &Size, random: &mut StdRng) -> String {
    let body = format!("token={}", seed::token(live(size, random)).expose());
    let credentials = format!("{}:{}", seed::API, seed::api_secret().expose());
    format!(
        "POST /auth/introspect HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        STANDARD.encode(credentials),
        body.len()
    )
}

/// Verifies a personal token in its owner's home organization.
fn verify_in_organization(size: &Size, random: &mut StdRng) -> String {
    let token = loop {
        let token = live(size, random);
        // Every tenth token is limited to a project, so it does not cover the organization.
        if size.has_tokens(token % size.users) && !token.is_multiple_of(10) {
            break token;
        }
    };
    let home = token % size.users % size.organizations;
    let path = format!("/auth/verify?scope=tokens:read&organization=organization-{home}");
    get(&path, &bearer(token))
}

/// Measures both servers in turns; returns the median of each, in milliseconds.
fn measure(figure: &Figure, subjects: &[Subject; 2], at_once: usize) -> [f64; 2] {
    let mut lines = [0, 1].map(|at| subjects[at].connect(at_once, 1_000 * at as u64));
    // The first turn is a warm-up.
    for turn in 0..=figure.requests / (figure.turn * at_once) {
        for (subject, lines) in subjects.iter().zip(&mut lines) {
            let size = &subject.size;
            std::thread::scope(|scope| {
                for line in lines.iter_mut() {
                    if turn == 1 {
                        line.took.clear();
                    }
                    scope.spawn(|| line.take_turn(figure, size));
                }
            });
        }
    }
    lines.map(|lines| {
        let mut took: Vec<_> = lines.into_iter().flat_map(|line| line.took).collect();
        took.sort();
        took[took.len() / 2].as_secs_f64() * 1000.0
    })
}

/// Prints the table; returns whether every ratio is within the limit.
fn compare(small: &Deployment, large: &Deployment) -> bool {
    let subjects = [Subject::start(small, SMALL), Subject::start(large, LARGE)];
    println!(
        "{:<32} {:>12} {:>12} {:>8}",
        "median, ms", "1,000", "1,000,000", "ratio"
    );
    let mut holds = true;
    for figure in &FIGURES {
        if !subjects[0].knows(figure) {
            println!("{:<32} {:>34}  MISSED", figure.name, "no such address");
            holds = false;
            continue;
        }
        for at_once in [1, AT_ONCE] {
            let [small, large] = measure(figure, &subjects, at_once);
            let ratio = large / small;
            let missed = if ratio > WITHIN { "  MISSED" } else { "" };
            holds &= ratio <= WITHIN;
            let how = match at_once {
                1 => figure.name.to_owned(),
                _ => format!("  {at_once} at once"),
            };
            println!("{how:<32} {small:>12.3} {large:>12.3} {ratio:>8.2}{missed}");
        }
    }
    holds
}

/// The database URL with an absolute path, for a server in another directory.
fn from_anywhere(url: DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => {
            format!("sqlite:{}", std::path::absolute(path).unwrap().display())
        }
        DatabaseUrl::Postgres(postgres) => postgres.url().to_owned(),
    }
}

/// A deployment with default settings and one worker per core.
fn deployment() -> Deployment {
    let cores = std::thread::available_parallelism().unwrap().to_string();
    Deployment::new().set("DOORCODE__SERVER__WORKERS", &cores)
}

#[actix_web::main]
async fn main() {
    let holds = match Arguments::parse().command {
        Some(Command::Seed {
            url,
            tokens,
            users,
            organizations,
            of_first,
        }) => {
            let size = Size {
                tokens,
                users,
                organizations,
                of_first,
            };
            fill(&url, size).await;
            true
        }
        Some(Command::Compare { small, large }) => {
            let on = |url| deployment().set("DOORCODE__DATABASE__URL", &from_anywhere(url));
            compare(&on(small), &on(large))
        }
        None => {
            let (small, large) = (deployment(), deployment());
            for (deployment, size) in [(&small, SMALL), (&large, LARGE)] {
                fill(&database(&deployment.database.url).unwrap(), size).await;
            }
            compare(&small, &large)
        }
    };
    if !holds {
        std::process::exit(1);
    }
}
