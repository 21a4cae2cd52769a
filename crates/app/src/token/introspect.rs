//! Authentication by bearer token, and introspection (RFC 7662).

use crate::access::{ActiveToken, Found, look_up};
use crate::audit::uses::{self, Purpose};
use crate::client::{self, Credentials};
use crate::{App, Context, Error, OAuthError, Request, throttle};
use domain::client::{Client, Credential};
use domain::decision::{self, AccessRequest, ResourceRef};
use domain::secret::Secret;

/// The minimal access request, which any token with some access satisfies.
const ANY_ACCESS: AccessRequest<'_> = AccessRequest {
    scope: None,
    resource: &ResourceRef::Any,
};

/// Looks up an active token. Records the use of an inactive one.
async fn look_up_active(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<Found<Option<ActiveToken>>, Error> {
    let handle = app.clone();
    let found = look_up(app, text, move |_, loaded| Ok(loaded.active(&handle))).await?;
    Ok(match found {
        Found::Malformed => Found::Malformed,
        Found::Unknown => Found::Unknown,
        Found::Token(Err(inactive)) => {
            uses::note(
                app,
                context,
                &*inactive.token,
                inactive.why,
                Purpose::default(),
            );
            Found::Token(None)
        }
        Found::Token(Ok(active)) => Found::Token(Some(active)),
    })
}

/// Authenticates a request to Doorcode's own API; `None` if the token was never issued. Fails
/// with [`Error::Unauthenticated`] for an inactive token, without a reason, and with
/// [`Error::Forbidden`] for one without any access.
pub async fn authenticate(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<Option<ActiveToken>, Error> {
    match look_up_active(app, context, text).await? {
        Found::Token(Some(active)) => {
            require_allowed(app, context, &active)?;
            app.uses().note(&active.token, app.now(), context.source());
            Ok(Some(active))
        }
        Found::Token(None) => Err(Error::Unauthenticated),
        Found::Malformed | Found::Unknown => Ok(None),
    }
}

/// Refuses a token that no policy allows, and records its use.
fn require_allowed(app: &App, context: &Context, active: &ActiveToken) -> Result<(), Error> {
    decision::decide(&active.facts, ANY_ACCESS)
        .map(drop)
        .map_err(|refusal| {
            let denied = Error::from(refusal);
            let (why, purpose) = (denied.code(), Purpose::default());
            uses::note(app, context, &active.token, why, purpose);
            denied
        })
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

/// Introspects a token (RFC 7662); `None` if it is not active. Unknown tokens are counted for
/// each caller, as guesses.
pub async fn introspect(
    req: &Request,
    introspector: &Introspector,
    text: &Secret,
) -> Result<Option<ActiveToken>, Error> {
    let Request { app, context, .. } = req;
    match look_up_active(app, context, text).await? {
        Found::Token(active) => {
            // For introspection, a token without any access counts as inactive.
            let active = active.filter(|active| require_allowed(app, context, active).is_ok());
            if let Some(active) = &active {
                app.uses().note(&active.token, app.now(), context.source());
                uses::note(
                    app,
                    context,
                    &active.token,
                    uses::ALLOWED,
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
