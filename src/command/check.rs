//! `doorcode check`: walks through a running deployment from outside, as clients and proxies do, and
//! explains each finding.

mod api;
mod deployment;

use super::{Outcome, print};
use actix_web::rt::System;
use clap::Args;
use doorcode::domain::secret::Secret;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::Value;
use std::time::Duration;

/// Time limit for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A text with the form of no token of any server.
const INVENTED: &str = "invented_0000";

/// `doorcode check`.
#[derive(Args)]
pub struct Check {
    /// URL of the server, as users and clients call it
    #[arg(long, value_name = "URL")]
    host: Url,
    /// A token, with which more can be checked; it is sent to these URLs alone
    #[arg(long, env = "DOORCODE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// URL of the protected API, if it is another one. With a token, its GET routes are called:
    /// `{organization}` and `{project}` stand for the first ones of the token, and routes with other
    /// parameters are called without the token only
    #[arg(long, value_name = "URL")]
    api: Option<Url>,
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Warning,
    Wrong,
}

/// The findings so far.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    wrong: usize,
    warnings: usize,
}

impl Report {
    fn add(&mut self, level: Level, text: impl AsRef<str>) {
        let mark = match level {
            Level::Good => "ok      ",
            Level::Warning => "warning ",
            Level::Wrong => "wrong   ",
        };
        self.warnings += usize::from(level == Level::Warning);
        self.wrong += usize::from(level == Level::Wrong);
        self.lines.push(format!("{mark}{}", text.as_ref()));
    }

    /// Adds the first text if a condition holds, otherwise the second as wrong.
    fn require(&mut self, holds: bool, good: impl AsRef<str>, wrong: impl AsRef<str>) {
        match holds {
            true => self.add(Level::Good, good),
            false => self.add(Level::Wrong, wrong),
        }
    }
}

/// An answer of the server.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// `null` if it is not JSON.
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}

/// The deployment, as seen from outside.
struct Outside {
    http: Client,
    host: Url,
    token: Option<Secret>,
}

impl Outside {
    /// Sends a GET request with a bearer token and further headers.
    async fn get(
        &self,
        url: Url,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(Method::GET, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap_or_default(),
        })
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.host.clone();
        url.set_path(path);
        url
    }

    fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Secret::expose)
    }
}

/// Runs the command. Fails if something is wrong.
pub fn run(command: Check) -> Outcome {
    // An already installed provider is used instead.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_WITHIN)
        .build()?;
    let outside = Outside {
        http,
        token: command.token.map(|token| Secret::new(token.trim())),
        host: command.host,
    };
    let api = command.api.unwrap_or_else(|| outside.host.clone());
    let report = System::new().block_on(async {
        let mut report = Report::default();
        match deployment::check(&outside, &mut report).await {
            Ok(()) => {}
            Err(error) => report.add(Level::Wrong, unreachable(&outside.host, &error)),
        }
        if report.wrong == 0
            && let Err(error) = api::check(&outside, &api, &mut report).await
        {
            report.add(Level::Wrong, unreachable(&api, &error));
        }
        report
    });
    print(&report.lines.join("\n"))?;
    match (report.wrong, report.warnings) {
        (0, 0) => print("Everything that was checked is right."),
        (0, warnings) => print(&format!("Nothing is wrong; warnings: {warnings}.")),
        (wrong, _) => Err(format!("Findings to correct: {wrong}.").into()),
    }
}

/// Why a server cannot be asked, with the innermost cause.
fn unreachable(url: &Url, error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let advice = match error.is_timeout() {
        true => "It did not answer in time. Check the firewall and the proxy.",
        false => {
            "Check the address, that the server runs, and for https the certificate (SSL_CERT_FILE \
             names one of your own)."
        }
    };
    format!("{url} cannot be reached: {cause}. {advice}")
}
