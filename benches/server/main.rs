//! Speed of the server, against a bare route and a durable insert: `cargo bench --bench server`.
//!
//! Each row measures the server and B, a bare route of the same framework that decodes the same
//! form and sends the same JSON ([`bare`]), one after the other in the same run. Rows that store
//! something have S1 beside it, one insert a commit of SQLite ([`durable`]). The server and B run on the
//! first core with one worker, the load ([`load`]) on the others. At the end the server is killed
//! in the middle of its work, and each acknowledged row must be there.
//!
//! The table is printed and written as `server.json`, and the comparison drawn as `server.svg`, in
//! the folder that `--to` names (default: `target/bench`).

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

mod bare;
mod durable;
mod load;
mod report;
mod seeds;
#[path = "../support/mod.rs"]
mod support;

use clap::{Parser, Subcommand};
use doorcode::config::DatabaseUrl;
use load::{Measured, Span, Target, load};
use report::Row;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::deployment::{Deployment, free_address};
use support::open::{database, open};
use support::program::{Program, Running};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Part>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Measure only rows whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Folder of the results
    #[arg(long, default_value = "target/bench")]
    to: PathBuf,
    /// Set by `cargo bench`.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Part {
    /// Serve the bare routes
    Bare {
        address: SocketAddr,
        bodies: PathBuf,
    },
    /// Insert rows, one a commit, and print how many a second
    Durable {
        #[arg(value_parser = database)]
        url: DatabaseUrl,
        what: String,
        seconds: u64,
    },
}

/// A row of the table before it is measured.
struct Figure {
    name: &'static str,
    /// The requests to the server, or to the bare route with this path.
    requests: fn(bool) -> Vec<Vec<u8>>,
    /// Status codes that may come.
    allowed: &'static [u16],
    /// Whether a request can be sent only once.
    is_once: bool,
    /// What S1 inserts.
    durable: Option<&'static str>,
}

impl Figure {
    const fn new(
        name: &'static str,
        allowed: &'static [u16],
        requests: fn(bool) -> Vec<Vec<u8>>,
    ) -> Self {
        Self {
            name,
            requests,
            allowed,
            is_once: false,
            durable: None,
        }
    }
}

const POLL: [&str; 2] = ["/auth/device/token", "/poll"];
const INTROSPECT: [&str; 2] = ["/auth/introspect", "/introspection"];
const VERIFY: [&str; 2] = ["/auth/verify", "/verify"];

const FIGURES: [Figure; 11] = [
    Figure::new("poll, one pending code", &[400], |is_bare| {
        seeds::polls(POLL[usize::from(is_bare)], 0..1)
    }),
    Figure::new("poll, 10,000 pending codes", &[400], |is_bare| {
        seeds::polls(POLL[usize::from(is_bare)], 0..seeds::APPROVED.start)
    }),
    Figure::new("introspection", &[200], |is_bare| {
        seeds::introspections(INTROSPECT[usize::from(is_bare)])
    }),
    Figure::new("verify, by query", &[204], |is_bare| {
        seeds::decisions(VERIFY[usize::from(is_bare)])
    }),
    Figure::new("verify, 200 routes", &[204], |is_bare| {
        seeds::routed(VERIFY[usize::from(is_bare)])
    }),
    Figure::new("/v1/me", &[200], |is_bare| {
        seeds::callers(["/v1/me", "/me"][usize::from(is_bare)])
    }),
    Figure::new("invented token", &[200, 429], |is_bare| {
        seeds::invented(INTROSPECT[usize::from(is_bare)])
    }),
    Figure::new("wrong checksum", &[401, 204], |is_bare| {
        seeds::misspelt(VERIFY[usize::from(is_bare)])
    }),
    Figure::new("/healthz", &[200], |_| seeds::probe()),
    Figure {
        is_once: true,
        durable: Some("redemption"),
        ..Figure::new("redemption", &[200, 400], |is_bare| match is_bare {
            true => seeds::polls("/device", seeds::APPROVED),
            false => seeds::polls(POLL[0], seeds::APPROVED),
        })
    },
    Figure {
        durable: Some("device"),
        ..Figure::new("device authorization", &[200], |is_bare| {
            seeds::authorizations(["/auth/device", "/device"][usize::from(is_bare)])
        })
    },
];

/// Pins a launched program to the first core, and everything else of this process to the others.
struct Cores(bool);

impl Cores {
    fn claim() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let others = format!("1-{}", cores.saturating_sub(1).max(1));
        let pid = std::process::id().to_string();
        let pinned = Command::new("taskset")
            .args(["-apc", &others, &pid])
            .output();
        let is_pinned = cores > 1 && pinned.is_ok_and(|output| output.status.success());
        if !is_pinned {
            println!("The server shares its core with the load: there is one core, or no taskset.");
        }
        Self(is_pinned)
    }

    fn first(&self, program: Program) -> Program {
        match self.0 {
            true => program.run_by(&["/usr/bin/taskset", "-c", "0"]),
            false => program,
        }
    }
}

/// This program, as another process.
fn part(directory: &Path, arguments: &[&str]) -> Program {
    let own = std::env::current_exe().unwrap();
    Program::of_file(&own, directory, arguments)
}

