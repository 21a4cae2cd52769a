//! Authentication by bearer token, and introspection (RFC 7662).

use crate::access::{ActiveToken, Found, Wanted, look_up};
use crate::audit::uses::{self, Purpose, UseDecision};
use crate::client::{self, Credentials};
use crate::decision::Named;
use crate::{Error, OAuthError, Request, device, throttle};
use domain::client::{Client, Credential};
use domain::decision::{self, AccessRequest};
use domain::secret::Secret;
use domain::token::Token;

/// Result of a look-up of an active token.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one call, and a box costs each request an allocation"
)]
enum Looked {
    /// The text is no token of this server.
    Malformed,
    /// No such token was issued.
    Unknown,
    /// The active token, or why it is refused.
    Token(Result<ActiveToken, Error>),
}

/// Looks up a token that is active and has some access to a resource. Records the use of an
/// inactive one and of one without access.
async fn look_up_active(req: &Request, text: &Secret, wanted: Wanted) -> Result<Looked, Error> {
    let Request { app, context, .. } = req;
    let (loaded, resource) = match look_up(app, text, wanted).await? {
        Found::Malformed => return Ok(Looked::Malformed),
        Found::Unknown => return Ok(Looked::Unknown),
        Found::Token(loaded, resource) => (loaded, resource),
    };
    let access_request = AccessRequest {
        scope: None,
        resource: &resource,
    };
    let decided = decision::decide(&loaded.facts, access_request);
    let loaded_at = loaded.active_at(app, &resource);
    if let Ok(active) = &loaded_at {
        device::note_use(app, &active.token);
    }
    let note = |token: &Token, decision| {
        uses::note(app, context, token, decision, Purpose::default());
    };
    Ok(Looked::Token(match (loaded_at, decided) {
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

/// Authenticates a request to Doorcode's own API; `None` if the token was never issued. Fails
/// with [`Error::Unauthenticated`] for an inactive token, without a reason, and with
/// [`Error::Forbidden`] for one without any access.
pub async fn authenticate(req: &Request, text: &Secret) -> Result<Option<ActiveToken>, Error> {
    match look_up_active(req, text, Wanted::Own).await? {
        Looked::Token(active) => active.map(Some),
        Looked::Malformed | Looked::Unknown => Ok(None),
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
        Looked::Token(active) => {
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
        Looked::Unknown => {
            let client_id = match introspector {
                Introspector::Client(client) => Some(client.id.as_str()),
                Introspector::Operator => None,
            };
            Box::pin(throttle::count(app, &throttle::unknown_token(client_id))).await?;
            Ok(None)
        }
        Looked::Malformed => Ok(None),
    }
}
