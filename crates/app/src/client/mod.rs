//! OAuth clients: registration and authentication.

mod change;

pub(crate) use change::ensure;
pub use change::{
    UpdateClient, count_tokens, ensure_cli, remove, rotate_secret, scope_for_cli, update,
};

use super::{App, Error, OAuthError, Request, org, throttle, token};
use domain::Fault;
use domain::audit::Action;
use domain::client::{self, Client, ClientSecret, Credential, Standing};
use domain::page::Page;
use domain::scope::{Catalogue, ScopeName, ScopeSet};
use domain::secret::Secret;
use serde_json::json;

/// Client credentials of a request (RFC 6749 section 2.3).
pub enum Credentials {
    /// The client id alone.
    Id(String),
    /// The client id with an empty secret in the header, which counts as no secret (RFC 6749
    /// section 2.3.1).
    EmptySecret(String),
    /// The client id and secret, in the header or in the form.
    IdAndSecret(String, Secret),
}

impl Credentials {
    fn client_id(&self) -> &str {
        match self {
            Self::Id(id) | Self::EmptySecret(id) | Self::IdAndSecret(id, _) => id,
        }
    }
}

const INVALID_CLIENT: Error = Error::OAuth(
    OAuthError::InvalidClient,
    "The client is unknown or its credentials are wrong.",
);

/// Authenticates a client. A confidential client must send its secret; a public one must not send
/// any (RFC 6749 section 2.3). Wrong secrets are counted.
pub async fn authenticate(req: &Request, credentials: &Credentials) -> Result<Client, Error> {
    let client = find(&req.app, credentials.client_id()).await?;
    match (client, credentials) {
        (Some(client), Credentials::Id(_) | Credentials::EmptySecret(_))
            if client.credential == Credential::Public =>
        {
            active(client)
        }
        (client, Credentials::IdAndSecret(_, secret)) => {
            let is_right = client
                .as_ref()
                .is_some_and(|client| match &client.credential {
                    Credential::Confidential(known) => {
                        known.matches(&secret.digest(), req.app.now())
                    }
                    Credential::Public => false,
                });
            match client {
                Some(client) if is_right => active(client),
                client => {
                    // The right secret always succeeds: 256 bits cannot be guessed, and an
                    // attacker must not be able to lock out the API. The throttle limits the work
                    // of wrong guesses.
                    let id = client.as_ref().map(|client| client.id.as_str());
                    let guess = throttle::client_secret(id, req.context.source());
                    Box::pin(throttle::count(&req.app, &guess)).await?;
                    Err(INVALID_CLIENT)
                }
            }
        }
        _ => Err(INVALID_CLIENT),
    }
}

fn active(client: Client) -> Result<Client, Error> {
    match client.standing {
        Standing::Active => Ok(client),
        Standing::Disabled => Err(INVALID_CLIENT),
    }
}

/// The client with this id.
pub(super) async fn find(app: &App, id: &str) -> Result<Option<Client>, Error> {
    Ok(app.store().find(id.to_owned()).await?)
}

/// Input of a client registration.
pub struct NewClient {
    /// The `client_id`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// The scopes that it may request.
    pub scopes: ScopeChoice,
    /// The scopes of a request that names none. Empty means all scopes of the client but
    /// [`LASTING`].
    pub default_scopes: Vec<String>,
    /// Public or confidential.
    pub kind: Kind,
}

/// The scopes that an operator allows a client.
#[derive(Debug, Clone)]
pub enum ScopeChoice {
    /// All but [`LASTING`].
    All,
    /// These.
    These(Vec<String>),
}

/// The scopes with which a token creates what can outlast a sign-in. A client may request one only
/// if the operator lists it, and gets none without requesting it: a single approval by mistake must
/// not have lasting effects.
pub const LASTING: [&str; 2] = [token::WRITE, org::WRITE];

