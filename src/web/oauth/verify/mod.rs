//! `/auth/verify`: a proxy asks whether a request may pass to the API behind it.
//!
//! The token is the bearer token in `Authorization`; no other part of the request counts as one.
//! The access rule comes from one of three sources:
//!
//! - **The route table.** The proxy names the request in `X-Original-Method` and
//!   `X-Original-URI`, or in `X-Forwarded-Method` and `X-Forwarded-Uri`: both headers of a
//!   family, each once, and equal values if both families are present. `X-Original-URL`, with a
//!   whole URL, stands for `X-Original-URI`, and must name the same target if both are present.
//!   Any other combination may come from the client and is denied.
//! - **The query**, which the proxy's configuration fixes: `scope`, and one of `project` and
//!   `organization`. A misspelt, empty or repeated parameter is denied, since ignoring it would
//!   allow more than intended.
//! - **The path below `/auth/verify/`**, for the external authorization of Envoy, which sends the
//!   request's own method, prefixes its path, and takes only 200 as permission: the route table
//!   applies to the method and the path of the verify request itself. (A `#` in the path and the
//!   text after it are not visible here; Envoy rejects such paths.)
//!
//! Some proxies append the client's query to the verify URL, which would let a client choose the
//! scope that it needs. A client can also guess the proxy's query and send it in its own, so the
//! two cannot always be distinguished. If a request is named, the table therefore decides unless
//! a parameter of the query cannot come from the client, and the query decides if a parameter can
//! come from the proxy. A query that may come from either must pass both checks, so the client
//! gains nothing.
//!
//! A request that reached the proxy over plain http is refused although its token may be right,
//! since the token may have been seen. Public routes need no token; they are allowed, for an unknown
//! caller. `[server] allow_http` lifts the rule.
//!
//! nginx handles 2xx, 401 and 403 and turns any other status into an error. The endpoint sends
//! only these, and 5xx if the check fails: a malformed `Authorization` is 401, although RFC 6750
//! section 3.1 requires 400. `insufficient_scope` is the only RFC 6750 code for missing privileges,
//! so it also stands for refusals of tokens that have all scopes.

mod refusal;
mod requested;

use super::anonymous;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::idempotency_key::idempotency_key;
use crate::web::surface;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use app::access::{Caller, LoadedOwner, check_actor};
use app::decision::{self, Allowed, Subject, VerifyRequest};
use app::{App, Request, access::Denial};
use refusal::Refusal;
use requested::{AccessRule, RequestedAccess, UNNAMED, by_table, requested, unclear};

/// Path of the endpoint.
pub const ADDRESS: &str = "/auth/verify";

