//! Introspection (RFC 7662).

use super::anonymous;
use super::parameters::{Encoding, credentials, read, required};
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::{HttpRequest, HttpResponse, web};
use app::access::LoadedOwner;
use app::audit::uses::{self, Purpose, UseDecision, Used};
use app::decision::Named;
use app::token::{self, Introspector};
use app::{App, Request, operator};
use domain::secret::Secret;
use wire::form::Form;
use wire::oauth::{ActiveToken, IntrospectionResponse};

/// Whether a path is that of this endpoint.
pub fn is_at(path: &str) -> bool {
    path == "/auth/introspect"
}

/// `POST /auth/introspect`.
pub async fn introspect(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let parameters = read(&request, payload, Encoding::Form).await?;
    let req = anonymous(&app, &request);
    let introspector = introspector(&req, &request, &parameters).await?;
    let text = required(&parameters, "token", "The token is missing.")?;
    let named = named(&parameters)?;
    let active = token::introspect(&req, &introspector, &Secret::new(text), named).await?;
    let issuer = app.config().server.public_url.as_str();
    Ok(HttpResponse::Ok().json(IntrospectionResponse {
        active: active.is_some(),
        token: active.map(|active| describe(&active, issuer)),
    }))
}

/// The resource that the introspection is about, if the request names one.
fn named(parameters: &Form) -> Result<Option<Named>, Failure> {
    // Ignoring an empty one would allow more than the API intended.
    let value = |name| parameters.all(name).next();
    match (value("organization"), value("project")) {
        (Some(_), Some(_)) => Err(Failure::Malformed(
            "The request names an organization and a project. Send only one of them.",
        )),
        (Some(""), _) | (_, Some("")) => Err(Failure::Malformed(
            "The organization or project is empty. Name it, or leave the parameter out.",
        )),
        (Some(named), None) => Ok(Some(Named::Organization(named.to_owned()))),
        (None, Some(named)) => Ok(Some(Named::Project(named.to_owned()))),
        (None, None) => Ok(None),
    }
}

/// Authenticates the caller: a confidential client, or the operator by its bearer token.
async fn introspector(
    req: &Request,
    request: &HttpRequest,
    parameters: &Form,
) -> Result<Introspector, Failure> {
    let has_bearer = extract::authorization(request)?
        .and_then(|value| extract::of_scheme(value, "bearer"))
        .is_some();
    if has_bearer {
        if parameters.value("client_secret").is_some() {
            return Err(Failure::Malformed(
                "The request has a bearer token and a client secret. Send only one of them.",
            ));
        }
        let Request { app, context, .. } = req;
        return match extract::bearer(request)? {
            Some(token) if operator::is_operator(app, context, &token).await => {
                let (used, purpose) = (Used::operator(None), Purpose::default());
                uses::note(app, context, used, UseDecision::Allowed, purpose);
                Ok(Introspector::Operator)
            }
            _ => Err(Failure::InvalidToken),
        };
    }
    let has_credentials =
        extract::authorization(request)?.is_some() || parameters.value("client_id").is_some();
    if !has_credentials {
        return Err(Failure::NoToken);
    }
    let credentials = credentials(request, parameters)?;
    Ok(token::introspector(req, &credentials).await?)
}

fn describe(active: &app::access::ActiveToken, issuer: &str) -> ActiveToken {
    let token = &active.token;
    let user = match &active.loaded_owner {
        LoadedOwner::User(owner) => Some(&owner.user),
        LoadedOwner::Organization(_) => None,
    };
    ActiveToken {
        scope: active.scopes.to_string(),
        client_id: token.client_id.clone(),
        // Resource servers may grant rights by address, so an unverified one is not returned.
        username: user
            .filter(|user| user.email_verified_at.is_some())
            .map(|user| user.email.clone()),
        email_verified: user.map(|user| user.email_verified_at.is_some()),
        sub: token.owner.id().to_owned(),
        token_type: "Bearer".to_owned(),
        exp: active.ends_at().map(|at| at.timestamp()),
        iat: token.created_at.timestamp(),
        auth_time: token.confirmed_at.map(|at| at.timestamp()),
        iss: issuer.to_owned(),
        jti: token.id.to_string(),
        kind: token.owner.kind().to_owned(),
        organization: token.organization().map(ToString::to_string),
        projects: token
            .limits
            .projects
            .as_ref()
            .map(|projects| projects.iter().map(ToString::to_string).collect()),
    }
}
