//! `/auth/verify`: the question of a proxy whether a request may pass to the API behind it.
//!
//! The token is the bearer token in `Authorization`, and nothing else of the request is one.
//! What it must be allowed is said in one of three ways:
//!
//! - **By the route table.** The proxy names the request in `X-Original-Method` and
//!   `X-Original-URI`, or in `X-Forwarded-Method` and `X-Forwarded-Uri`: both of a family,
//!   each once, and the same in both families if both are there. Whatever else comes under
//!   these names may be the client's doing, and is denied.
//! - **By the query**, which the proxy's configuration fixes: `scope`, and one of `project`
//!   and `organization`. What is misspelt, empty or repeated is denied, since to pass over it
//!   would open more than was meant.
//! - **Below `/auth/verify/`**, for the external authorization of Envoy, which sends the
//!   request's own method, puts a prefix before its path, and takes 200 alone for a yes: the
//!   route table again, by the method and the path of the question itself. (A `#` in it, and
//!   what follows, is not seen here; Envoy refuses such paths.)
//!
//! Some proxies hand the client's own query on to the address that they ask, where it would
//! let a client choose the scope that it needs. So the query decides only if the proxy can
//! have written it: one whose every parameter is also in the named request's own query is
//! passed over, and the table decides.
//!
//! nginx knows 2xx, 401 and 403, and makes an error of everything else. So these are the
//! answers, and 5xx when nobody could look: a malformed `Authorization` is 401, although RFC
//! 6750 section 3.1 has 400 for it. Why a token with all scopes is refused has no name there
//! but `insufficient_scope`, which stands for all that takes higher privileges.

use super::challenge;
use crate::app::decision::{self, Allowed, Named, Question};
use crate::app::token::Holder;
use crate::app::{self, App, caller::Denial};
use crate::domain::route::{self, Place};
use crate::web::api::problem::Kind;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::surface;
use crate::wire::form::{self, Form};
use crate::wire::oauth::ErrorResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};

/// The address.
pub const ADDRESS: &str = "/auth/verify";

/// The headers in which proxies name the request that they ask about.
const FAMILIES: [(&str, &str); 2] = [
    ("x-original-method", "x-original-uri"),
    ("x-forwarded-method", "x-forwarded-uri"),
];

const SCOPE: &str = "scope";
const PROJECT: &str = "project";
const ORGANIZATION: &str = "organization";

/// What a request must bring.
enum Demand {
    Nothing,
    Operator,
    Token(Question),
}

/// Any method, at the address and below it. The body is not read.
pub async fn verify(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    // As the path came: decoded, `%2F` could not be told from `/`.
    let (demand, yes) = match request.uri().path().strip_prefix(ADDRESS) {
        Some("") => (asked(&app, &request), StatusCode::NO_CONTENT),
        Some(target) => {
            let method = request.method().as_str();
            (by_table(&app, method, target), StatusCode::OK)
        }
        None => (Err(unclear(UNNAMED)), StatusCode::OK),
    };
    let allowed = decide(&app, &request, demand).await?;
    Ok(identify(&app, allowed, yes))
}

const UNNAMED: &str = "The route table does not name this request, so nobody may send it.";

/// A question that gets a no, whoever asks.
fn unclear(why: &'static str) -> Failure {
    Failure::Problem(Kind::Forbidden, why)
}

/// What is asked at the address itself.
fn asked(app: &App, request: &HttpRequest) -> Result<Demand, Failure> {
    let query = request.query_string();
    match named_request(request)? {
        Some((method, target)) if is_clients_own(query, target) => by_table(app, method, target),
        None if query.is_empty() => Err(unclear(
            "Nothing is asked: name the request in X-Original-Method and X-Original-URI, or \
             what it needs in the query.",
        )),
        _ => by_query(query),
    }
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

/// The parameters of a query as the most lenient proxy would cut and decode them.
fn parameters(query: &str) -> impl Iterator<Item = String> {
    query
        .split(['&', ';', '#'])
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| form::decode(parameter).unwrap_or_else(|_| parameter.to_owned()))
}

