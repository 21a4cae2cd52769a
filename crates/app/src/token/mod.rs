//! Tokens: creating, listing, rotating and revoking them, and loading their owners.

mod choices;
mod create;
mod introspect;
mod list;
mod policy_check;
mod prepared;
mod revoke;
mod rotate;

pub use choices::{Choices, choices};
pub use create::{CreateToken, create, form_nonce_for};
pub use introspect::{Introspector, authenticate, introspect, introspector};
pub use list::{Listed, find_listed, list_listed, list_living};
pub(super) use prepared::{PreparedToken, insert, prepared};
pub(super) use revoke::end_all;
pub use revoke::{Before, Ended, give_back, revoke, revoke_all, revoke_matching};
pub use rotate::{DEFAULT_OVERLAP, LONGEST_OVERLAP, rotate};

use super::access::{Authority, Caller, CheckedToken, check_policy, find_organization};
use super::{App, Error};
use domain::Instant;
use domain::decision::ResourceRef;
use domain::id::TokenId;
use domain::page::Page;
use domain::role::Role;
use domain::secret::Secret;
use domain::token::{State, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;
use store::Conn;

/// The scope for reading tokens.
const READ: &str = "tokens:read";

/// The scope for changing tokens.
const WRITE: &str = "tokens:write";

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

impl OwnerRef {
    /// Locks the owner, before the caller's permissions are read for a change of its tokens.
    /// While a token is being revoked, no server can create another with it.
    fn lock(&self, conn: &mut Conn, caller: &Caller) -> Result<(), Error> {
        match self {
            Self::Own => match caller.owner() {
                Ok(owner) => lock_owner(conn, &owner),
                Err(_) => Ok(()),
            },
            Self::Organization(named) => {
                if let Some(id) = caller.user_id() {
                    store::user::lock_user_shared(conn, id)?;
                }
                match find_organization(conn, named)? {
                    Some(found) => lock_owner(conn, &TokenOwner::Organization(found.id)),
                    None => Ok(()),
                }
            }
        }
    }

    /// The tokens that the caller may access with this scope. Those of an organization are for
    /// its admins and owners.
    fn visible(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        authority: &Authority,
        scope: &str,
    ) -> Result<VisibleTokens, Error> {
        let owner = match self {
            Self::Own => {
                let owner = caller.owner()?;
                authority.require_scope(scope, &ResourceRef::Any)?;
                owner
            }
            Self::Organization(named) => {
                let organization = authority.organization(conn, named, scope, Role::Admin)?;
                TokenOwner::Organization(organization.id)
            }
        };
        Ok(VisibleTokens::new(owner, authority.limits()))
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

/// Locks the calling token, if any, that creates another: a concurrent bulk revocation must not
/// miss the new token.
fn lock_creator(conn: &mut Conn, caller: &Caller, now: Instant) -> Result<(), Error> {
    let Caller::Token(active) = caller else {
        return Ok(());
    };
    store::token::lock_token(conn, &active.token.id)?
        .filter(|token| token.state(now) == State::Live)
        .map(drop)
        .ok_or(Error::Unauthenticated)
}

/// Lists tokens, newest first, including inactive ones: one page plus one entry if more follow.
pub async fn list(
    app: &App,
    caller: &Caller,
    owner_ref: &OwnerRef,
    page: &Page,
) -> Result<Vec<CheckedToken>, Error> {
    let (handle, caller, owner_ref) = (app.clone(), caller.clone(), owner_ref.clone());
    let (page, now) = (page.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, READ)?;
            let (after, limit) = (page.after(), page.look_for());
            let tokens = store::token_filter::list_tokens(conn, &visible, after, limit)?;
            check_policy(conn, &visible.owner, tokens, now)
        })
        .await
}

/// One token. Fails with [`Error::NotFound`] if it does not exist or the caller may not see it.
pub async fn find(
    app: &App,
    caller: &Caller,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<CheckedToken, Error> {
    let (handle, caller, owner_ref, id) = (
        app.clone(),
        caller.clone(),
        owner_ref.clone(),
        id.to_owned(),
    );
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, READ)?;
            let found = vec![find_within(conn, &visible, &id)?];
            let mut checked = check_policy(conn, &visible.owner, found, now)?;
            checked.pop().ok_or(Error::NotFound)
        })
        .await
}

/// The visible token with this id.
fn find_within(conn: &mut Conn, visible: &VisibleTokens, id: &str) -> Result<Token, Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    store::token::find_token(conn, &id)?
        .filter(|token| visible.covers(token))
        .ok_or(Error::NotFound)
}
