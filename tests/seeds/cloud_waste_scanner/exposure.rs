//! Who can reach the API.

use super::{FOLDER, SCAN, api, scan, shared};
use crate::seeds::system::{Plan, System, send};
use crate::support::source::root;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

/// An address of this machine other than 127.0.0.1, as other machines have it: that of its network
/// if it has one.
fn other_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // No packet is sent: the system only chooses the address of this side.
    let routed = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr());
    routed.map_or(Ipv4Addr::new(127, 0, 0, 2).into(), |address| address.ip())
}

/// A port that is free at every address, below those that the system assigns by itself.
fn free_port() -> u16 {
    let first = u16::try_from(10_000 + std::process::id() % 20_000).unwrap();
    let is_free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    (first..).find(is_free).unwrap()
}

/// The system with the API at a host and a port.
fn start_at(host: [u8; 4], port: u16) -> System {
    let mut plan = Plan::of(FOLDER);
    plan.listen = SocketAddr::from((host, port));
    plan.start(api)
}

fn connects(address: IpAddr, port: u16) -> bool {
    TcpStream::connect((address, port)).is_ok()
}

/// The page about exposure.
fn guidance() -> String {
    std::fs::read_to_string(root().join("docs/how-to/open-to-the-network.md")).unwrap()
}

/// Status code of a scan that is sent from an address to a URL.
async fn scan_from(address: IpAddr, url: &str, token: &str) -> u16 {
    let client = reqwest::Client::builder().local_address(address).no_proxy();
    let client = client.tls_certs_only([]).build().unwrap();
    let scan = client.post(format!("{url}/v1/scans")).bearer_auth(token);
    send(scan).await.status
}

/// API listen host is a setting.
#[actix_web::test]
async fn a_04_host_is_a_setting() {
    let system = shared().await;
    let set = url::Url::parse(&system.api).unwrap();
    let (host, port) = (set.host_str().unwrap(), set.port().unwrap());
    assert!(connects(host.parse().unwrap(), port));
    assert!(!connects(Ipv4Addr::LOCALHOST.into(), port));
    let server = system.deployment.address;
    assert!(connects(server.ip(), server.port()));
    assert!(!connects(Ipv4Addr::LOCALHOST.into(), server.port()));
}

/// API port is a setting.
#[actix_web::test]
async fn a_05_port_is_a_setting() {
    let system = Plan::of(FOLDER).start(api);
    let (api, server) = (system.api.clone(), system.deployment.address);
    assert_eq!(scan(&system, &system.operator()).await, 202);
    let system = system.restart_with(Plan::move_to_other_addresses);
    assert_ne!(system.api, api);
    assert_ne!(system.deployment.address.port(), server.port());
    assert_eq!(scan(&system, &system.operator()).await, 202);
    assert!(!connects(server.ip(), server.port()));
}

/// Host `127.0.0.1`: only the local machine can call the API.
#[actix_web::test]
async fn a_06_loopback_host_is_for_this_machine() {
    let port = free_port();
    let system = start_at([127, 0, 0, 1], port);
    assert_eq!(scan(&system, &system.operator()).await, 202);
    assert!(!connects(other_address(), port));
    let server = system.deployment.address;
    assert!(server.ip().is_loopback());
    assert!(!connects(other_address(), server.port()));
}

/// Host `0.0.0.0`: other machines can call by IP and port, with a bearer token.
#[actix_web::test]
async fn a_07_unspecified_host_is_for_other_machines() {
    let port = free_port();
    let system = start_at([0, 0, 0, 0], port);
    let other = other_address();
    let url = format!("http://{other}:{port}");
    assert_eq!(scan_from(other, &url, &system.operator()).await, 202);
    assert_eq!(scan_from(other, &url, "cws_0").await, 401);
    let without = crate::support::http().post(format!("{url}/v1/scans"));
    assert_eq!(send(without).await.status, 401);
}