fn by_query(query: &str) -> Result<Demand, Failure> {
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
    Ok(Demand::Token(Question {
        scope: value(SCOPE)?,
        place: match (value(PROJECT)?, value(ORGANIZATION)?) {
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

fn by_table(app: &App, method: &str, target: &str) -> Result<Demand, Failure> {
    match app.config().routes.find(method, target) {
        None => Err(unclear(UNNAMED)),
        Some(route::Demand::Public) => Ok(Demand::Nothing),
        Some(route::Demand::Operator) => Ok(Demand::Operator),
        Some(route::Demand::Token { scope, place }) => Ok(Demand::Token(Question {
            scope: scope.map(|scope| scope.to_string()),
            place: place.map(|place| match place {
                Place::Project(id) => Named::Project(id),
                Place::Organization(id) => Named::Organization(id),
            }),
        })),
    }
}

/// Who may send the request; `None` if anybody may and nobody is known.
async fn decide(
    app: &App,
    request: &HttpRequest,
    demand: Result<Demand, Failure>,
) -> Result<Option<Allowed>, Failure> {
    let ask = async |question| {
        let token = extract::bearer(request)?.ok_or(Failure::NoToken)?;
        let context = extract::context_of(app, request);
        Ok(decision::verify(app, &context, &token, question).await?)
    };
    match demand {
        Ok(Demand::Token(question)) => ask(question).await.map(Some),
        Ok(Demand::Operator) => match ask(Question::default()).await? {
            Allowed::Operator => Ok(Some(Allowed::Operator)),
            Allowed::Token(..) => Err(app::Error::from(Denial::OperatorRequired).into()),
        },
        Ok(Demand::Nothing) => match ask(Question::default()).await {
            Err(failure) if Refusal::of(&failure).is_some() => Ok(None),
            known => known.map(Some),
        },
        // Whoever cannot say who it is learns nothing else.
        Err(failure) => {
            ask(Question::default()).await?;
            Err(failure)
        }
    }
}

/// A yes, with what the API is told of the caller.
fn identify(app: &App, allowed: Option<Allowed>, yes: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::build(yes);
    match allowed {
        None => {}
        Some(Allowed::Operator) => {
            let scopes = app.config().scopes.names().to_string();
            response.insert_header(("x-auth-token-kind", "operator"));
            response.insert_header(("x-auth-scopes", scopes));
        }
        Some(Allowed::Token(active, organization)) => {
            if let Holder::Person(owner) = &active.holder {
                response.insert_header(("x-auth-user-id", owner.account.id.as_str()));
            }
            response.insert_header(("x-auth-token-id", active.token.id.as_str()));
            response.insert_header(("x-auth-token-kind", active.token.owner.kind()));
            response.insert_header(("x-auth-scopes", active.scopes.to_string()));
            if let Some(organization) = organization {
                response.insert_header(("x-auth-organization-id", organization.as_str()));
            }
        }
    }
    response.finish()
}

/// Answers errors with a challenge (RFC 6750 section 3).
pub async fn surface(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer(app, request, next, |app, failure, _| write(app, failure)).await
}

/// A no, as RFC 6750 section 3 has it.
struct Refusal<'a> {
    status: StatusCode,
    /// `None` where no token came, and so none was wrong.
    error: Option<&'static str>,
    /// The scope that would have been needed.
    scope: Option<&'a str>,
    description: &'a str,
}

impl<'a> Refusal<'a> {
    /// The refusal that a failure is; `None` if it is a fault of ours.
    fn of(failure: &'a Failure) -> Option<Self> {
        let unauthorized = |error, description| Self {
            status: StatusCode::UNAUTHORIZED,
            error,
            scope: None,
            description,
        };
        let forbidden = |scope, description| Self {
            status: StatusCode::FORBIDDEN,
            error: Some("insufficient_scope"),
            scope,
            description,
        };
        Some(match failure {
            Failure::NoToken => unauthorized(None, "Send a token as Authorization: Bearer."),
            Failure::App(app::Error::Unauthenticated) => unauthorized(
                Some("invalid_token"),
                "The token is unknown, has expired or was revoked.",
            ),
            Failure::Malformed(what) => unauthorized(Some("invalid_request"), what),
            Failure::PlainHttp => unauthorized(Some("invalid_request"), "Use https."),
            Failure::App(app::Error::Forbidden(Denial::Scope(scope))) => {
                forbidden(Some(scope.as_str()), "The token lacks the scope.")
            }
            Failure::App(app::Error::Forbidden(Denial::OperatorRequired)) => {
                forbidden(None, "Only the operator may do this.")
            }
            Failure::Problem(_, why) => forbidden(None, why),
            failure if failure.status().is_server_error() => return None,
            _ => forbidden(None, "The token may not do this here."),
        })
    }
}

fn write(app: &App, failure: &Failure) -> HttpResponse {
    let Some(refusal) = Refusal::of(failure) else {
        return super::write(failure);
    };
    let error = refusal.error.map(|error| format!(r#", error="{error}""#));
    let scope = refusal.scope.map(|scope| format!(r#", scope="{scope}""#));
    let wrong = error.unwrap_or_default() + &scope.unwrap_or_default();
    HttpResponse::build(refusal.status)
        .insert_header((header::WWW_AUTHENTICATE, challenge(app, &wrong)))
        .json(ErrorResponse {
            error: refusal.error.unwrap_or("unauthorized").to_owned(),
            error_description: Some(refusal.description.to_owned()),
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

    proptest::proptest! {
        #[test]
        fn no_query_panics(query: String, target: String) {
            let _ = is_clients_own(&query, &target);
            let _ = by_query(&query);
        }
    }
}