/// Scopes without these built-in ones.
fn without(scopes: &ScopeSet, names: &[&str], catalogue: &Catalogue) -> ScopeSet {
    let dropped: Vec<_> = names
        .iter()
        .filter_map(|name| catalogue.built_in(name))
        .map(|scope| &scope.name)
        .collect();
    let kept = scopes.iter().filter(|name| !dropped.contains(name));
    kept.cloned().collect()
}

/// Client type (RFC 6749 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A client without a secret.
    Public,
    /// A client with a secret.
    Confidential,
}

/// A newly registered client, with its secret if it is confidential.
#[derive(Clone)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// The client secret, shown once.
    pub secret: Option<Secret>,
}

/// Registers a client. The secret is returned once; only its digest is stored.
pub async fn register(req: &Request, new: NewClient) -> Result<Registered, Error> {
    req.caller.require_operator()?;
    let catalogue = &req.app.config().scopes;
    let mut faults = Vec::new();
    let mut check = |result: Result<String, Fault>| {
        result.unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let names = req.app.names();
    let id = check(client::id(&new.id).and_then(|id| names.check("client_id", &id)));
    let name = check(names.check("name", &new.name));
    let scopes = new.scopes.read(catalogue, &mut faults);
    let mut default_scopes =
        read_scopes("default_scope", &new.default_scopes, catalogue, &mut faults);
    if new.default_scopes.is_empty() {
        default_scopes = without(&scopes, &LASTING, catalogue);
    }
    if !default_scopes.is_subset(&scopes) {
        faults.push(not_allowed());
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults.into()));
    }

    let kind = new.kind;
    let public = Client {
        id,
        name,
        credential: Credential::Public,
        scopes,
        default_scopes,
        standing: Standing::Active,
        follows_settings: false,
    };
    req.change(Action::ClientCreated, move |tx| {
        let secret = (kind == Kind::Confidential).then(|| Secret::from_random(&tx.random::<32>()));
        let client = Client {
            credential: match &secret {
                Some(secret) => Credential::Confidential(ClientSecret::new(secret.digest())),
                None => Credential::Public,
            },
            ..public.clone()
        };
        store::client::insert_client(tx.conn, &client, tx.now).map_err(|error| match error {
            store::Error::Duplicate => Error::Conflict("There is a client with this id."),
            error => error.into(),
        })?;
        let detail = json!({"scopes": client.scopes.to_string()});
        tx.record(Some(client.id.as_str()), detail)?;
        ensure(tx, tx.config())?;
        Ok(Registered { client, secret })
    })
    .await
}

fn read_scopes(
    field: &'static str,
    names: &[String],
    catalogue: &Catalogue,
    faults: &mut Vec<Fault>,
) -> ScopeSet {
    let read = |name: &String| {
        let known = ScopeName::parse(name).filter(|name| catalogue.find(name).is_some());
        if known.is_none() {
            faults.push(Fault::new(field, format!("There is no scope `{name}`.")));
        }
        known
    };
    names.iter().filter_map(read).collect()
}

/// The fault of a default scope outside of the client's scopes.
fn not_allowed() -> Fault {
    Fault::new(
        "default_scope",
        "Each default scope must be one that the client may ask for.",
    )
}

/// Lists clients by id: one page plus one entry if more follow.
pub async fn list(req: &Request, page: &Page) -> Result<Vec<Client>, Error> {
    req.caller.require_operator()?;
    let page = page.clone();
    req.read(move |tx| Ok(store::client::list_clients(tx.conn, &page)?))
        .await
}

/// The ids of the other clients with the name of this one, which users cannot tell apart.
pub async fn namesakes(req: &Request, client: &Client) -> Result<Vec<String>, Error> {
    req.caller.require_operator()?;
    let (id, name) = (client.id.clone(), client.name.clone());
    req.read(move |tx| {
        let mut found = store::client::find_ids_by_name(tx.conn, &name)?;
        found.retain(|other| *other != id);
        Ok(found)
    })
    .await
}

/// One client, for the operator.
pub async fn show(req: &Request, id: &str) -> Result<Client, Error> {
    req.caller.require_operator()?;
    find(&req.app, id).await?.ok_or(Error::NotFound)
}
