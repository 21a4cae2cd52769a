//! The server itself: transport, discovery, clock, proxy headers, and its own refusals.

use super::{Answer, INVENTED, Level, Outside, Report};
use chrono::{DateTime, Utc};
use doorcode::app::{Clock, SystemClock};
use reqwest::StatusCode;

/// Largest difference between the clocks of client and server that has no effect, in seconds.
const CLOCK_TOLERANCE: i64 = 60;

/// Checks the server.
pub(super) async fn check(outside: &Outside, report: &mut Report) -> Result<(), reqwest::Error> {
    let health = outside.get(outside.at("/healthz"), None, &[]).await?;
    if health.status != StatusCode::OK {
        report.add(
            Level::Wrong,
            format!(
                "/healthz answered {}. Is it a Doorcode server, and does the proxy forward all \
                 paths to it?",
                health.status
            ),
        );
        return Ok(());
    }
    transport(outside, report);
    clock(&health, report);
    let ready = outside.get(outside.at("/readyz"), None, &[]).await?;
    report.require(
        ready.status == StatusCode::OK,
        "The server is ready: it reads and writes its database.",
        format!(
            "/readyz answered {}. The log of the server has the cause.",
            ready.status
        ),
    );
    discovery(outside, report).await?;
    refusals(outside, report).await?;
    proxy(outside, report).await
}

fn transport(outside: &Outside, report: &mut Report) {
    let is_local = match outside.host.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.starts_with("127."),
        None => false,
    };
    match (outside.host.scheme(), is_local) {
        ("https", _) => report.add(Level::Good, "TLS: the certificate is trusted."),
        (_, true) => report.add(Level::Good, "No TLS, on this machine alone."),
        _ => report.add(
            Level::Wrong,
            "No TLS: tokens and passwords cross the network in plain text. Serve https.",
        ),
    }
}

fn clock(answer: &Answer, report: &mut Report) {
    let Ok(theirs) = DateTime::parse_from_rfc2822(answer.header("date")) else {
        return;
    };
    let difference = (theirs.with_timezone(&Utc) - SystemClock.now()).num_seconds();
    match difference.abs() <= CLOCK_TOLERANCE {
        true => report.add(Level::Good, "Clock: the server and this machine agree."),
        false => report.add(
            Level::Warning,
            format!(
                "Clock: the server is {difference} seconds ahead of this machine. Expiry depends \
                 on its clock; synchronize both (NTP)."
            ),
        ),
    }
}

async fn discovery(outside: &Outside, report: &mut Report) -> Result<(), reqwest::Error> {
    let path = "/.well-known/oauth-authorization-server";
    let metadata = outside.get(outside.at(path), None, &[]).await?;
    let issuer = metadata.body["issuer"].as_str().unwrap_or_default();
    let host = outside.host.as_str().trim_end_matches('/');
    report.require(
        issuer.trim_end_matches('/') == host,
        "Discovery: the server knows this URL as its own.",
        format!(
            "Discovery: {path} names the issuer {issuer:?}, not {host}. Set [server] public_url to \
             the URL that users open, or check the URL."
        ),
    );
    let endpoints = [
        "token_endpoint",
        "device_authorization_endpoint",
        "introspection_endpoint",
    ];
    let elsewhere: Vec<_> = endpoints
        .into_iter()
        .filter(|name| {
            let endpoint = metadata.body[*name].as_str().unwrap_or_default();
            issuer.is_empty() || !endpoint.starts_with(issuer)
        })
        .collect();
    report.require(
        elsewhere.is_empty(),
        "Discovery: the endpoints are below the issuer.",
        format!("Discovery: not below the issuer: {}.", elsewhere.join(", ")),
    );
    let resource = outside.at("/.well-known/oauth-protected-resource");
    let resource = outside.get(resource, None, &[]).await?;
    let names_issuer = resource.body["authorization_servers"]
        .as_array()
        .is_some_and(|servers| servers.iter().any(|server| server == issuer));
    report.require(
        names_issuer,
        "Discovery: the resource metadata names the issuer.",
        "Discovery: /.well-known/oauth-protected-resource does not name the issuer. Let the proxy \
         forward /.well-known/ to Doorcode.",
    );
    Ok(())
}

