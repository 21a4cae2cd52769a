//! Reads the required access from the headers and the query of a proxy.

use crate::web::failure::Failure;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use app::App;
use app::decision::{Named, VerifyRequest};
use domain::route::{self, RouteResource};
use wire::form::{self, Form};

static ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
static ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
/// Header with the whole URL instead of the path and query, as ingress-nginx sends it.
static ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");
static FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
static FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// Headers in which proxies name the method and the target of the request to verify. The targets
/// of a family must be equal.
static FAMILIES: [(&HeaderName, &[&HeaderName]); 2] = [
    (&ORIGINAL_METHOD, &[&ORIGINAL_URI, &ORIGINAL_URL]),
    (&FORWARDED_METHOD, &[&FORWARDED_URI]),
];

const SCOPE: &str = "scope";
const PROJECT: &str = "project";
const ORGANIZATION: &str = "organization";

/// Access that a request needs.
pub(super) struct RequestedAccess {
    /// Access rules; the request must satisfy all.
    pub rules: Vec<AccessRule>,
    /// Pattern of the matching route in the route table.
    pub route: Option<String>,
    /// Whether the request needs an Idempotency-Key.
    pub needs_key: bool,
}

impl RequestedAccess {
    /// Whether every caller may send the request.
    pub(super) fn is_public(&self) -> bool {
        self.rules
            .iter()
            .all(|rule| matches!(rule, AccessRule::Nothing))
    }
}

/// Access rule for a request.
pub(super) enum AccessRule {
    Nothing,
    Operator,
    Token(VerifyRequest),
}

/// Reason to deny a request that no route matches.
pub(super) const UNNAMED: &str =
    "The route table has no route for this request. Ask the operator to add one.";

/// Denies a verify request for every caller.
pub(super) fn unclear(why: &'static str) -> Failure {
    Failure::Denied(why)
}

/// Reads a verify request to [`super::ADDRESS`] itself.
pub(super) fn requested(app: &App, request: &HttpRequest) -> Result<RequestedAccess, Failure> {
    let query = request.query_string();
    let Some((method, target)) = named_request(request)? else {
        return match query.is_empty() {
            true => Err(unclear(
                "The verify request names no request. Send X-Original-Method and X-Original-URI, \
                 or scope, project or organization in the query.",
            )),
            false => Ok(RequestedAccess {
                rules: vec![by_query(query)?],
                route: None,
                needs_key: false,
            }),
        };
    };
    let is_clients_own = is_clients_own(query, target);
    let mut requested = match is_clients_own {
        true => by_table(app, method, target)?,
        false => RequestedAccess {
            rules: Vec::new(),
            route: None,
            needs_key: false,
        },
    };
    if !is_clients_own || is_verify_query(query) {
        requested.rules.push(by_query(query)?);
    }
    Ok(requested)
}

/// Method and target of the request that the proxy names.
fn named_request(request: &HttpRequest) -> Result<Option<(&str, &str)>, Failure> {
    let mut named = None;
    for (method, targets) in FAMILIES {
        let pair = match (header(request, method)?, named_target(request, targets)?) {
            (None, None) => continue,
            (Some(method), Some(target)) => (method, target),
            _ => {
                return Err(unclear(
                    "The method or the target of the request is missing. Send both headers.",
                ));
            }
        };
        if named.is_some_and(|other| other != pair) {
            return Err(TWO_REQUESTS);
        }
        named = Some(pair);
    }
    Ok(named)
}

const TWO_REQUESTS: Failure = Failure::Denied("The headers name two different requests. Name one.");

/// Target in one of the headers, or the same one in several.
fn named_target<'a>(
    request: &'a HttpRequest,
    names: &[&HeaderName],
) -> Result<Option<&'a str>, Failure> {
    let mut named = None;
    for name in names {
        let Some(value) = header(request, name)? else {
            continue;
        };
        let target = match *name == ORIGINAL_URL {
            true => target_of_url(value).ok_or(unclear(
                "X-Original-URL is neither a path nor an http or https URL with a path.",
            ))?,
            false => value,
        };
        if named.is_some_and(|other| other != target) {
            return Err(TWO_REQUESTS);
        }
        named = Some(target);
    }
    Ok(named)
}

/// Path and query of an http or https URL, or of a text that begins with its path.
///
/// Proxies build the URL from the client's `Host`, which may have any character. The host must
/// therefore be a plain one, directly before the path: otherwise `a?` or `a/public?` would move the
/// beginning of the path.
fn target_of_url(url: &str) -> Option<&str> {
    if url.starts_with('/') {
        return Some(url);
    }
    let (scheme, rest) = url.split_once("://")?;
    let is_http = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let (host, target) = rest.split_at(rest.find('/')?);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    (is_http && !host.is_empty() && host.bytes().all(is_plain)).then_some(target)
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(value) if values.next().is_none() => Ok(Some(value)),
        _ => Err(unclear(
            "A header that names the request is repeated or not ASCII. Send it once.",
        )),
    }
}

/// Whether the named request's own query contains the whole query; an empty query counts.
fn is_clients_own(query: &str, target: &str) -> bool {
    let (_path, own) = target.split_once('?').unwrap_or((target, ""));
    parameters(query).all(|parameter| parameters(own).any(|own| own == parameter))
}

/// Whether a query has a parameter of the verify endpoint.
fn is_verify_query(query: &str) -> bool {
    parameters(query).any(|parameter| {
        let name = parameter.split_once('=').map_or(&*parameter, |pair| pair.0);
        [SCOPE, PROJECT, ORGANIZATION].contains(&name)
    })
}

