//! TLS of the server itself: `server.tls`.

use crate::support::deployment::{Deployment, mode};
use crate::support::program::{Program, Running};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::{Certificate, Client};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than a request takes, shorter than the time limit of a handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the server may take to notice a changed file.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// A client that trusts only this file, with connections of its own.
fn trusting(deployment: &Deployment, file: &str) -> Client {
    // Fails if another test has installed the provider already, with the same effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(deployment.path(file)).unwrap();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only(Certificate::from_pem_bundle(&pem).unwrap())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

async fn status(client: &Client, deployment: &Deployment, path: &str) -> Option<u16> {
    let answer = client.get(deployment.at(path)).send().await;
    Some(answer.ok()?.status().as_u16())
}

/// Writes a pair for the address of the deployment.
fn write_pair(deployment: &Deployment, change: impl FnOnce(&mut CertificateParams)) {
    let host = deployment.address.ip().to_string();
    let mut params = CertificateParams::new(vec![host]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    // The key first: the server may look at any time.
    deployment.write("tls.key", &key.serialize_pem());
    deployment.write("tls.pem", &params.self_signed(&key).unwrap().pem());
}

fn with_files() -> Deployment {
    Deployment::new().with_tls(r#"{ cert = "tls.pem", key = "tls.key" }"#)
}

fn self_signed() -> Deployment {
    Deployment::new().with_tls("self-signed")
}

/// A sign-in with a token, on a machine with this home directory.
fn login(home: &TempDir, host: &str, token: &str) -> Program {
    Program::new(home.path(), &["login", "--host", host, "--token", "-"]).input(token)
}

/// A team in a local network: one line of configuration, and the client that trusts the file that
/// the server made signs in. A client that does not trust the file shows how to do so.
#[actix_web::test]
async fn self_signed_server_works_with_its_certificate_and_the_advice_leads_there() {
    let deployment = Deployment::with_user();
    let plain = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("laptop", &["tokens:read"], "30d").await;
    // A server that is killed counts as running for a while.
    plain.signal("TERM");
    plain.finish().exited(0);

    let deployment = deployment.with_tls("self-signed");
    let server = deployment.start();
    for file in ["data/tls_key.pem", "data/tls_certificate.pem"] {
        assert_eq!(mode(&deployment.path(file)), 0o600);
        assert!(
            server.stdout.contains(&format!("Created {file} (only you")),
            "{}",
            server.stdout
        );
    }
    let shown = server
        .stdout
        .lines()
        .find(|line| line.trim().split(':').count() == 32);
    let shown = shown.unwrap_or_else(|| panic!("{}", server.stdout)).trim();

    let client = trusting(&deployment, "data/tls_certificate.pem");
    for path in ["/healthz", "/readyz", "/login"] {
        assert_eq!(
            status(&client, &deployment, path).await,
            Some(200),
            "{path}"
        );
    }
    let page = client.get(deployment.at("/login")).send().await.unwrap();
    // Browsers would lock out users who accepted the certificate by hand.
    assert!(page.headers().get("strict-transport-security").is_none());
    let cookies: Vec<_> = page.headers().get_all("set-cookie").iter().collect();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.contains("; Secure"), "{cookie}");
    }

    let home = tempfile::tempdir().unwrap();
    login(&home, &deployment.url, &token)
        .run()
        .exited(1)
        .complains(&["its certificate is self-signed", "--ca-cert FILE"]);
    let file = deployment.path("data/tls_certificate.pem");
    let trust = ["--ca-cert", file.to_str().unwrap()];
    login(&home, &deployment.url, &token)
        .args(&trust)
        .run()
        .exited(0);
    Program::new(home.path(), &["whoami"])
        .args(&trust)
        .run()
        .exited(0);
    deployment
        .command(&["config", "reload"])
        .run()
        .exited(0)
        .says(&["The configuration was reloaded."]);

    let fingerprint = shown.to_owned();
    drop(server);
    let server = deployment.start();
    assert!(server.stdout.contains(&fingerprint), "{}", server.stdout);
    assert!(
        !server.stdout.contains("Created data/tls"),
        "{}",
        server.stdout
    );
}

/// A renewed certificate is used by new connections without a restart, noticed by itself and at the
/// signal. A pair that cannot be used changes nothing, for connections old and new.
#[actix_web::test]
async fn changed_certificate_is_used_without_a_restart() {
    let deployment = with_files();
    write_pair(&deployment, |_| ());
    let mut server = deployment.start();
    let first = trusting(&deployment, "tls.pem");
    assert_eq!(status(&first, &deployment, "/readyz").await, Some(200));

    deployment.write("tls.key", &KeyPair::generate().unwrap().serialize_pem());
    let line = server.line("the certificate was not reloaded");
    assert!(
        line.contains("tls.key is not the key of the certificate"),
        "{line}"
    );
    let pem = std::fs::read_to_string(deployment.path("tls.pem")).unwrap();
    deployment.write("first.pem", &pem);
    let fresh = trusting(&deployment, "first.pem");
    assert_eq!(status(&fresh, &deployment, "/readyz").await, Some(200));

    write_pair(&deployment, |_| ());
    let changed_at = Instant::now();
    loop {
        let renewed = trusting(&deployment, "tls.pem");
        if status(&renewed, &deployment, "/readyz").await == Some(200) {
            break;
        }
        assert!(changed_at.elapsed() < NOTICED_WITHIN);
    }
    server.line("new connections use the certificate tls.pem");
    // An open connection continues.
    assert_eq!(status(&first, &deployment, "/readyz").await, Some(200));

    write_pair(&deployment, |_| ());
    server.signal("HUP");
    server.line("The configuration was reloaded.");
    let renewed = trusting(&deployment, "tls.pem");
    assert_eq!(status(&renewed, &deployment, "/readyz").await, Some(200));
    server.signal("TERM");
    server.finish().exited(0);
}

/// The check of the configuration and the start fail with the same line.
#[test]
fn unusable_certificate_stops_the_check_and_the_start() {
    let deployment = with_files();
    let both = |text: &str| {
        for command in ["config check", "serve"] {
            let command: Vec<_> = command.split(' ').collect();
            let ended = deployment.command(&command).run().exited(1);
            let ended = ended.complains(&[text]);
            let errors = ended
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "));
            assert_eq!(errors.count(), 1, "{ended:#?}");
        }
    };
    both("error: tls.pem: No such file or directory");
    write_pair(&deployment, |params| {
        params.not_after = date_time_ymd(2020, 1, 1)
    });
    both("error: tls.pem has expired. Renew it");
    write_pair(&deployment, |_| ());
    deployment.write("tls.key", &KeyPair::generate().unwrap().serialize_pem());
    both("error: tls.key is not the key of the certificate tls.pem");
    // Nothing of a deployment was made.
    assert!(!deployment.path("data").exists());

    write_pair(&deployment, |_| ());
    deployment
        .command(&["config", "check"])
        .env("DOORCODE__SERVER__PUBLIC_URL", "https://id.example.com")
        .run()
        .exited(0)
        .complains(&["Warning: tls.pem is not for the host id.example.com"]);
}

/// A stranger opens 500 connections and never finishes the handshake on any. The others notice
/// nothing: pages, API and new sign-ins answer as before.
#[actix_web::test]
async fn unfinished_handshakes_block_nobody() {
    let deployment = self_signed().set("DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE", "50");
    let mut server = deployment.start();
    let mut waiting: Vec<_> = (0..500)
        .map(|n| {
            let mut stream = TcpStream::connect_timeout(&deployment.address, PATIENCE).unwrap();
            if n % 2 == 0 {
                // The start of a ClientHello that never ends.
                stream.write_all(&[22, 3, 1, 2, 0, 1, 0]).unwrap();
            }
            stream
        })
        .collect();
    let began = Instant::now();
    for n in 0..20 {
        // A new connection each.
        let client = trusting(&deployment, "data/tls_certificate.pem");
        let answer = match n % 2 {
            0 => client.get(deployment.at("/readyz")),
            _ => client
                .post(deployment.at("/auth/device"))
                .form(&[("client_id", "doorcode-cli")]),
        };
        assert_eq!(answer.send().await.unwrap().status(), 200, "request {n}");
    }
    eprintln!("20 requests beside 500 handshakes: {:?}", began.elapsed());
    // The server ends them all.
    for stream in &mut waiting {
        stream.set_read_timeout(Some(NOTICED_WITHIN)).unwrap();
        let ended = stream.read_to_end(&mut Vec::new());
        let is_reset = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(ended.as_ref().map_or_else(is_reset, |_| true), "{ended:?}");
    }
    assert_eq!(quiet(&mut server), 0, "{}", server.stderr);
}

/// How many lines of warnings and errors the server has logged.
fn quiet(server: &mut Running) -> usize {
    server.signal("HUP");
    server.line("The configuration was reloaded.");
    let lines = server.stderr.lines();
    lines
        .filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\""))
        .count()
}