/// Optional local HTTPS with a self-signed certificate; when on, clients use `https://` and trust
/// the certificate or `-k`.
#[actix_web::test]
async fn a_14_https_with_a_self_signed_certificate() {
    let system = Plan::of(FOLDER).self_signed().start(api);
    assert!(system.api.starts_with("https://"), "{}", system.api);
    let pem = system.read("data/tls_certificate.pem");
    let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
    let client = || reqwest::Client::builder().no_proxy();
    let trusting = client().tls_certs_only([certificate]).build();
    let careless = client()
        .tls_certs_only([])
        .tls_danger_accept_invalid_certs(true);
    let (trusting, careless) = (trusting.unwrap(), careless.build().unwrap());
    let scan = format!("{}/v1/scans", system.api);
    for client in [&trusting, &careless] {
        let with = client.post(&scan).bearer_auth(system.operator());
        assert_eq!(send(with).await.status, 202);
        assert_eq!(send(client.post(&scan)).await.status, 401);
    }
    // Others do not take it for the API, and plain HTTP reaches nothing.
    let wary = crate::support::http().post(&scan).send().await;
    assert!(wary.unwrap_err().is_connect());
    let plain = scan.replace("https://", "http://");
    let plain = trusting.post(plain).bearer_auth(system.operator());
    assert_eq!(plain.send().await.unwrap().status(), 400);
}

/// The exposure-modes table holds: workstation-only, team LAN, remote site with VPN and a strict
/// source allow-list.
#[actix_web::test]
async fn a_17_exposure_modes_are_listed_and_hold() {
    let page = guidance();
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
    for (mode, setting) in [
        ("this machine alone", "127.0.0.1:8080"),
        ("a team in a local network", "0.0.0.0:8080"),
        ("remote sites", "VPN"),
        ("remote sites", "only the sources that you know"),
    ] {
        let row = rows.iter().find(|row| row.contains(mode));
        assert!(row.is_some_and(|row| row.contains(setting)), "{mode}");
    }
    assert!(page.contains("`[operator] networks` limits"), "{page}");
    // The first two are a_06 and a_07. A remote site reaches it over the VPN alone: both settings.
    let port = free_port();
    let mut plan = Plan::of(FOLDER).set("DOORCODE__OPERATOR__NETWORKS", r#"["127.0.0.9/32"]"#);
    plan.listen = SocketAddr::from(([0, 0, 0, 0], port));
    let system = plan.start(api);
    let token = system.operator();
    let vpn: IpAddr = "127.0.0.9".parse().unwrap();
    let of_vpn = scan_from(vpn, &format!("http://127.0.0.1:{port}"), &token).await;
    assert_eq!(of_vpn, 202);
    let other = other_address();
    let elsewhere = scan_from(other, &format!("http://{other}:{port}"), &token).await;
    assert_eq!(elsewhere, 401);
}

/// Source IPs can be restricted (host firewall / allow-list).
#[actix_web::test]
async fn a_21_sources_can_be_restricted() {
    let plan = Plan::of(FOLDER).set("DOORCODE__OPERATOR__NETWORKS", r#"["127.0.0.1"]"#);
    let system = plan.start(api);
    let token = system.operator();
    assert_eq!(scan(&system, &token).await, 202);
    for (source, status) in [("127.0.0.1", 202), ("127.0.0.2", 401)] {
        let found = scan_from(source.parse().unwrap(), &system.api, &token).await;
        assert_eq!(found, status, "{source}");
    }
    assert_eq!(system.call(SCAN, "cws_0").await.status, 401);
}

/// Guidance shown: private network/VPN for remote traffic; secret store, not plaintext repos.
#[actix_web::test]
async fn a_23_guidance_is_shown() {
    let system = shared().await;
    let shown = system.command(&["operator", "show"]).run().exited(0);
    shown.complains(&[
        "Keep it in a secret manager, never in a repository",
        "private network, a VPN or TLS",
    ]);
    let page = guidance();
    for guidance in [
        "VPN or a private network",
        "secret store",
        "never in a\nrepository",
    ] {
        assert!(page.contains(guidance), "{guidance}");
    }
}