/// Parameters of a query, split and decoded as by the most lenient proxy.
fn parameters(query: &str) -> impl Iterator<Item = String> {
    query
        .split(['&', ';', '#'])
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| form::decode(parameter).unwrap_or_else(|_| parameter.to_owned()))
}

fn by_query(query: &str) -> Result<AccessRule, Failure> {
    let query = Form::parse(query.as_bytes())
        .map_err(|_| unclear("The query has a broken percent escape or a NUL, or is not UTF-8."))?;
    if query
        .names()
        .any(|name| ![SCOPE, PROJECT, ORGANIZATION].contains(&name))
    {
        return Err(unclear(
            "The query has an unknown parameter. Send scope, and project or organization.",
        ));
    }
    let value = |name| match *query.all(name).collect::<Vec<_>>() {
        [] => Ok(None),
        [value] if !value.is_empty() => Ok(Some(value.to_owned())),
        _ => Err(unclear(
            "A parameter of the query is empty or repeated. Send each once.",
        )),
    };
    Ok(AccessRule::Token(VerifyRequest {
        scope: value(SCOPE)?,
        role: None,
        resource: match (value(PROJECT)?, value(ORGANIZATION)?) {
            (None, None) => None,
            (Some(project), None) => Some(Named::Project(project)),
            (None, Some(organization)) => Some(Named::Organization(organization)),
            (Some(_), Some(_)) => {
                return Err(unclear(
                    "The query names a project and an organization. Name one.",
                ));
            }
        },
        max_age: None,
    }))
}

/// Access rule of the route that matches a request.
pub(super) fn by_table(app: &App, method: &str, target: &str) -> Result<RequestedAccess, Failure> {
    let found = app.config().routes.find(method, target);
    let (route, access_rule) = found.ok_or_else(|| unclear(UNNAMED))?;
    let access_rule = match access_rule {
        route::AccessRule::Public => AccessRule::Nothing,
        route::AccessRule::Operator => AccessRule::Operator,
        route::AccessRule::Token {
            scope,
            role,
            resource,
            max_age,
        } => AccessRule::Token(VerifyRequest {
            max_age,
            scope: scope.map(|scope| scope.to_string()),
            role,
            resource: resource.map(|resource| match resource {
                RouteResource::Project(id) => Named::Project(id),
                RouteResource::Organization(id) => Named::Organization(id),
                RouteResource::Configured(named) => Named::Configured(named),
            }),
        }),
    };
    Ok(RequestedAccess {
        rules: vec![access_rule],
        route: Some(route.pattern.to_string()),
        needs_key: route.idempotency_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_within_the_target_may_come_from_the_client() {
        for (query, target) in [
            ("", "/v1"),
            ("", "/v1?scope=a"),
            ("&&", "/v1"),
            ("scope=a", "/v1?scope=a"),
            ("scope=a", "/v1?x=%zz&scope=a"),
            ("scope=a", "/v1?x;scope=a"),
            ("scope=a", "/v1?x?&scope=%61"),
            ("scope=a+b", "/v1?scope=a%20b"),
            ("%zz", "/v1?%zz"),
            ("scope=a&project=p", "/v1?project=p&scope=a"),
            ("scope=a#b", "/v1?scope=a#b"),
        ] {
            assert!(is_clients_own(query, target), "{query} {target}");
        }
        for (query, target) in [
            ("scope=a", "/v1"),
            ("scope=a", "/v1?scope=b"),
            ("scope=a", "/v1/scope=a?page=2"),
            ("scope=a&project=p", "/v1?project=p"),
        ] {
            assert!(!is_clients_own(query, target), "{query} {target}");
        }
    }

    #[test]
    fn known_parameters_are_found_as_a_lenient_proxy_finds_them() {
        for query in [
            "scope=a",
            "scope",
            "page=2&project=p",
            "x;organization=acme",
            "sc%6Fpe=a",
            "scope%3Da",
            "scope=%zz",
            "#scope=a",
        ] {
            assert!(is_verify_query(query), "{query}");
        }
        for query in ["", "&&", "page=2", "%zz", "Scope=a", "x=scope", "scopes=a"] {
            assert!(!is_verify_query(query), "{query}");
        }
    }

    #[test]
    fn url_has_its_path_after_a_plain_host() {
        for (url, target) in [
            ("https://api.example.com/v1/apps?x=1", "/v1/apps?x=1"),
            ("HTTP://api.example.com:8443/", "/"),
            (
                "https://[2001:db8::1]:443/v1?a=https://b/c",
                "/v1?a=https://b/c",
            ),
            ("https://api.example.com//v1", "//v1"),
            ("/v1/apps?x=1", "/v1/apps?x=1"),
            ("//api.example.com/v1", "//api.example.com/v1"),
        ] {
            assert_eq!(target_of_url(url), Some(target), "{url}");
        }
        for url in [
            "",
            "v1/apps",
            "https://api.example.com",
            "https://api.example.com?/v1",
            "https://a?/v1/apps",
            "https://a#/v1/apps",
            "https://user@a/v1/apps",
            "https://a\\b/v1/apps",
            "https://a b/v1/apps",
            "https://a%2Fb/v1/apps",
            "https:///v1/apps",
            "https:/v1/apps",
            "ftp://a/v1/apps",
            "://a/v1/apps",
        ] {
            assert_eq!(target_of_url(url), None, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn queries_never_panic(query: String, target: String) {
            let _ = target_of_url(&target);
            let _ = is_clients_own(&query, &target);
            let _ = is_verify_query(&query);
            let _ = by_query(&query);
        }
    }
}
