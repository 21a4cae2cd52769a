//! Tokens: making, showing, rotating and revoking them, and the standing of their owners.

mod active;
mod admitting;
mod choosing;
mod draft;
mod judged;
mod listing;
mod making;
mod owner;
mod revocation;
mod rotation;

pub use active::{ActiveToken, Introspector, authenticate, introspect, introspector};
pub(super) use active::{Found, Loaded, Spent, load, look_up};
pub use choosing::{Choices, choices};
pub(super) use draft::{Draft, draft, insert};
pub use judged::Judged;
pub use listing::{Listed, find_listed, list_listed, list_living};
pub use making::{Wish, create, reserve};
use owner::find_holder;
pub use owner::{Holder, OwnerStanding, standing};
pub(super) use owner::{find_owner, hold_owner};
pub(super) use revocation::end_all;
pub use revocation::{Before, Ended, give_back, revoke, revoke_all, revoke_selection};
pub use rotation::{DEFAULT_OVERLAP, LONGEST_OVERLAP, rotate};

use super::caller::{Authority, Caller, find_organization};
use super::{App, Error};
use config::Lifetime;
use domain::Instant;
use domain::decision::Place;
use domain::id::TokenId;
use domain::org::Role;
use domain::page::Page;
use domain::purview::Purview;
use domain::secret::Secret;
use domain::token::{Owner, State, Token};
use judged::judge;
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
pub enum Whose {
    /// The caller's own.
    Own,
    /// Those of the organization with this id or address.
    Organization(String),
}

impl Whose {
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
                    store::user::hold_user(conn, id)?;
                }
                match find_organization(conn, named)? {
                    Some(found) => lock_owner(conn, &Owner::Organization(found.id)),
                    None => Ok(()),
                }
            }
        }
    }

    /// The tokens with which the caller may do this. An organization's are for its admins and
    /// owners.
    fn purview(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        authority: &Authority,
        scope: &str,
    ) -> Result<Purview, Error> {
        let owner = match self {
            Self::Own => {
                let owner = caller.owner()?;
                authority.require_scope(scope, &Place::Anywhere)?;
                owner
            }
            Self::Organization(named) => {
                let organization = authority.organization(conn, named, scope, Role::Admin)?;
                Owner::Organization(organization.id)
            }
        };
        Ok(Purview::new(owner, authority.limits()))
    }
}

/// Holds whoever a token acts for, so that nobody makes or ends its tokens meanwhile.
fn lock_owner(conn: &mut Conn, owner: &Owner) -> Result<(), Error> {
    match owner {
        Owner::User(id) => store::user::lock_user(conn, id)?,
        Owner::Organization(id) => {
            store::org::hold_organization(conn, id)?;
        }
    }
    Ok(())
}

/// Holds the token by which another is made, if by one: of many that are revoked at once, none
/// leaves behind what it is making.
fn hold_maker(conn: &mut Conn, caller: &Caller, now: Instant) -> Result<(), Error> {
    let Caller::Token(active) = caller else {
        return Ok(());
    };
    store::token::hold_token(conn, &active.token.id)?
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
    whose: &Whose,
    page: &Page,
) -> Result<Vec<Judged>, Error> {
    let (handle, caller, whose) = (app.clone(), caller.clone(), whose.clone());
    let (page, now) = (page.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let purview = whose.purview(conn, &caller, &authority, READ)?;
            let (after, limit) = (page.after(), page.look_for());
            let tokens = store::selection::list_tokens(conn, &purview, after, limit)?;
            judge(conn, &purview.owner, tokens, now)
        })
        .await
}

/// One token. Fails with [`Error::NotFound`] for one that is not the caller's to see, like for
/// none.
pub async fn find(app: &App, caller: &Caller, whose: &Whose, id: &str) -> Result<Judged, Error> {
    let (handle, caller, whose, id) = (app.clone(), caller.clone(), whose.clone(), id.to_owned());
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let purview = whose.purview(conn, &caller, &authority, READ)?;
            let found = vec![find_within(conn, &purview, &id)?];
            let mut judged = judge(conn, &purview.owner, found, now)?;
            judged.pop().ok_or(Error::NotFound)
        })
        .await
}

/// A token of this purview.
fn find_within(conn: &mut Conn, purview: &Purview, id: &str) -> Result<Token, Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    store::token::find_token(conn, &id)?
        .filter(|token| purview.covers(token))
        .ok_or(Error::NotFound)
}