/// The start names the first command in full. A user who writes http:// instead learns it.
#[actix_web::test]
async fn plain_request_to_tls_gets_the_advice() {
    let deployment = self_signed();
    let server = deployment.start();
    let next = format!(" login --host {} --ca-cert /", deployment.url);
    assert!(server.stdout.contains(&next), "{}", server.stdout);
    let url = deployment.url.replace("https://", "http://");
    let arguments = ["login", "--no-browser", "--host", &url];
    Program::new(deployment.directory(), &arguments)
        .run()
        .exited(1)
        .complains(&["If the server uses TLS, write https:// instead of http://."]);
}

/// systemd passes a key (`LoadCredential=`) as a file of root that the group of the service can read,
/// in a folder without write access.
#[actix_web::test]
async fn key_that_systemd_passes_is_used() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = "run/credentials/doorcode.service";
    let deployment = Deployment::new().with_tls(&format!(
        r#"{{ cert = "tls.pem", key = "{folder}/tls.key" }}"#
    ));
    write_pair(&deployment, |_| ());
    let folder = deployment.path(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let key = folder.join("tls.key");
    std::fs::rename(deployment.path("tls.key"), &key).unwrap();
    let set = |path, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, mode).unwrap();
    };
    set(&key, 0o440);
    set(&folder, 0o550);
    let _server = deployment.start();
    let client = trusting(&deployment, "tls.pem");
    assert_eq!(status(&client, &deployment, "/healthz").await, Some(200));
}
