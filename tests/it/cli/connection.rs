//! TLS, proxies, web pages and other servers: an error of one sentence, and what to do.

use super::Machine;
use super::fake_server::{FakeServer, Reply};
use crate::support::program::{Finished, Program};
use crate::support::source::root;
use std::ffi::OsStr;
use std::path::PathBuf;

/// A certificate for 127.0.0.1 and its variants, all with the same key.
fn certificate(name: &str) -> PathBuf {
    root().join(format!("tests/it/cli/certificates/{name}.pem"))
}

fn secure(name: &str) -> FakeServer {
    FakeServer::with_tls(&certificate(name), &certificate("key"), |_| {
        Reply::new(503, "text/plain", "")
    })
}

/// A sign-in to this server.
fn login(host: &str) -> Login {
    let machine = Machine::at(host);
    let program = machine.command(&["login", "--no-browser", "--host", host]);
    Login { machine, program }
}

struct Login {
    /// Exists for as long as the program runs.
    machine: Machine,
    program: Program,
}

impl Login {
    fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.program = self.program.env(name, value);
        self
    }

    fn args(mut self, arguments: &[&str]) -> Self {
        self.program = self.program.args(arguments);
        self
    }

    fn run(self) -> Finished {
        let ended = self.program.run();
        assert!(self.machine.everything().is_empty());
        ended
    }
}

#[track_caller]
fn fails(program: Login, pieces: &[&str]) -> Finished {
    let ended = program.run().exited(1).complains(pieces);
    assert_eq!(ended.stdout, "");
    // The error and the advice.
    assert_eq!(ended.stderr.lines().count(), 2, "{ended:#?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:#?}");
    ended
}

#[test]
fn refused_certificate_is_explained() {
    for (name, what, advice) in [
        (
            "plain",
            "its certificate is self-signed, or from an authority that this machine does not know",
            "--ca-cert FILE, or name the file in the environment variable SSL_CERT_FILE",
        ),
        (
            "authority",
            "its certificate is self-signed and marked as an authority (CA:TRUE)",
            "basicConstraints=critical,CA:FALSE",
        ),
    ] {
        let server = secure(name);
        let host = format!("https://{}", server.address);
        let what = format!("error: Cannot connect to {host}: {what}");
        fails(login(&host), &[&what, advice]);
    }
}

#[test]
fn trusted_certificate_has_to_be_valid_now_and_for_the_name() {
    let clock = "Check the clock of this machine";
    for (name, what, advice) in [
        (
            "expired",
            "its certificate has expired, or the clock of this machine is wrong.",
            clock,
        ),
        (
            "early",
            "its certificate is not valid yet, or the clock of this machine is wrong.",
            clock,
        ),
        (
            "other",
            "its certificate is for auth.example.com.",
            "Use the name of the certificate in the address.",
        ),
    ] {
        let server = secure(name);
        let host = format!("https://{}", server.address);
        let file = certificate(name);
        let trusting = login(&host).args(&["--ca-cert", file.to_str().unwrap()]);
        fails(trusting, &[what, advice]);
    }
}

#[test]
fn certificate_is_trusted_by_a_flag_or_the_environment() {
    let server = secure("plain");
    let host = format!("https://{}", server.address);
    let file = certificate("plain");
    let answered = &["is not available now (HTTP 503)"];
    let flag = login(&host).args(&["--ca-cert", file.to_str().unwrap()]);
    fails(flag, answered);
    fails(login(&host).env("SSL_CERT_FILE", &file), answered);

    for (path, why) in [
        ("/nowhere.pem", "No such file or directory"),
        ("/dev/null", "it has no certificate in PEM format"),
    ] {
        login(&host)
            .args(&["--ca-cert", path])
            .run()
            .exited(2)
            .complains(&[&format!("Cannot use {path} as --ca-cert: {why}")]);
    }
}

#[test]
fn wrong_scheme_is_named() {
    // Responds to whatever comes, like any HTTP server.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let http = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // The client may be gone already.
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    fails(
        login(&http),
        &[
            "it does not speak TLS on this port.",
            "write http:// instead",
        ],
    );

    // What a TLS server sends back for plain HTTP: an alert.
    let alert = FakeServer::start(|_| Reply::Bytes(b"\x15\x03\x03\x00\x02\x02\x32".to_vec()));
    fails(
        login(&format!("http://{}", alert.address)),
        &[
            "it does not speak HTTP on this port.",
            "write https:// instead",
        ],
    );
}

