//! Tokens: making and showing them, and the standing of their owners.

mod active;
mod by_token;
mod revocation;

pub use active::{ActiveToken, Introspector, authenticate, introspect, introspector, is_operator};
pub use by_token::{create_by_token, list_by_token, position};
pub use revocation::{give_back, revoke, revoke_all};

use super::session::SignedIn;
use super::{App, Context, Error};
use crate::config::Lifetime;
use crate::domain::account::{Account, Standing};
use crate::domain::audit::Action;
use crate::domain::id::{AccountId, TokenId};
use crate::domain::org::{self, Membership};
use crate::domain::scope::{ScopeName, ScopeSet};
use crate::domain::secret::{Digest, Secret};
use crate::domain::token::{self, Owner, Token};
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
    /// What the form was given by [`reserve`], if it has it still.
    pub reservation: Option<String>,
}

/// Reserves an id for the token that a form is to make, so that the form makes one token
/// however often it is sent: reloading the page that showed it must not make another.
pub fn reserve(app: &App, person: &SignedIn) -> String {
    write_reservation(app, person, &TokenId::new(app.now(), app.id_seed()))
}

fn write_reservation(app: &App, person: &SignedIn, id: &TokenId) -> String {
    let mac = app
        .key()
        .authenticate("new-token", &[person.session.id.as_str(), id.as_str()]);
    format!("{id}.{}", mac.as_str())
}

fn read_reservation(app: &App, person: &SignedIn, text: &str) -> Option<TokenId> {
    let id = TokenId::parse(text.split('.').next()?)?;
    let written = write_reservation(app, person, &id);
    let is_ours: bool = subtle::ConstantTimeEq::ct_eq(written.as_bytes(), text.as_bytes()).into();
    is_ours.then_some(id)
}

/// The name, the scopes and the end that a wish means. `scopes` is what its sender calls the
/// scopes.
fn checked(
    app: &App,
    wish: &Wish,
    scopes: &'static str,
) -> Result<(String, ScopeSet, Option<Instant>), Error> {
    let field = scopes;
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
                    field,
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
    Ok((name, scopes, expires_at))
}

/// Makes a personal token. Fails with [`Error::Conflict`] if its form has made one before. Its
/// scopes are of the catalogue, and such as the person's role
/// allows.
pub async fn create(
    app: &App,
    context: &Context,
    person: &SignedIn,
    wish: Wish,
) -> Result<NewToken, Error> {
    let (name, scopes, expires_at) = checked(app, &wish, "scope")?;
    let draft = draft(app);
    let owner = Owner::Account(person.account.id.clone());
    let reserved = wish
        .reservation
        .as_deref()
        .and_then(|text| read_reservation(app, person, text));
    let token = Token {
        id: reserved.unwrap_or_else(|| draft.id.clone()),
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
        .await
        .map_err(|error| match error {
            Error::Store(store::Error::Duplicate) => {
                Error::Conflict("This form has made its token.")
            }
            error => error,
        })?;
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