/// Whether a path is [`ADDRESS`] or below it.
pub fn is_at(path: &str) -> bool {
    path.strip_prefix(ADDRESS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Accepts any method at [`ADDRESS`] and below. Ignores the body.
pub async fn verify(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    // The raw path: decoding would make `%2F` equal to `/`.
    let (requested, yes) = match request.uri().path().strip_prefix(ADDRESS) {
        Some("") => (requested(&app, &request), StatusCode::NO_CONTENT),
        Some(target) => {
            let method = request.method().as_str();
            (by_table(&app, method, target), StatusCode::OK)
        }
        None => (Err(unclear(UNNAMED)), StatusCode::OK),
    };
    if !app.config().server.allow_http
        && let Err(plain) = extract::check_transport(&app, &request)
    {
        return match requested {
            Ok(requested) if requested.is_public() => Ok(identify(&app, None, yes)),
            _ => Err(plain),
        };
    }
    let route = requested
        .as_ref()
        .ok()
        .and_then(|requested| requested.route.clone());
    let mut req = anonymous(&app, &request);
    req.context.route = Some(route.as_deref().unwrap_or(ADDRESS).into());
    request.extensions_mut().insert(req.context.clone());
    let mut verification = Verification {
        req,
        request: &request,
        subject: None,
    };
    let allowed = verification.decide(requested).await;
    verification.note_use(allowed.as_ref().err());
    Ok(identify(&app, allowed?, yes))
}

/// State of one verify request.
struct Verification<'a> {
    req: Request,
    request: &'a HttpRequest,
    /// Token of the last access request.
    subject: Option<Subject>,
}

impl Verification<'_> {
    async fn ask(&mut self, verify_request: VerifyRequest) -> Result<Allowed, Failure> {
        let token = extract::bearer(self.request)?.ok_or(Failure::NoToken)?;
        let decided = decision::verify(&self.req, &token, verify_request).await?;
        self.subject = decided.subject;
        if matches!(decided.answer, Ok(Allowed::Operator(_))) {
            return Box::pin(self.operator()).await;
        }
        decided
            .answer
            .map_err(|error| match (error, &self.subject) {
                // A known token gets a usage record; an unknown one gets a record of the refusal.
                (app::Error::Unauthenticated, None) => Failure::InvalidToken,
                (error, _) => Failure::App(error),
            })
    }

    /// The operator, and the user that the actor header names.
    async fn operator(&mut self) -> Result<Allowed, Failure> {
        let app = &self.req.app;
        let actor = extract::actor(app, self.request)?;
        // Without an actor, the decision needs no database.
        if let Some(user_id) = &actor {
            check_actor(app, &Caller::Operator(actor.clone())).await?;
            if let Some(subject) = &mut self.subject {
                subject.act_for(user_id.clone());
            }
        }
        Ok(Allowed::Operator(actor))
    }

    /// Checks all access rules. `None` if the route is public and the caller is unknown.
    async fn decide(
        &mut self,
        requested: Result<RequestedAccess, Failure>,
    ) -> Result<Option<Allowed>, Failure> {
        let RequestedAccess {
            rules, needs_key, ..
        } = match requested {
            Ok(requested) => requested,
            // An unauthenticated caller gets no further information.
            Err(failure) => {
                self.ask(VerifyRequest::default()).await?;
                return Err(failure);
            }
        };
        let mut allowed = None;
        for access_rule in rules {
            let next = match access_rule {
                AccessRule::Token(verify_request) => Some(self.ask(verify_request).await?),
                AccessRule::Operator => match self.ask(VerifyRequest::default()).await? {
                    operator @ Allowed::Operator(_) => Some(operator),
                    Allowed::Token(..) => {
                        return Err(app::Error::from(Denial::OperatorRequired).into());
                    }
                },
                AccessRule::Nothing => match self.ask(VerifyRequest::default()).await {
                    Err(failure) if Refusal::of(&failure).is_some() => None,
                    known => Some(known?),
                },
            };
            allowed = both(allowed, next)?;
        }
        if needs_key {
            idempotency_key(self.request)?;
        }
        Ok(allowed)
    }

    /// Records the use of the token with the final decision.
    fn note_use(&self, failure: Option<&Failure>) {
        let refused = failure.map(|failure| match failure {
            Failure::App(error) => error.code(),
            Failure::KeyRequired | Failure::KeyInvalid => refusal::code(failure),
            _ => "forbidden",
        });
        if let Some(subject) = &self.subject {
            subject.note(&self.req.app, &self.req.context, refused);
        }
    }
}

/// Combines two permissions: the one that names an organization wins. Different organizations are
/// denied, since the API could not know which one the request is about.
fn both(one: Option<Allowed>, other: Option<Allowed>) -> Result<Option<Allowed>, Failure> {
    match (&one, &other) {
        (Some(Allowed::Token(_, Some(a))), Some(Allowed::Token(_, Some(b)))) if a != b => Err(
            unclear("The query and the route table name different organizations. Name one."),
        ),
        (Some(Allowed::Token(_, None)) | None, Some(_)) => Ok(other),
        _ => Ok(one),
    }
}

/// Response that allows the request, with headers that identify the caller to the API.
fn identify(app: &App, allowed: Option<Allowed>, yes: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::build(yes);
    match allowed {
        None => {}
        Some(Allowed::Operator(actor)) => {
            if let Some(id) = actor {
                response.insert_header(("x-auth-user-id", id.as_str()));
            }
            let scopes = app.config().scopes.names().to_string();
            response.insert_header(("x-auth-token-kind", "operator"));
            response.insert_header(("x-auth-scopes", scopes));
        }
        Some(Allowed::Token(active, organization)) => {
            if let LoadedOwner::User(owner) = &active.loaded_owner {
                response.insert_header(("x-auth-user-id", owner.user.id.as_str()));
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

/// Writes errors with a challenge (RFC 6750 section 3).
pub async fn surface(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    surface::answer_any_transport(request, next, |app, _, failure, request_id| {
        refusal::write(app, failure, request_id)
    })
    .await
}