#[test]
fn proxy_that_fails_is_named() {
    let host = "https://auth.example.com";
    let secret = "http://ada:hunter2@127.0.0.1:1";
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        let ended = fails(
            login(host).env(variable, secret),
            &[
                &format!("through the proxy http://127.0.0.1:1 ({variable}): "),
                &format!("Check the proxy in {variable}, or add the server to NO_PROXY."),
            ],
        );
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    fails(
        login(host).env("ALL_PROXY", "socks5://127.0.0.1:1"),
        &[
            "the proxy socks5://127.0.0.1:1 (ALL_PROXY) is a SOCKS proxy, which is not supported.",
            "Name an HTTP proxy in ALL_PROXY",
        ],
    );
    let closed =
        FakeServer::start(|_| Reply::with(407, "Proxy-Authenticate: Basic realm=\"x\"\r\n", ""));
    let proxy = format!("http://{}", closed.address);
    fails(
        login(host).env("HTTPS_PROXY", &proxy),
        &[
            "requires a name and a password",
            "HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
        ],
    );
    fails(
        login("http://auth.example.com")
            .args(&["--allow-http"])
            .env("HTTP_PROXY", &proxy),
        &[
            "requires a name and a password",
            "HTTP_PROXY=http://NAME:PASSWORD@HOST:PORT",
        ],
    );
}

/// A proxy would get the token of a server on this machine, in plain text.
#[test]
fn server_on_this_machine_is_reached_without_the_proxy() {
    let server = FakeServer::start(|_| Reply::new(503, "text/plain", ""));
    let host = format!("http://{}", server.address);
    let program = login(&host).env("HTTP_PROXY", "http://127.0.0.1:1");
    fails(program, &["is not available now (HTTP 503)."]);
}

/// What a server does with the web page, and the error of the program.
type Case = (fn(&str) -> Reply, &'static str);

/// One sentence for each other server; none of them gets a code or a token out of the program.
#[test]
fn responses_of_other_servers_are_described() {
    let page = "<!doctype html><html><head><title>Hotel Wi-Fi</title>";
    let cases: [Case; 8] = [
        (
            |page| Reply::new(200, "text/html", page),
            "it is a web page (title \"Hotel Wi-Fi\"), perhaps the sign-in page of a proxy or a \
             portal.",
        ),
        (
            |page| Reply::new(404, "text/html", page),
            "it is a web page (title \"Hotel Wi-Fi\")",
        ),
        (
            |_| Reply::new(200, "application/json", "}"),
            "it is not JSON.",
        ),
        (
            |_| Reply::new(200, "application/json", "{}"),
            "missing field `device_code`",
        ),
        (
            |_| Reply::with(302, "Location: https://portal.example/\r\n", ""),
            "it redirects to https://portal.example/.",
        ),
        (
            |_| Reply::with(429, "Retry-After: 86400\r\n", ""),
            "Try again in 24 hours.",
        ),
        (|_| Reply::new(503, "text/html", "<html>"), "(HTTP 503)."),
        (
            |_| Reply::Close,
            "it closed the connection without a response.",
        ),
    ];
    for (reply, text) in cases {
        let server = FakeServer::start(move |_| reply(page));
        fails(login(&format!("http://{}", server.address)), &[text]);
    }
}

/// The finding: two contradictory pieces of advice after one refusal.
#[test]
fn refused_operation_is_explained_by_the_server_alone_unless_a_scope_is_missing() {
    let detail = "Ask an owner or an admin of the organization.";
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"a:b\"\r\n";
    for (fields, advice) in [
        ("", None),
        (challenge, Some("Set one that has the scope a:b.")),
    ] {
        let problem = serde_json::json!({
            "type": "t", "title": "t", "status": 403, "code": "c", "detail": detail,
            "request_id": "r1"
        });
        let problem = problem.to_string();
        let server = FakeServer::start(move |_| Reply::with(403, fields, &problem));
        let machine = Machine::at(&format!("http://{}", server.address));
        let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_0");
        let ended = whoami.run().exited(4);
        let mut lines = ended.stderr.lines();
        let error = format!("error: {detail} (request r1)");
        assert_eq!(lines.next(), Some(error.as_str()));
        let second = lines.next();
        assert_eq!(second.is_some(), advice.is_some(), "{ended:?}");
        assert!(
            second
                .unwrap_or_default()
                .ends_with(advice.unwrap_or_default())
        );
    }
}