async fn refusals(outside: &Outside, report: &mut Report) -> Result<(), reqwest::Error> {
    let me = || outside.at("/v1/me");
    let none = outside.get(me(), None, &[]).await?;
    report.require(
        none.status == StatusCode::UNAUTHORIZED
            && none.header("www-authenticate").starts_with("Bearer"),
        "Without a token: 401, with a challenge.",
        format!(
            "/v1/me without a token answered {}, not 401 with WWW-Authenticate.",
            none.status
        ),
    );
    let wrong = outside.get(me(), Some(INVENTED), &[]).await?;
    report.require(
        wrong.status == StatusCode::UNAUTHORIZED
            && wrong.header("www-authenticate").contains("invalid_token"),
        "With an invented token: 401 invalid_token.",
        format!(
            "/v1/me with an invented token answered {}, not 401.",
            wrong.status
        ),
    );
    let Some(token) = outside.token() else {
        report.add(
            Level::Warning,
            "No token given: its checks are left out. Name one with --token.",
        );
        return Ok(());
    };
    let status = outside
        .get(outside.at("/v1/status"), Some(token), &[])
        .await?;
    if status.status == StatusCode::OK {
        report.add(
            Level::Good,
            "With the token: 200. It is the operator token.",
        );
        return Ok(());
    }
    let live = outside.get(me(), Some(token), &[]).await?;
    if live.status != StatusCode::OK {
        report.add(
            Level::Wrong,
            format!(
                "/v1/me with the token answered {}. It is unknown, expired or revoked; `doorcode \
                 explain` says which.",
                live.status
            ),
        );
        return Ok(());
    }
    let scopes: Vec<_> = live.body["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let scopes: Vec<_> = scopes.iter().filter_map(|scope| scope.as_str()).collect();
    let scopes = match scopes.is_empty() {
        true => "It has no scopes.".to_owned(),
        false => format!("Its scopes: {}.", scopes.join(" ")),
    };
    report.add(Level::Good, format!("With the token: 200. {scopes}"));
    report.require(
        status.body["code"] == "operator_required",
        "The operator's routes refuse the token: 403 operator_required.",
        format!(
            "/v1/status with the token answered {}, not 403.",
            status.status
        ),
    );
    Ok(())
}

/// Headers that a client must not be able to pass through the proxy, and one that it must.
async fn proxy(outside: &Outside, report: &mut Report) -> Result<(), reqwest::Error> {
    if outside.host.scheme() == "https" {
        let claimed = [("x-forwarded-proto", "http")];
        let answer = outside.get(outside.at("/v1/me"), None, &claimed).await?;
        report.require(
            answer.status == StatusCode::UNAUTHORIZED,
            "Proxy: it overwrites the X-Forwarded-Proto of clients.",
            "Proxy: it forwards the X-Forwarded-Proto of clients. Let it overwrite the header.",
        );
    }
    let id = "doorcode-check-0001";
    let answer = outside
        .get(outside.at("/healthz"), None, &[("x-request-id", id)])
        .await?;
    match answer.header("x-request-id") {
        "" => report.add(
            Level::Warning,
            "Proxy: answers have no X-Request-Id. Let it pass the header on.",
        ),
        _ => report.add(
            Level::Good,
            "Answers have an X-Request-Id, which the log has too.",
        ),
    }
    let verify = outside.get(outside.at("/auth/verify"), None, &[]).await?;
    if verify.status == StatusCode::UNAUTHORIZED && outside.host.scheme() == "https" {
        report.add(
            Level::Warning,
            "/auth/verify is reachable from outside. Only your proxy needs it: close it to others.",
        );
    }
    Ok(())
}
