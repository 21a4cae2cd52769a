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
//! let a client choose the scope that it needs; and a client can write into its own query what
//! it guesses that the proxy asks, so that the one cannot be told from the other. So where a
//! request is named, the table decides unless something in the query cannot be the client's,
//! and the query decides if anything in it can be the proxy's: one that may be either must be
//! allowed by both. Whichever of the two was meant, the client has gained nothing.
//!
//! nginx knows 2xx, 401 and 403, and makes an error of everything else. So these are the
//! answers, and 5xx when nobody could look: a malformed `Authorization` is 401, although RFC
//! 6750 section 3.1 has 400 for it. Why a token with all scopes is refused has no name there
//! but `insufficient_scope`, which stands for all that takes higher privileges.

mod requested;

use super::challenge;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::surface;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use app::decision::{self, Allowed, Subject, VerifyRequest};
use app::token::LoadedOwner;
use app::{App, Context, caller::Denial};
use requested::{AccessRule, UNNAMED, by_table, requested, unclear};
use wire::oauth::ErrorResponse;

/// The address.
pub const ADDRESS: &str = "/auth/verify";

/// Any method, at the address and below it. The body is not read.
pub async fn verify(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    // As the path came: decoded, `%2F` could not be told from `/`.
    let (requested, yes) = match request.uri().path().strip_prefix(ADDRESS) {
        Some("") => (requested(&app, &request), StatusCode::NO_CONTENT),
        Some(target) => {
            let method = request.method().as_str();
            (by_table(&app, method, target), StatusCode::OK)
        }
        None => (Err(unclear(UNNAMED)), StatusCode::OK),
    };
    let route = requested
        .as_ref()
        .ok()
        .and_then(|requested| requested.route.clone());
    let context = Context {
        route: route.or_else(|| Some(ADDRESS.to_owned())),
        ..extract::context_of(&app, &request)
    };
    request.extensions_mut().insert(context.clone());
    let mut verification = Verification {
        app: &app,
        request: &request,
        context,
        subject: None,
    };
    let allowed = verification
        .decide(requested.map(|requested| requested.demands))
        .await;
    verification.note_use(allowed.as_ref().err());
    Ok(identify(&app, allowed?, yes))
}

/// A question under way.
struct Verification<'a> {
    app: &'a App,
    request: &'a HttpRequest,
    context: Context,
    /// The token that the last question was about.
    subject: Option<Subject>,
}

impl Verification<'_> {
    async fn ask(&mut self, verify_request: VerifyRequest) -> Result<Allowed, Failure> {
        let token = extract::bearer(self.request)?.ok_or(Failure::NoToken)?;
        let decided = decision::verify(self.app, &self.context, &token, verify_request).await?;
        self.subject = decided.subject;
        decided
            .answer
            .map_err(|error| match (error, &self.subject) {
                // The use of a known token is recorded; an unknown one leaves a refusal.
                (app::Error::Unauthenticated, None) => Failure::InvalidToken,
                (error, _) => Failure::App(error),
            })
    }

    /// Who may send the request; `None` if anybody may and nobody is known.
    async fn decide(
        &mut self,
        demands: Result<Vec<AccessRule>, Failure>,
    ) -> Result<Option<Allowed>, Failure> {
        let demands = match demands {
            Ok(demands) => demands,
            // Whoever cannot say who it is learns nothing else.
            Err(failure) => {
                self.ask(VerifyRequest::default()).await?;
                return Err(failure);
            }
        };
        let mut allowed = None;
        for access_rule in demands {
            let next = match access_rule {
                AccessRule::Token(verify_request) => Some(self.ask(verify_request).await?),
                AccessRule::Operator => match self.ask(VerifyRequest::default()).await? {
                    Allowed::Operator => Some(Allowed::Operator),
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
        Ok(allowed)
    }

    /// Notes the use of the token, with the last word on it.
    fn note_use(&self, failure: Option<&Failure>) {
        let refused = failure.map(|failure| match failure {
            Failure::App(error) => error.code(),
            _ => "forbidden",
        });
        if let Some(subject) = &self.subject {
            subject.note(self.app, &self.context, refused);
        }
    }
}

/// What the API is told where two demands are met: the answer that names an organization. Two
/// that name different ones would leave open where the request acts.
fn both(one: Option<Allowed>, other: Option<Allowed>) -> Result<Option<Allowed>, Failure> {
    match (&one, &other) {
        (Some(Allowed::Token(_, Some(a))), Some(Allowed::Token(_, Some(b)))) if a != b => Err(
            unclear("The query and the route table name different organizations."),
        ),
        (Some(Allowed::Token(_, None)) | None, Some(_)) => Ok(other),
        _ => Ok(one),
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
            Failure::App(app::Error::Unauthenticated) | Failure::InvalidToken => unauthorized(
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
