//! Tokens: creating, listing, renaming, rotating and revoking them, and loading their owners.

mod choices;
mod confirm;
mod create;
mod draw;
mod introspect;
mod list;
mod policy_check;
mod rename;
mod revoke;
mod rotate;
mod search;

pub use choices::{Choices, choices, own_refusal};
pub use confirm::confirm;
pub use create::{CreateToken, create, form_nonce_for, token_of_form};
pub(super) use create::{NamedLimits, SCOPE_REQUIRED, find_limits};
pub(super) use draw::{draw, insert};
pub use introspect::{Introspector, authenticate, introspect, introspector};
pub(super) use list::keep_managed;
pub use list::{
    Creator, Listed, count_living, find, find_listed, find_successor, list, list_descendants,
    list_living, list_own_descendants, review_revocation,
};
pub use rename::rename;
pub use revoke::{Before, Ended, Revoked, give_back, revoke, revoke_all, revoke_matching};
pub(super) use revoke::{deny_approved, end_all, end_with_descendants, revoke_unused};
pub use rotate::{DEFAULT_OVERLAP, LONGEST_OVERLAP, rotate};
pub(super) use search::contains;
pub use search::{FoundTokens, SEARCHED, SHOWN, TokenPart, TokenSearch, TokenSort, search};
pub use store::descendants::Review;

use super::Error;
use super::access::{Caller, Denial, find_organization};
use super::tx::Tx;
use domain::id::TokenId;
use domain::role::Role;
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::token::{State, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;
use store::Conn;

/// The scope for reading tokens.
pub const READ: &str = "tokens:read";

/// The scope for changing tokens.
pub const WRITE: &str = "tokens:write";

/// A new token, with its secret, which is shown once.
pub struct NewToken {
    /// The token.
    pub token: Token,
    /// The token's text.
    pub secret: Secret,
}

/// The owner of the tokens in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerRef {
    /// The caller.
    Own,
    /// The organization with this id or slug.
    Organization(String),
}

/// The tokens that the caller may access with this scope. Those of an organization are for its
/// admins and owners. A change first locks the owner of the tokens.
fn visible(tx: &mut Tx<'_>, owner_ref: &OwnerRef, scope: &str) -> Result<VisibleTokens, Error> {
    if tx.locks() {
        lock_named(tx, owner_ref)?;
    }
    let owner = match owner_ref {
        OwnerRef::Own => {
            let owner = tx.caller().owner()?;
            tx.require_scope(scope)?;
            owner
        }
        OwnerRef::Organization(named) => {
            TokenOwner::Organization(tx.organization(named, scope, Role::Admin)?.id)
        }
    };
    Ok(VisibleTokens::new(owner, tx.limits()?))
}

/// Locks the owner, before the caller's permissions are read for a change of its tokens. While a
/// token is being revoked, no server can create another with it.
fn lock_named(tx: &mut Tx<'_>, owner_ref: &OwnerRef) -> Result<(), Error> {
    let caller = tx.caller();
    match owner_ref {
        OwnerRef::Own => match caller.owner() {
            Ok(owner) => lock_owner(tx.conn, &owner),
            Err(_) => Ok(()),
        },
        OwnerRef::Organization(named) => {
            if let Some(id) = caller.user_id() {
                store::user::lock_user_shared(tx.conn, id)?;
            }
            match find_organization(tx.conn, named)? {
                Some(found) => lock_owner(tx.conn, &TokenOwner::Organization(found.id)),
                None => Ok(()),
            }
        }
    }
}

/// Locks a token owner against concurrent creation and revocation of its tokens.
fn lock_owner(conn: &mut Conn, owner: &TokenOwner) -> Result<(), Error> {
    match owner {
        TokenOwner::User(id) => store::user::lock_user_exclusive(conn, id)?,
        TokenOwner::Organization(id) => {
            store::org::lock_organization(conn, id)?;
        }
    }
    Ok(())
}

/// Locks the calling token, if any, that creates a token or an invitation: a concurrent revocation
/// must not miss the new one. Fails with [`Error::Unauthenticated`] if the calling token has ended.
pub(super) fn lock_creator(tx: &mut Tx<'_>) -> Result<Option<Token>, Error> {
    let Caller::Token(active) = tx.caller() else {
        return Ok(None);
    };
    store::token::lock_token(tx.conn, &active.token.id)?
        .filter(|token| token.state(tx.now) == State::Live)
        .map(Some)
        .ok_or(Error::Unauthenticated)
}

/// The tokens with which a token was created, the nearest first.
fn ancestors(tx: &mut Tx<'_>, token: &Token) -> Result<Vec<TokenId>, Error> {
    let mut found: Vec<TokenId> = Vec::new();
    let mut next = token.made_by_token.clone();
    while let Some(id) = next.filter(|id| !found.contains(id)) {
        next = store::token::find_token(tx.conn, &id)?.and_then(|token| token.made_by_token);
        found.push(id);
    }
    Ok(found)
}

/// Fails if the caller is a token without one of these scopes: a token can pass on only its own.
fn require_own_scopes(tx: &mut Tx<'_>, scopes: &ScopeSet) -> Result<(), Error> {
    match tx.scopes()? {
        Some(own) if matches!(tx.caller(), Caller::Token(_)) && !scopes.is_subset(&own) => {
            Err(Denial::BeyondToken.into())
        }
        _ => Ok(()),
    }
}

/// The visible token with this id.
fn find_within(tx: &mut Tx<'_>, visible: &VisibleTokens, id: &str) -> Result<Token, Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    store::token::find_token(tx.conn, &id)?
        .filter(|token| visible.covers(token))
        .ok_or(Error::NotFound)
}
