//! `doorcode healthcheck`: for containers, whose images have no shell and no other program.

use super::{Outcome, load_config, print};
use clap::Args;
use doorcode::config::{Config, Listen, Tls};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

/// Time limit for the answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Check that the server of this configuration answers, for the health check of a container
#[derive(Args)]
pub struct HealthCheck {
    /// Also check that it is ready: it accepts requests, and its database accepts writes
    #[arg(long)]
    ready: bool,
}

/// Requests a probe of the server on this machine.
pub fn run(config: Option<&Path>, check: &HealthCheck) -> Outcome {
    let config = load_config(config)?;
    let path = match check.ready {
        true => "readyz",
        false => "healthz",
    };
    actix_web::rt::System::new().block_on(request(&config, path))
}

/// The address of the server for a client on this machine.
fn host(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => {
            let mut local = *address;
            match address.ip() {
                IpAddr::V4(Ipv4Addr::UNSPECIFIED) => local.set_ip(Ipv4Addr::LOCALHOST.into()),
                IpAddr::V6(Ipv6Addr::UNSPECIFIED) => local.set_ip(Ipv6Addr::LOCALHOST.into()),
                _ => {}
            }
            local.to_string()
        }
        Listen::Unix(_) => "localhost".to_owned(),
    }
}

async fn request(config: &Config, path: &str) -> Outcome {
    let listen = &config.server.listen;
    // An already installed provider is used instead.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The certificate is for the public name. Nothing secret is sent.
    let mut client = reqwest::Client::builder()
        .timeout(WITHIN)
        .no_proxy()
        .tls_danger_accept_invalid_certs(true);
    let mut scheme = match config.server.tls {
        Tls::Off => "http",
        _ => "https",
    };
    if let Listen::Unix(file) = listen {
        client = client.unix_socket(file.as_path());
        scheme = "http";
    }
    let url = format!("{scheme}://{}/{path}", host(listen));
    let answer = client.build()?.get(url).send().await;
    let answer = answer.map_err(|error| format!("no answer at {listen}: {error}"))?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    match status.is_success() {
        true => print(text.trim_end()),
        false => Err(format!("{listen} answered {status}: {}", text.trim_end()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.5:8080", "10.0.0.5:8080"),
        ] {
            assert_eq!(host(&Listen::Tcp(listen.parse().unwrap())), asked);
        }
        assert_eq!(host(&Listen::Unix("/run/http.sock".into())), "localhost");
    }
}