/// Resident memory of a process, in MiB.
fn memory(of: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", of.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

/// What is measured: the deployment, the bare routes, and for how long.
struct Bench {
    cores: Cores,
    deployment: Deployment,
    own: Target,
    bare: Target,
    seconds: u64,
}

impl Bench {
    fn load(&self, figure: &Figure, is_bare: bool) -> Measured {
        let target = match is_bare {
            true => self.bare,
            false => self.own,
        };
        let requests = (figure.requests)(is_bare);
        let span = Span {
            warm_up: Duration::from_millis(500),
            measured: Duration::from_secs(self.seconds),
        };
        let each = requests.iter().map(Vec::as_slice);
        match figure.is_once && !is_bare {
            true => load(target, span, each, figure.allowed),
            false => load(target, span, each.cycle(), figure.allowed),
        }
    }

    /// Inserts a second of S1, in a database of its own with the same schema and clients.
    async fn durable(&self, what: &str) -> Option<f64> {
        if support::database::Database::is_postgres() {
            return None;
        }
        let own = Deployment::migrated();
        let url = database(&own.database.url).unwrap();
        let store = open(&url);
        seeds::SIZE
            .seed(&store, support::open::now(), |_, _| {})
            .await;
        store.stop();
        let seconds = self.seconds.to_string();
        let arguments = ["durable", &own.database.url, what, &seconds];
        let insert = self.cores.first(part(own.directory(), &arguments));
        let finished = insert.run().exited(0);
        Some(finished.stdout.trim().parse().unwrap())
    }

    async fn measure(&self, figure: &Figure) -> Row {
        let bare = self.load(figure, true);
        let own = self.load(figure, false);
        let durable = match figure.durable {
            Some(what) => self.durable(what).await,
            None => None,
        };
        Row::new(figure.name, &own, &bare, durable)
    }

    /// Kills the server in the middle of device authorizations; returns how many were acknowledged
    /// and how many are stored.
    fn kill(&self, server: Running) -> (usize, i64) {
        let figure = &FIGURES[FIGURES.len() - 1];
        let stored = || self.deployment.database.count("device_grant", "1 = 1");
        let before = stored();
        let measured = self.load(figure, false);
        server.kill();
        (measured.successes, stored() - before)
    }
}

/// The answers that the bare routes send: real ones of the server.
async fn write_bodies(deployment: &Deployment) {
    let http = support::http();
    let send = async |name: &str, requests: Vec<Vec<u8>>| {
        let text = String::from_utf8(requests[0].clone()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let method = first.next().unwrap().parse().unwrap();
        let mut request = http.request(method, deployment.at(first.next().unwrap()));
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            if name != "Host" && name != "Content-Length" {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        deployment.write(&format!("bodies/{name}"), &answer.text().await.unwrap());
    };
    send("poll", seeds::polls(POLL[0], 0..1)).await;
    send("introspection", seeds::introspections(INTROSPECT[0])).await;
    send("me", seeds::callers("/v1/me")).await;
    send("device", seeds::authorizations("/auth/device")).await;
}

async fn run(arguments: &Arguments) {
    let cores = Cores::claim();
    let mut deployment = Deployment::new().set("DOORCODE__DEVICE__CODE_LIFETIME", "30m");
    for limit in ["SOURCE", "SITE", "CLIENT"] {
        let name = format!("DOORCODE__DEVICE__LIVE_CODES_PER_{limit}");
        deployment = deployment.set(&name, "1000000");
    }
    deployment.write("doorcode.toml", &seeds::routes());
    let store = open(&database(&deployment.database.url).unwrap());
    seeds::fill(&store).await;
    store.stop();
    let mut server = cores.first(deployment.command(&["serve"])).spawn();
    server.line(support::deployment::READY);
    let idle = memory(&server);
    write_bodies(&deployment).await;
    let bodies = deployment.path("bodies").display().to_string();
    let address = free_address();
    let arguments_of_bare = ["bare", &address.to_string(), &bodies];
    let bare = cores.first(part(deployment.directory(), &arguments_of_bare));
    let bare = bare.spawn();
    while std::net::TcpStream::connect(address).is_err() {
        std::thread::yield_now();
    }
    let bench = Bench {
        cores,
        own: Target {
            address: deployment.address,
            id: server.id(),
        },
        bare: Target {
            address,
            id: bare.id(),
        },
        deployment,
        seconds: arguments.seconds,
    };
    let mut rows = Vec::new();
    report::head();
    for figure in FIGURES
        .iter()
        .filter(|it| it.name.contains(&arguments.only))
    {
        let row = bench.measure(figure).await;
        row.print();
        rows.push(row);
    }
    let loaded = memory(&server);
    let (acknowledged, stored) = bench.kill(server);
    println!("memory: {idle} MiB idle, {loaded} MiB after the load");
    println!("killed in its work: {acknowledged} acknowledged, {stored} stored");
    let memory = [idle, loaded];
    report::write(&arguments.to, &rows, memory);
    let is_durable = usize::try_from(stored).is_ok_and(|stored| stored >= acknowledged);
    assert!(is_durable, "acknowledged rows are missing");
}

#[actix_web::main]
async fn main() {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Part::Bare { address, bodies }) => bare::serve(*address, bodies).await,
        Some(Part::Durable { url, what, seconds }) => {
            let time = Duration::from_secs(*seconds);
            println!("{}", durable::rate(url, time, what));
        }
        None => run(&arguments).await,
    }
}
