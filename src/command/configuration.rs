//! `doorcode config …`: the configuration.

use super::{Outcome, load_config, print, print_document, warnings};
use actix_web::rt::System;
use clap::Subcommand;
use doorcode::app::deployment::read_operator_token;
use doorcode::app::{Clock as _, Entropy, SystemClock, SystemEntropy, tls};
use doorcode::config::{Config, Listen};
use doorcode::domain::secret::Secret;
use doorcode::wire::api::{ConfigReloaded, Problem};
use reqwest::Certificate;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// Time limit for the answer of the running server.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// `doorcode config …`.
#[derive(Subcommand)]
pub enum Configuration {
    /// Check the configuration and print the effective settings
    Check,
    /// Let the running server read its scopes, routes and branding again, like the signal SIGHUP
    Reload,
}

/// Runs `doorcode config …`.
pub fn run(path: Option<&Path>, command: Configuration) -> Outcome {
    let config = load_config(path)?;
    match command {
        Configuration::Check => check(&config),
        Configuration::Reload => System::new().block_on(reload(&config)),
    }
}

fn check(config: &Config) -> Outcome {
    let cautions = tls::check(config, SystemClock.now())?;
    print_document(config.describe().trim_end())?;
    print("\n# The configuration is valid.")?;
    show_warnings(cautions)?;
    warn(config)
}

fn warn(config: &Config) -> Outcome {
    show_warnings(warnings(config))
}

fn show_warnings(warnings: Vec<String>) -> Outcome {
    for warning in warnings {
        writeln!(std::io::stderr(), "Warning: {warning}")?;
    }
    Ok(())
}

/// Sends the request to the server that listens at the address of the configuration.
async fn reload(config: &Config) -> Outcome {
    let token = read_operator_token(config, |name| std::env::var(name).ok())?;
    // An already installed provider is used instead.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_WITHIN);
    let (base, http) = match (&config.server.listen, config.server.certificate_files()) {
        (Listen::Unix(path), _) => {
            let http = http.tls_certs_only([]).unix_socket(path.as_path());
            ("http://localhost".to_owned(), http)
        }
        (Listen::Tcp(address), None) => {
            let base = format!("http://{}", reachable(*address));
            (base, http.tls_certs_only([]))
        }
        (Listen::Tcp(address), Some(files)) => {
            let pem = std::fs::read(&files.cert)
                .map_err(|error| format!("{}: {error}", files.cert.display()))?;
            let (host, listener) = (config.server.public_url.host(), reachable(*address));
            let http = http
                .resolve(host, listener)
                .tls_certs_merge(Certificate::from_pem_bundle(&pem)?);
            (format!("https://{host}:{}", listener.port()), http)
        }
    };
    let http = http.build()?;
    let url = format!("{base}/v1/config/reload");
    let mut seed = [0; 16];
    SystemEntropy.fill(&mut seed);
    let key = Secret::from_random(&seed);
    let sent = http
        .post(&url)
        .bearer_auth(token.expose())
        .header("Idempotency-Key", key.expose())
        .json(&serde_json::json!({}))
        .send()
        .await;
    let answer = sent.map_err(|_| {
        format!(
            "No server answers at {}. Start it, or send SIGHUP to its process if it listens \
             elsewhere.",
            config.server.listen
        )
    })?;
    if answer.status().is_success() {
        let reloaded: ConfigReloaded = answer.json().await?;
        let lines = describe_reload(&reloaded.changed, &reloaded.needs_restart);
        print(&lines.join("\n"))?;
        return warn(config);
    }
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => Err(format!("the server refused: {}", problem.detail).into()),
        Err(_) => Err(format!("{url} answered {status}. Is it another server?").into()),
    }
}

/// The address at which this machine reaches a listener.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// What a reload changed, in lines.
pub fn describe_reload<'a>(
    changed: impl IntoIterator<Item = &'a String>,
    needs_restart: impl IntoIterator<Item = &'a String>,
) -> Vec<String> {
    let list = |names: &mut dyn Iterator<Item = &'a String>| {
        let names: Vec<_> = names.map(String::as_str).collect();
        names.join(", ")
    };
    let changed = list(&mut changed.into_iter());
    let needs_restart = list(&mut needs_restart.into_iter());
    let mut lines = vec![match changed.is_empty() {
        true => "The configuration was reloaded. No setting that a reload replaces has changed."
            .to_owned(),
        false => format!("The configuration was reloaded. Changed: {changed}."),
    }];
    if !needs_restart.is_empty() {
        lines.push(format!("These changes need a restart: {needs_restart}."));
    }
    lines
}
