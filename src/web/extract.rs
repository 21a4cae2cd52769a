//! What handlers take out of a request: who sends it from where, and its body.

use super::failure::Failure;
use super::headers::REQUEST_ID;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpMessage, HttpRequest, web};
use app::{App, Context};
use config::Config;
use domain::id::UserId;
use domain::secret::Secret;
use domain::token;
use domain::{is_disguise, network};
use futures_util::StreamExt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;
use std::time::Duration;
use wire::form::Form;

/// The largest body: 16 KiB, many times what any form needs.
const BODY_LIMIT: usize = 16 * 1024;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest token that is looked at, in bytes.
const TOKEN_LIMIT: usize = 1024;

/// The context that the outermost layer gave the request.
pub fn context_of(app: &App, request: &HttpRequest) -> Context {
    let known = request.extensions().get::<Context>().cloned();
    let known = known.unwrap_or_else(|| context(app, request));
    let pattern = request.match_pattern();
    Context {
        route: pattern
            .map(|pattern| format!("{} {pattern}", request.method()))
            .or(known.route),
        ..known
    }
}

/// Who asks, from where.
pub fn context(app: &App, request: &HttpRequest) -> Context {
    let text = |name: &HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    Context {
        request_id: text(&REQUEST_ID)
            .filter(|id| is_request_id(id))
            // Whoever mistakes the header must not have a secret in the log for it.
            .filter(|id| !token::is_well_formed(app.config().tokens.prefix.as_str(), id))
            .map_or_else(|| app.draw_request_id(), str::to_owned),
        address: Some(address(app.config(), request)),
        user_agent: text(&header::USER_AGENT)
            .unwrap_or_default()
            .chars()
            .filter(|c| !is_disguise(*c))
            .collect(),
        route: None,
        has_false_actor: false,
    }
}

/// Whether a caller's own name for its request is safe to log and to repeat.
fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The address at the other end of the connection.
fn peer(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::from([127, 0, 0, 1]), |peer| {
            network::canonical(peer.ip())
        })
}

/// Whether an address is a proxy whose word about the caller is believed.
fn is_trusted(config: &Config, address: IpAddr) -> bool {
    let proxies = &config.server.trusted_proxies;
    proxies.iter().any(|proxy| proxy.contains(&address))
}

/// The address of the caller. What `X-Forwarded-For` says counts only from a trusted proxy:
/// from the right, the first address that is no trusted proxy itself.
fn address(config: &Config, request: &HttpRequest) -> IpAddr {
    let forwarded: Vec<&str> = request
        .headers()
        .get_all(header::X_FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut address = peer(request);
    if !forwarded.is_empty() && !is_trusted(config, address) {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::warn!(
                %address,
                "X-Forwarded-For is ignored: its sender is not in [server] trusted_proxies. \
                 Behind a proxy, everybody would seem to be the proxy."
            );
        });
    }
    for hop in forwarded.into_iter().rev() {
        if !is_trusted(config, address) {
            break;
        }
        match read_hop(hop) {
            Some(hop) => address = network::canonical(hop),
            // What lies behind a garbled hop cannot be known.
            None => break,
        }
    }
    address
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let with_port = || hop.parse::<SocketAddr>().ok().map(|hop| hop.ip());
    bare.parse().ok().or_else(with_port)
}

/// Refuses what a trusted proxy says came over plain http, where https is promised. It is
/// not sent on to https: a client would not notice that it had shown its secrets.
pub fn check_transport(app: &App, request: &HttpRequest) -> Result<(), Failure> {
    let is_plain = request
        .headers()
        .get(header::X_FORWARDED_PROTO)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"http"));
    let is_refused = is_plain
        && app.config().server.public_url.is_https()
        && is_trusted(app.config(), peer(request));
    if is_refused {
        Err(Failure::PlainHttp)
    } else {
        Ok(())
    }
}

/// The value of a cookie. Names are compared as they came: to read an escape or an exotic space
/// in them would let a neighbour below the same domain, who cannot set a cookie that begins
/// with `__Host-`, set one that passes for it. Odd cookies beside ours are passed over.
pub fn cookie<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .flat_map(|value| value.as_bytes().split(|b| *b == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .find_map(|(given, value)| (given == name).then_some(value))
}

/// Reads a body, within the limits of size and time.
pub async fn body(request: &HttpRequest, mut payload: web::Payload) -> Result<Vec<u8>, Failure> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Failure::TooLarge);
    }
    let read = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Failure::Malformed("The body broke off."))?;
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(BODY_TIMEOUT, read)
        .await
        .unwrap_or(Err(Failure::TooSlow))
}

