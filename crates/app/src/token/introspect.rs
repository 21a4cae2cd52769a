//! Authentication by bearer token, and introspection (RFC 7662).

use crate::access::{ActiveToken, Found, look_up};
use crate::audit::uses::{self, Purpose, UseDecision};
use crate::client::{self, Credentials};
use crate::decision::{Named, find_named};
use crate::{Error, OAuthError, Request, throttle};
use domain::client::{Client, Credential};
use domain::decision::{self, AccessRequest, ResourceRef};
use domain::secret::Secret;
use domain::token::Token;

/// Looks up a token that is active and has some access to a resource. Records the use of an
/// inactive one and of one without access.
async fn look_up_active(
    req: &Request,
    text: &Secret,
    resource: Wanted,
) -> Result<Found<Result<ActiveToken, Error>>, Error> {
    let Request { app, context, .. } = req;
    let handle = app.clone();
    let found = look_up(app, text, move |conn, loaded| {
        let resource = match &resource {
            Wanted::Own => ResourceRef::Own,
            Wanted::Named(named) => find_named(conn, &loaded.token, named.as_ref())?,
        };
        let access_request = AccessRequest {
            scope: None,
            resource: &resource,
        };
        let decided = decision::decide(&loaded.facts, access_request);
        Ok((loaded.active_at(&handle, &resource), decided))
    })
    .await?;
    let (active, decided) = match found {
        Found::Malformed => return Ok(Found::Malformed),
        Found::Unknown => return Ok(Found::Unknown),
        Found::Token(found) => found,
    };
    let note = |token: &Token, decision| {
        uses::note(app, context, token, decision, Purpose::default());
    };
    Ok(Found::Token(match (active, decided) {
        (Err(inactive), _) => {
            note(&inactive.token, UseDecision::Inactive(inactive.why));
            Err(Error::Unauthenticated)
        }
        (Ok(active), Err(reason)) => {
            let denied = Error::from(reason);
            note(&active.token, UseDecision::Refused(denied.code()));
            Err(denied)
        }
        (Ok(active), Ok(_)) => {
            app.uses().note(&active.token, app.now(), context.source());
            Ok(active)
        }
    }))
}

/// The resource that a token must have access to.
enum Wanted {
    /// The owner's own resources in Doorcode.
    Own,
    /// The resource that a request names, if any.
    Named(Option<Named>),
}

/// Authenticates a request to Doorcode's own API; `None` if the token was never issued. Fails
/// with [`Error::Unauthenticated`] for an inactive token, without a reason, and with
/// [`Error::Forbidden`] for one without any access.
pub async fn authenticate(req: &Request, text: &Secret) -> Result<Option<ActiveToken>, Error> {
    match look_up_active(req, text, Wanted::Own).await? {
        Found::Token(active) => active.map(Some),
        Found::Malformed | Found::Unknown => Ok(None),
    }
}

/// Authenticated caller of the introspection endpoint (RFC 7662 section 2.1).
pub enum Introspector {
    /// A confidential client.
    Client(Client),
    /// The operator.
    Operator,
}

/// Authenticates a client for introspection. Only a confidential one can prove its identity.
pub async fn introspector(req: &Request, credentials: &Credentials) -> Result<Introspector, Error> {
    let client = client::authenticate(req, credentials).await?;
    match client.credential {
        Credential::Confidential(_) => Ok(Introspector::Client(client)),
        Credential::Public => Err(Error::OAuth(
            OAuthError::InvalidClient,
            "Introspection needs a client with a secret, or the operator token.",
        )),
    }
}

/// Introspects a token for a resource (RFC 7662), with the scopes that are usable for it; `None` if
/// the token is not active or has no access to the resource. Unknown tokens are counted for each
/// caller, as guesses.
pub async fn introspect(
    req: &Request,
    introspector: &Introspector,
    text: &Secret,
    named: Option<Named>,
) -> Result<Option<ActiveToken>, Error> {
    let Request { app, context, .. } = req;
    match look_up_active(req, text, Wanted::Named(named)).await? {
        Found::Token(active) => {
            let active = active.ok();
            if let Some(active) = &active {
                uses::note(
                    app,
                    context,
                    &active.token,
                    UseDecision::Allowed,
                    Purpose::default(),
                );
            }
            Ok(active)
        }
        Found::Unknown => {
            let client_id = match introspector {
                Introspector::Client(client) => Some(client.id.as_str()),
                Introspector::Operator => None,
            };
            throttle::count(app, &throttle::unknown_token(client_id)).await?;
            Ok(None)
        }
        Found::Malformed => Ok(None),
    }
}
