//! Tokens: making, showing, revoking them, and what they may do at this moment.

use super::client::Credentials;
use super::session::SignedIn;
use super::{App, Context, Error, OAuthError, client, throttle};
use crate::config::Lifetime;
use crate::domain::account::{Account, Standing};
use crate::domain::audit::{Action, Actor};
use crate::domain::client::{Client, Credential};
use crate::domain::id::{AccountId, TokenId};
use crate::domain::org::{self, Membership};
use crate::domain::scope::{ScopeName, ScopeSet};
use crate::domain::secret::{Digest, Secret};
use crate::domain::token::{self, Owner, RevocationReason, State, Token};
use crate::domain::{self, Fault, Instant};
use crate::store::{self, Conn};
use serde_json::json;

/// A new token, with its secret, which is shown once.
pub struct NewToken {
    /// The token.
    pub token: Token,
    /// Its text.
    pub secret: Secret,
}

/// What is drawn at random for a token before its transaction begins.
pub(super) struct Draft {
    id: TokenId,
    hint: String,
    at: Instant,
    /// The token's text.
    pub(super) secret: Secret,
}

/// Draws what a new token needs.
pub(super) fn draft(app: &App) -> Draft {
    let prefix = app.config().tokens.prefix.as_str();
    let secret = token::write(prefix, &app.random());
    let at = app.now();
    Draft {
        id: TokenId::new(at, app.id_seed()),
        hint: token::hint(prefix, &secret),
        at,
        secret,
    }
}

impl Draft {
    /// The token, without an end and not asked for by any client.
    pub(super) fn token(&self, owner: Owner, name: String, scopes: ScopeSet) -> Token {
        Token {
            id: self.id.clone(),
            owner,
            name,
            scopes,
            hint: self.hint.clone(),
            client_id: None,
            device_name: None,
            created_at: self.at,
            expires_at: None,
            last_use: None,
            revocation: None,
        }
    }
}

/// When a token of this lifetime ends that is made now.
pub fn end_of(lifetime: Lifetime, now: Instant) -> Option<Instant> {
    match lifetime {
        Lifetime::Never => None,
        Lifetime::For(duration) => chrono::Duration::from_std(duration)
            .ok()
            .and_then(|duration| now.checked_add_signed(duration)),
    }
}

/// What a person asks of a new token.
pub struct Wish {
    /// The name.
    pub name: String,
    /// The names of the scopes.
    pub scopes: Vec<String>,
    /// The choice of `Expires`.
    pub expires: String,
    /// The date, if the choice is `custom`.
    pub expires_on: Option<String>,
}

/// Makes a personal token. Its scopes are of the catalogue, and such as the person's role
/// allows.
pub async fn create(
    app: &App,
    context: &Context,
    person: &SignedIn,
    wish: Wish,
) -> Result<NewToken, Error> {
    let mut faults = Vec::new();
    let name = domain::name("name", &wish.name).unwrap_or_else(|fault| {
        faults.push(fault);
        String::new()
    });
    let scopes: ScopeSet = wish
        .scopes
        .iter()
        .filter_map(|name| {
            let known =
                ScopeName::parse(name).filter(|name| app.config().scopes.find(name).is_some());
            if known.is_none() {
                faults.push(Fault::new(
                    "scope",
                    "One of the scopes does not exist. Choose from the list.",
                ));
            }
            known
        })
        .collect();
    let now = app.now();
    let latest = end_of(app.config().tokens.max_expiry, now);
    let expires_at = token::expiry(&wish.expires, wish.expires_on.as_deref(), now, latest)
        .unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }

    let draft = draft(app);
    let owner = Owner::Account(person.account.id.clone());
    let token = Token {
        expires_at,
        ..draft.token(owner, name, scopes)
    };
    let (row, digest) = (token.clone(), draft.secret.digest());
    let event = app.event(context, person.actor(), Action::TokenCreated);
    let (handle, account_id) = (app.clone(), person.account.id.clone());
    app.store()
        .write(move |conn| {
            let owner = hold_owner(conn, &account_id)?.ok_or(Error::Unauthenticated)?;
            if owner.allowed(&handle, &row.scopes) != row.scopes {
                return Err(
                    Fault::new("scope", "Your role does not allow one of these scopes.").into(),
                );
            }
            insert(conn, &event, &row, &digest)
        })
        .await?;
    Ok(NewToken {
        token,
        secret: draft.secret,
    })
}

/// Stores a token with its audit record.
pub(super) fn insert(
    conn: &mut Conn,
    event: &super::Event,
    token: &Token,
    digest: &Digest,
) -> Result<(), Error> {
    store::token::insert_token(conn, token, digest)?;
    event.write(
        conn,
        Some(token.id.as_str()),
        json!({
            "name": token.name,
            "scopes": token.scopes.to_string(),
            "expires_at": token.expires_at.map(|at| at.to_rfc3339()),
            "client_id": token.client_id,
        }),
    )
}

/// A person and their part in organizations: what their tokens' power depends on.
#[derive(Debug, Clone)]
pub struct OwnerStanding {
    /// The person.
    pub account: Account,
    /// Their organizations and roles.
    pub memberships: Vec<Membership>,
}