/// The media type of the body, in lower case and without parameters.
pub fn media_type(request: &HttpRequest) -> String {
    request.content_type().trim().to_ascii_lowercase()
}

/// Reads a form.
pub async fn form(request: &HttpRequest, payload: web::Payload) -> Result<Form, Failure> {
    if media_type(request) != "application/x-www-form-urlencoded" {
        return Err(Failure::UnsupportedMedia);
    }
    read_form(&body(request, payload).await?)
}

/// Reads a form that has arrived.
pub fn read_form(body: &[u8]) -> Result<Form, Failure> {
    Form::parse(body).map_err(|_| {
        Failure::Malformed("The form has a broken percent escape, a NUL, or is not UTF-8.")
    })
}

/// Reads the query string.
pub fn query(request: &HttpRequest) -> Result<Form, Failure> {
    read_form(request.query_string().as_bytes())
}

/// The value of the one `Authorization` header.
pub fn authorization(request: &HttpRequest) -> Result<Option<&str>, Failure> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let first = values.next();
    if values.next().is_some() {
        return Err(Failure::Malformed(
            "Send one Authorization header, not several.",
        ));
    }
    first
        .map(|value| {
            value
                .to_str()
                .map_err(|_| Failure::Malformed("The Authorization header is not ASCII."))
        })
        .transpose()
}

/// What follows a scheme's name, which may be in any case; `None` for another scheme.
pub fn of_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    name.eq_ignore_ascii_case(scheme).then_some(rest.trim())
}

/// The bearer token (RFC 6750 section 2.1); `None` without one. Tokens in queries and bodies
/// are not looked for.
pub fn bearer(request: &HttpRequest) -> Result<Option<Secret>, Failure> {
    let Some(token) = authorization(request)?.and_then(|value| of_scheme(value, "bearer")) else {
        return Ok(None);
    };
    // The `b64token` of RFC 6750 section 2.1.
    let is_legal = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    if token.is_empty() || token.len() > TOKEN_LIMIT || !token.bytes().all(is_legal) {
        return Err(Failure::Malformed(
            "The Authorization header must be `Bearer`, a space, and one token.",
        ));
    }
    Ok(Some(Secret::new(token)))
}

/// The user that the operator says it acts for; `None` if it names nobody. Only what comes
/// with the operator token is asked: from any other caller the header means nothing.
pub fn actor(app: &App, request: &HttpRequest) -> Result<Option<UserId>, Failure> {
    user_named_in(request, &app.config().operator.actor_header)
}

/// Whether a request has the header for actors, which only the operator's may.
pub fn claims_actor(app: &App, request: &HttpRequest) -> bool {
    request
        .headers()
        .contains_key(app.config().operator.actor_header.as_str())
}

fn user_named_in(request: &HttpRequest, header: &str) -> Result<Option<UserId>, Failure> {
    let mut values = request.headers().get_all(header);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Failure::Malformed(
            "Name one user to act for, in one header.",
        ));
    }
    match value.to_str().ok().and_then(UserId::parse) {
        Some(id) => Ok(Some(id)),
        None => Err(Failure::Malformed(
            "The user to act for is not a user's id, such as usr_ and 32 digits.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const NAME: &str = "X-Actor-User-Id";
    const ADA: &str = "usr_0198e4a0c0de7f00a1b2c3d4e5f60718";
    const EVE: &str = "usr_0198e4a0c0de7f00a1b2c3d4e5f60719";

    /// OPR-01.
    #[test]
    fn an_operator_names_one_user_or_none() {
        let named = |values: &[&str]| {
            let request = values.iter().fold(TestRequest::get(), |request, value| {
                request.append_header(("x-actor-user-id", *value))
            });
            user_named_in(&request.to_http_request(), NAME)
        };
        assert_eq!(named(&[]).unwrap(), None);
        assert_eq!(named(&[ADA]).unwrap(), UserId::parse(ADA));
        for refused in [
            &[ADA, EVE][..],
            &[ADA, ADA],
            &["", ADA],
            &[""],
            &["usr_"],
            &["org_0198e4a0c0de7f00a1b2c3d4e5f60718"],
            &["USR_0198E4A0C0DE7F00A1B2C3D4E5F60718"],
            &["usr_0198e4a0c0de7f00a1b2c3d4e5f60718, usr_0198e4a0c0de7f00a1b2c3d4e5f60719"],
            &["usr_ä"],
        ] {
            assert!(
                matches!(named(refused), Err(Failure::Malformed(_))),
                "{refused:?}"
            );
        }
    }
}
