//! Extracts the context, the credentials and the body of a request.

use super::client_address::{client_address, is_from_proxy};
use super::failure::Failure;
use super::headers::{REQUEST_ID, TRACE};
use super::route;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpMessage, HttpRequest, web};
use app::trace::TraceContext;
use app::{App, Context};
use domain::id::UserId;
use domain::is_disguise;
use domain::secret::Secret;
use domain::token;
use futures_util::StreamExt;
use std::sync::{Arc, Once};
use std::time::Duration;
use wire::form::Form;

/// Largest accepted body: 16 KiB, far more than any form needs.
const BODY_LIMIT: usize = 16 * 1024;

/// Time limit for sending a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest accepted token, in bytes.
const TOKEN_LIMIT: usize = 1024;

/// The application with the configuration of a request.
pub fn app_of(request: &HttpRequest) -> Result<web::Data<App>, Failure> {
    let app = request.app_data::<web::Data<App>>();
    app.cloned()
        .ok_or_else(|| Failure::Internal("no application".into()))
}

/// The context that the outermost layer attached to the request, with the matched route.
pub fn context_of(app: &App, request: &HttpRequest) -> Context {
    let known = request.extensions().get::<Context>().cloned();
    let known = known.unwrap_or_else(|| context(app, request));
    if known.route.is_some() {
        return known;
    }
    Context {
        route: route::find(request).map(|route| route.name),
        ..known
    }
}

/// Creates the context of a request.
pub fn context(app: &App, request: &HttpRequest) -> Context {
    let text = |name: &HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    Context {
        // Others could choose the id of a request that is in the log already.
        request_id: text(&REQUEST_ID)
            .filter(|_| is_from_proxy(app.config(), request))
            .filter(|id| is_request_id(id))
            // A token that is sent in this header by mistake must not reach the log.
            .filter(|id| !token::is_well_formed(app.config().tokens.prefix.as_str(), id))
            .map_or_else(|| app.draw_request_id(), Arc::from),
        address: Some(client_address(app.config(), request)),
        user_agent: text(&header::USER_AGENT).map_or_else(Arc::default, without_disguise),
        route: None,
        has_false_actor: false,
    }
}

/// The trace of a request, if a trusted proxy sends one: others could add to any trace.
pub fn trace(app: &App, request: &HttpRequest) -> Option<TraceContext> {
    let header = request.headers().get(&TRACE)?.to_str().ok()?;
    TraceContext::parse(header).filter(|_| is_from_proxy(app.config(), request))
}

/// A text without characters that are invisible or change the text around them.
fn without_disguise(text: &str) -> Arc<str> {
    match text.chars().any(is_disguise) {
        true => text
            .chars()
            .filter(|c| !is_disguise(*c))
            .collect::<String>()
            .into(),
        false => text.into(),
    }
}

/// Whether a request id from a proxy is safe to log and to echo.
fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Rejects a request that a trusted proxy received over plain http if the public URL is https.
/// There is no redirect: the client would not notice that it exposed its secrets.
pub fn check_transport(app: &App, request: &HttpRequest) -> Result<(), Failure> {
    // Proxies append to the protocol of the proxy before them, so the first one is that of the
    // client. A client that lies about it exposes only itself.
    let protocols = request.headers().get_all(header::X_FORWARDED_PROTO);
    let is_plain = protocols
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .find(|protocol| !protocol.is_empty())
        .is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"http"));
    let is_refused = is_plain
        && app.config().server.public_url.is_https()
        && is_from_proxy(app.config(), request);
    if is_refused {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::warn!(
                "A request came over plain http, as the proxy says in X-Forwarded-Proto, but \
                 [server] public_url is https. If the client used https, let the proxy send \
                 X-Forwarded-Proto: https."
            );
        });
        Err(Failure::PlainHttp)
    } else {
        Ok(())
    }
}

/// Reads a body within [`BODY_LIMIT`] and [`BODY_TIMEOUT`].
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
            let chunk =
                chunk.map_err(|_| Failure::Malformed("The body ended early. Send all of it."))?;
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

/// Parses a form.
pub fn read_form(body: &[u8]) -> Result<Form, Failure> {
    Form::parse(body).map_err(|_| {
        Failure::Malformed("The form has a broken percent escape or a NUL, or is not UTF-8.")
    })
}

/// Reads the query string.
pub fn query(request: &HttpRequest) -> Result<Form, Failure> {
    read_form(request.query_string().as_bytes())
}

/// Value of the `Authorization` header. Fails if it is repeated.
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

/// Credentials of an authorization scheme, compared without case. `None` for another scheme.
pub fn of_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    name.eq_ignore_ascii_case(scheme).then_some(rest.trim())
}

/// Bearer token (RFC 6750 section 2.1). `None` if there is none; tokens in queries and bodies are
/// ignored.
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

/// User that the operator acts for. `None` if the header is absent. Only valid for requests with
/// the operator token; other callers cannot use the header.
pub fn actor(app: &App, request: &HttpRequest) -> Result<Option<UserId>, Failure> {
    user_named_in(request, &app.config().operator.actor_header)
}

/// Whether a request has the actor header, which only the operator may send.
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
            "The actor header is repeated. Name one user to act for.",
        ));
    }
    match value.to_str().ok().and_then(UserId::parse) {
        Some(id) => Ok(Some(id)),
        None => Err(Failure::Malformed(
            "The actor header is not a user id. Send usr_ and 32 hexadecimal digits.",
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
    fn actor_header_names_one_user_or_none() {
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
