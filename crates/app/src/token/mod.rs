//! Tokens: making, showing, rotating and revoking them, and the standing of their owners.

mod active;
mod checked;
mod choices;
mod create;
mod list;
mod owner;
mod policy_check;
mod prepared;
mod revoke;
mod rotate;

pub use active::{ActiveToken, Introspector, authenticate, introspect, introspector};
pub(super) use active::{Found, InactiveToken, Loaded, load, look_up};
pub use checked::CheckedToken;
pub use choices::{Choices, choices};
pub use create::{CreateToken, create, form_nonce_for};
pub use list::{Listed, find_listed, list_listed, list_living};
use owner::find_loaded_owner;
pub use owner::{LoadedOwner, UserMemberships, standing};
pub(super) use owner::{find_owner, lock_memberships};
pub(super) use prepared::{PreparedToken, insert, prepared};
pub(super) use revoke::end_all;
pub use revoke::{Before, Ended, give_back, revoke, revoke_all, revoke_matching};
pub use rotate::{DEFAULT_OVERLAP, LONGEST_OVERLAP, rotate};

use super::caller::{Authority, Caller, find_organization};
use super::{App, Error};
use checked::check_policy;
use config::Lifetime;
use domain::Instant;
use domain::decision::ResourceRef;
use domain::id::TokenId;
use domain::org::Role;
use domain::page::Page;
use domain::secret::Secret;
use domain::token::{State, Token, TokenOwner};
use domain::visible_tokens::VisibleTokens;
use store::Conn;

/// The scope that looking at tokens needs.
const READ: &str = "tokens:read";

/// The scope that changing tokens needs.
const WRITE: &str = "tokens:write";

/// A new token, with its secret, which is shown once.
pub struct NewToken {
    /// The token.
    pub token: Token,
    /// Its text.
    pub secret: Secret,
}

/// Whose tokens a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerRef {
    /// The caller's own.
    Own,
    /// Those of the organization with this id or address.
    Organization(String),
}

impl OwnerRef {
    /// Holds the owner, before the caller's rights are read for a change of its tokens: of a
    /// token that is being revoked, on whatever server, no other can be made meanwhile.
    fn hold(&self, conn: &mut Conn, caller: &Caller) -> Result<(), Error> {
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

    /// The tokens with which the caller may do this. An organization's are for its admins and
    /// owners.
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

/// Holds whoever a token acts for, so that nobody makes or ends its tokens meanwhile.
fn lock_owner(conn: &mut Conn, owner: &TokenOwner) -> Result<(), Error> {
    match owner {
        TokenOwner::User(id) => store::user::lock_user_exclusive(conn, id)?,
        TokenOwner::Organization(id) => {
            store::org::lock_organization(conn, id)?;
        }
    }
    Ok(())
}

/// Holds the token by which another is made, if by one: of many that are revoked at once, none
/// leaves behind what it is making.
fn lock_creator(conn: &mut Conn, caller: &Caller, now: Instant) -> Result<(), Error> {
    let Caller::Token(active) = caller else {
        return Ok(());
    };
    store::token::lock_token(conn, &active.token.id)?
        .filter(|token| token.state(now) == State::Live)
        .map(drop)
        .ok_or(Error::Unauthenticated)
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

/// The earlier of two ends, of which `None` is the latest.
pub(super) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Tokens, the newest first, with those that have ended: a page, and one more if the list goes
/// on.
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

/// One token. Fails with [`Error::NotFound`] for one that is not the caller's to see, like for
/// none.
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

/// A token of this purview.
fn find_within(conn: &mut Conn, visible: &VisibleTokens, id: &str) -> Result<Token, Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    store::token::find_token(conn, &id)?
        .filter(|token| visible.covers(token))
        .ok_or(Error::NotFound)
}
