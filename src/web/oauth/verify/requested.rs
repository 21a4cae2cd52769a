//! What a question demands: the headers and the query of a proxy, and what each of them says.

use crate::web::api::problem::Kind;
use crate::web::failure::Failure;
use actix_web::HttpRequest;
use app::App;
use app::decision::{Named, VerifyRequest};
use domain::route::{self, RouteResource};
use wire::form::{self, Form};

/// The headers in which proxies name the request that they ask about.
const FAMILIES: [(&str, &str); 2] = [
    ("x-original-method", "x-original-uri"),
    ("x-forwarded-method", "x-forwarded-uri"),
];

const SCOPE: &str = "scope";
const PROJECT: &str = "project";
const ORGANIZATION: &str = "organization";

/// What a proxy asks about a request.
pub(super) struct RequestedAccess {
    /// What the request must bring; all of it must be allowed.
    pub demands: Vec<AccessRule>,
    /// The route that it is, as the table has it.
    pub route: Option<String>,
}

/// What a request must bring.
pub(super) enum AccessRule {
    Nothing,
    Operator,
    Token(VerifyRequest),
}

/// Why a request that no route names is denied.
pub(super) const UNNAMED: &str =
    "The route table does not name this request, so nobody may send it.";

/// A question that gets a no, whoever asks.
pub(super) fn unclear(why: &'static str) -> Failure {
    Failure::Problem(Kind::Forbidden, why)
}

/// What is asked at the address itself.
pub(super) fn requested(app: &App, request: &HttpRequest) -> Result<RequestedAccess, Failure> {
    let query = request.query_string();
    let Some((method, target)) = named_request(request)? else {
        return match query.is_empty() {
            true => Err(unclear(
                "Nothing is asked: name the request in X-Original-Method and X-Original-URI, or \
                 what it needs in the query.",
            )),
            false => Ok(RequestedAccess {
                demands: vec![by_query(query)?],
                route: None,
            }),
        };
    };
    let is_clients_own = is_clients_own(query, target);
    let mut requested = match is_clients_own {
        true => by_table(app, method, target)?,
        false => RequestedAccess {
            demands: Vec::new(),
            route: None,
        },
    };
    if !is_clients_own || is_question(query) {
        requested.demands.push(by_query(query)?);
    }
    Ok(requested)
}

/// The method and the target of the request that the proxy names.
fn named_request(request: &HttpRequest) -> Result<Option<(&str, &str)>, Failure> {
    let mut named = None;
    for (method, target) in FAMILIES {
        let pair = match (header(request, method)?, header(request, target)?) {
            (None, None) => continue,
            (Some(method), Some(target)) => (method, target),
            _ => {
                return Err(unclear(
                    "The method or the address of the request is missing.",
                ));
            }
        };
        if named.is_some_and(|other| other != pair) {
            return Err(unclear("The headers name two different requests."));
        }
        named = Some(pair);
    }
    Ok(named)
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Failure> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(value) if values.next().is_none() => Ok(Some(value)),
        _ => Err(unclear(
            "A header that names the request is repeated, or is not ASCII.",
        )),
    }
}

/// Whether a query may be that of the named request instead of the proxy's; no query is.
fn is_clients_own(query: &str, target: &str) -> bool {
    let (_path, own) = target.split_once('?').unwrap_or((target, ""));
    parameters(query).all(|parameter| parameters(own).any(|own| own == parameter))
}

/// Whether a query has a parameter with which a proxy asks.
fn is_question(query: &str) -> bool {
    parameters(query).any(|parameter| {
        let name = parameter.split_once('=').map_or(&*parameter, |pair| pair.0);
        [SCOPE, PROJECT, ORGANIZATION].contains(&name)
    })
}

/// The parameters of a query as the most lenient proxy would cut and decode them.
fn parameters(query: &str) -> impl Iterator<Item = String> {
    query
        .split(['&', ';', '#'])
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| form::decode(parameter).unwrap_or_else(|_| parameter.to_owned()))
}

fn by_query(query: &str) -> Result<AccessRule, Failure> {
    let query = Form::parse(query.as_bytes())
        .map_err(|_| unclear("The query has a broken percent escape, a NUL, or is not UTF-8."))?;
    if query
        .names()
        .any(|name| ![SCOPE, PROJECT, ORGANIZATION].contains(&name))
    {
        return Err(unclear(
            "The query is scope, and one of project and organization.",
        ));
    }
    let value = |name| match *query.all(name).collect::<Vec<_>>() {
        [] => Ok(None),
        [value] if !value.is_empty() => Ok(Some(value.to_owned())),
        _ => Err(unclear("A parameter of the query is empty or repeated.")),
    };
    Ok(AccessRule::Token(VerifyRequest {
        scope: value(SCOPE)?,
        resource: match (value(PROJECT)?, value(ORGANIZATION)?) {
            (None, None) => None,
            (Some(project), None) => Some(Named::Project(project)),
            (None, Some(organization)) => Some(Named::Organization(organization)),
            (Some(_), Some(_)) => {
                return Err(unclear(
                    "The query names both a project and an organization.",
                ));
            }
        },
    }))
}

/// What the route table demands of a request.
pub(super) fn by_table(app: &App, method: &str, target: &str) -> Result<RequestedAccess, Failure> {
    let found = app.config().routes.find(method, target);
    let (pattern, access_rule) = found.ok_or_else(|| unclear(UNNAMED))?;
    let access_rule = match access_rule {
        route::AccessRule::Public => AccessRule::Nothing,
        route::AccessRule::Operator => AccessRule::Operator,
        route::AccessRule::Token { scope, resource } => AccessRule::Token(VerifyRequest {
            scope: scope.map(|scope| scope.to_string()),
            resource: resource.map(|resource| match resource {
                RouteResource::Project(id) => Named::Project(id),
                RouteResource::Organization(id) => Named::Organization(id),
            }),
        }),
    };
    Ok(RequestedAccess {
        demands: vec![access_rule],
        route: Some(pattern.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_the_client_can_have_written_is_not_the_proxys() {
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
    fn a_query_is_a_question_if_a_lenient_proxy_finds_a_parameter_of_ours_in_it() {
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
            assert!(is_question(query), "{query}");
        }
        for query in ["", "&&", "page=2", "%zz", "Scope=a", "x=scope", "scopes=a"] {
            assert!(!is_question(query), "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_query_panics(query: String, target: String) {
            let _ = is_clients_own(&query, &target);
            let _ = is_question(&query);
            let _ = by_query(&query);
        }
    }
}