impl OwnerStanding {
    /// The part of `scopes` that the owner's role allows at this moment.
    pub(super) fn allowed(&self, app: &App, scopes: &ScopeSet) -> ScopeSet {
        app.config()
            .scopes
            .allowed(scopes, org::highest_role(&self.memberships))
    }
}

/// An active person's standing.
fn find_owner(conn: &mut Conn, id: &AccountId) -> Result<Option<OwnerStanding>, Error> {
    let account = store::account::find_account(conn, id)?;
    with_memberships(conn, account)
}

/// An active person's standing, which cannot end before this transaction does.
pub(super) fn hold_owner(conn: &mut Conn, id: &AccountId) -> Result<Option<OwnerStanding>, Error> {
    let account = store::account::hold_account(conn, id)?;
    with_memberships(conn, account)
}

fn with_memberships(
    conn: &mut Conn,
    account: Option<Account>,
) -> Result<Option<OwnerStanding>, Error> {
    account
        .filter(|account| account.standing == Standing::Active)
        .map(|account| {
            Ok(OwnerStanding {
                memberships: store::org::list_memberships(conn, &account.id)?,
                account,
            })
        })
        .transpose()
}

/// The scopes that a person can put into a token.
pub async fn grantable(app: &App, person: &SignedIn) -> Result<ScopeSet, Error> {
    let id = person.account.id.clone();
    let standing = app
        .store()
        .read(move |conn| find_owner(conn, &id))
        .await?
        .ok_or(Error::Unauthenticated)?;
    Ok(standing.allowed(app, &app.config().scopes.names()))
}

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
            if token.state(now) != State::Live {
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
            let caller = match caller {
                Introspector::Client(client) => client.id.as_str(),
                Introspector::Operator => "operator",
            };
            throttle::count(app, &throttle::unknown_token(caller)).await?;
            Ok(None)
        }
        Found::Malformed | Found::Inactive => Ok(None),
    }
}

/// A client gives a token back (RFC 7009). A token that another client was given is refused;
/// one that a person made in the console belongs to whoever holds it. Unknown tokens and
/// repetitions are no fault.
pub async fn give_back(
    app: &App,
    context: &Context,
    client: &Client,
    text: &Secret,
) -> Result<(), Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(());
    }
    let (digest, now) = (text.digest(), app.now());
    let actor = Actor::Client(client.id.clone());
    let event = app.event(context, actor.clone(), Action::TokenRevoked);
    let client_id = client.id.clone();
    app.store()
        .write(move |conn| {
            let Some(token) = store::token::find_token_by_digest(conn, &digest)? else {
                return Ok(());
            };
            if token.client_id.as_ref().is_some_and(|id| *id != client_id) {
                return Err(Error::OAuth(
                    OAuthError::InvalidGrant,
                    "The token was issued to another client.",
                ));
            }
            revoke_one(
                conn,
                &event,
                &token.id,
                actor.label(),
                RevocationReason::Client,
                now,
            )
        })
        .await
}

fn revoke_one(
    conn: &mut Conn,
    event: &super::Event,
    id: &TokenId,
    by: &str,
    reason: RevocationReason,
    now: Instant,
) -> Result<(), Error> {
    if store::token::mark_revoked(conn, id, by, reason, now)? {
        event.write(conn, Some(id.as_str()), json!({"reason": reason.as_str()}))?;
    }
    Ok(())
}

/// A person's tokens, the newest first.
pub async fn list(app: &App, person: &SignedIn) -> Result<Vec<Token>, Error> {
    let id = person.account.id.clone();
    app.store()
        .read(move |conn| Ok(store::token::list_tokens(conn, &id)?))
        .await
}

/// One of a person's tokens.
pub async fn find(app: &App, person: &SignedIn, id: &TokenId) -> Result<Token, Error> {
    let (account_id, id) = (person.account.id.clone(), id.clone());
    app.store()
        .read(move |conn| store::token::find_token(conn, &account_id, &id)?.ok_or(Error::NotFound))
        .await
}

/// Revokes one of a person's tokens. Doing it twice is no fault.
pub async fn revoke(
    app: &App,
    context: &Context,
    person: &SignedIn,
    id: &TokenId,
) -> Result<(), Error> {
    let event = app.event(context, person.actor(), Action::TokenRevoked);
    let (account_id, id, now) = (person.account.id.clone(), id.clone(), app.now());
    app.store()
        .write(move |conn| {
            store::token::find_token(conn, &account_id, &id)?.ok_or(Error::NotFound)?;
            let by = account_id.as_str();
            revoke_one(conn, &event, &id, by, RevocationReason::Owner, now)
        })
        .await
}

/// Revokes all of a person's tokens; tells how many were alive.
pub async fn revoke_all(app: &App, context: &Context, person: &SignedIn) -> Result<usize, Error> {
    let event = app.event(context, person.actor(), Action::TokenRevoked);
    let (account_id, now) = (person.account.id.clone(), app.now());
    app.store()
        .write(move |conn| {
            let reason = RevocationReason::RevokeAll;
            let by = account_id.as_str();
            let ended = store::token::mark_all_revoked(conn, &account_id, by, reason, now)?;
            if !ended.is_empty() {
                let tokens: Vec<_> = ended.iter().map(TokenId::as_str).collect();
                event.write(
                    conn,
                    Some(by),
                    json!({"tokens": tokens, "reason": reason.as_str()}),
                )?;
            }
            Ok(ended.len())
        })
        .await
}
