//! Tokens that somebody presents: whether they can be used, and what they may do at this
//! moment.

use super::{OwnerStanding, find_owner};
use crate::app::client::{self, Credentials};
use crate::app::{App, Context, Error, OAuthError, throttle};
use crate::domain::client::{Client, Credential, Standing};
use crate::domain::scope::ScopeSet;
use crate::domain::secret::Secret;
use crate::domain::token::{self, Owner, State, Token};
use crate::store::{self, Conn};

/// A token that can be used, and what it may do at this moment.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The token.
    pub token: Token,
    /// What it may do: what it was granted and its owner's role still allows.
    pub scopes: ScopeSet,
    /// Its owner, if a person.
    pub owner: Option<OwnerStanding>,
}

/// What a look-up of a token's text found.
enum Found {
    /// It has not the form of a token of this deployment: no look-up was made.
    Malformed,
    /// It has the form, but nobody issued it.
    Unknown,
    /// It was issued, and cannot be used.
    Inactive,
    Active(Box<ActiveToken>),
}

/// Whether the client that a token was issued to may act; a token that a person made in the
/// console has none.
fn is_client_active(conn: &mut Conn, token: &Token) -> Result<bool, Error> {
    let Some(id) = &token.client_id else {
        return Ok(true);
    };
    let client = store::client::find_client(conn, id)?;
    Ok(client.is_some_and(|client| client.standing == Standing::Active))
}

async fn look_up(app: &App, text: &Secret) -> Result<Found, Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(Found::Malformed);
    }
    let (digest, now, handle) = (text.digest(), app.now(), app.clone());
    app.store()
        .read(move |conn| {
            let Some(token) = store::token::find_token_by_digest(conn, &digest)? else {
                return Ok(Found::Unknown);
            };
            if token.state(now) != State::Live || !is_client_active(conn, &token)? {
                return Ok(Found::Inactive);
            }
            let owner = match &token.owner {
                Owner::Account(id) => match find_owner(conn, id)? {
                    Some(owner) => Some(owner),
                    None => return Ok(Found::Inactive),
                },
                Owner::Organization(_) => None,
            };
            let scopes = match &owner {
                Some(owner) => owner.allowed(&handle, &token.scopes),
                None => token.scopes.intersection(&handle.config().scopes.names()),
            };
            Ok(Found::Active(Box::new(ActiveToken {
                token,
                scopes,
                owner,
            })))
        })
        .await
}

/// The token of a request to our own API. Fails with [`Error::Unauthenticated`] for every
/// token that cannot be used, without telling why.
pub async fn authenticate(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<ActiveToken, Error> {
    match look_up(app, text).await? {
        Found::Active(active) => {
            app.uses().note(&active.token, app.now(), context.source());
            Ok(*active)
        }
        _ => Err(Error::Unauthenticated),
    }
}

/// Who may introspect (RFC 7662 section 2.1).
pub enum Introspector {
    /// A confidential client.
    Client(Client),
    /// The operator.
    Operator,
}

/// A confidential client that may introspect. A public one cannot prove who it is.
pub async fn introspector(
    app: &App,
    context: &Context,
    credentials: &Credentials,
) -> Result<Introspector, Error> {
    let client = client::authenticate(app, context, credentials).await?;
    match client.credential {
        Credential::Confidential(_) => Ok(Introspector::Client(client)),
        Credential::Public => Err(Error::OAuth(
            OAuthError::InvalidClient,
            "Introspection needs a client with a secret, or the operator token.",
        )),
    }
}

/// Whether a text is the operator token.
pub fn is_operator(app: &App, text: &Secret) -> bool {
    app.0.secrets.operator_token.matches(&text.digest())
}

/// What a token may do now (RFC 7662); `None` for everything that is not an active token.
/// Guesses at tokens are counted for each caller.
pub async fn introspect(
    app: &App,
    context: &Context,
    caller: &Introspector,
    text: &Secret,
) -> Result<Option<ActiveToken>, Error> {
    match look_up(app, text).await? {
        Found::Active(active) => {
            app.uses().note(&active.token, app.now(), context.source());
            Ok(Some(*active))
        }
        Found::Unknown => {
            let client_id = match caller {
                Introspector::Client(client) => Some(client.id.as_str()),
                Introspector::Operator => None,
            };
            throttle::count(app, &throttle::unknown_token(client_id)).await?;
            Ok(None)
        }
        Found::Malformed | Found::Inactive => Ok(None),
    }
}
