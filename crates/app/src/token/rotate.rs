//! Token rotation: a successor with the same attributes, and an overlap in which both are active.

use super::draw::{insert, successor};
use super::policy_check::PolicyCheck;
use super::{
    NewToken, OwnerRef, WRITE, ancestors, find_within, lock_creator, require_own_scopes, visible,
};
use crate::access::Caller;
use crate::access::{earlier, end_of};
use crate::tx::Tx;
use crate::{Error, Request};
use chrono::Duration;
use domain::Fault;
use domain::audit::Action;
use domain::lineage::LONGEST_LINE;
use domain::token::{State, Token};
use serde_json::json;

/// Default overlap, in which the old token stays active.
pub const DEFAULT_OVERLAP: Duration = Duration::hours(24);

/// Maximum overlap.
pub const LONGEST_OVERLAP: Duration = Duration::days(30);

/// Rotates an active token. The old token ends after the overlap, or earlier at its own expiry. A
/// token has one successor: a second rotation fails with [`Error::Conflict`].
pub async fn rotate(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
    overlap: Duration,
) -> Result<NewToken, Error> {
    if overlap < Duration::zero() || overlap > LONGEST_OVERLAP {
        return Err(Fault::new("overlap", "Choose an overlap of up to 30 days.").into());
    }
    let (owner_ref, id) = (owner_ref.clone(), id.to_owned());
    req.change(Action::TokenRotated, move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let old = find_within(tx, &visible, &id)?;
        // A token gains nothing from its own successor, even if a scope is inactive now.
        let is_itself = matches!(tx.caller(), Caller::Token(active) if active.token.id == old.id);
        if !is_itself {
            require_own_scopes(tx, &old.scopes)?;
        }
        tx.require_recent_sign_in_for(&old.scopes)?;
        let policy_check = PolicyCheck::load(tx, &old.owner, &old.limits)?;
        let creator = lock_creator(tx)?;
        if let Some(creator) = creator.as_ref().filter(|_| !is_itself) {
            require_own_tree(tx, creator, &old)?;
        }
        let old = store::token::lock_token(tx.conn, &old.id)?
            .filter(|old| old.state(tx.now) == State::Live)
            .ok_or(Error::Conflict(
                "The token has ended: create a new one instead.",
            ))?;
        let blocks = creator.iter().chain([&old]);
        let blocked_in = blocks.flat_map(|token| token.blocked_in.clone()).collect();
        let longest = end_of(tx.config().tokens.max_expiry, tx.now);
        // A token that rotates itself may outlive itself, but not the one that created it.
        let bound = creator.filter(|_| !is_itself);
        let bound = bound.and_then(|creator| creator.expires_at);
        let maker = match &old.made_by_token {
            Some(id) => store::token::find_token(tx.conn, id)?,
            None => None,
        };
        let longest = earlier(
            longest,
            earlier(bound, maker.and_then(|maker| maker.expires_at)),
        );
        let client_id = tx.caller().client_id().map(str::to_owned);
        let NewToken { token, secret } = successor(tx, &old);
        // The policy may have become stricter since the old token was created.
        let token = policy_check.fit(Token {
            // A token obtained through a client must end with that client.
            client_id: client_id.or(token.client_id),
            expires_at: earlier(token.expires_at, longest),
            blocked_in,
            ..token
        })?;
        policy_check.bound(&token, &*tx.authority()?)?;
        let new = NewToken { token, secret };
        tx.record(
            &old,
            json!({
                "successor": new.token.id.as_str(),
                "overlap_seconds": overlap.num_seconds(),
            }),
        )?;
        insert(tx, &new)?;
        store::descendants::pass_on(tx.conn, &old, &new.token)?;
        store::token::shorten(tx.conn, &old.id, tx.now + overlap)?;
        Ok(new)
    })
    .await
    .map_err(|error| match error {
        Error::Store(store::Error::Duplicate) => Error::Conflict(
            "The token was rotated before. Rotate its successor, or create a new one.",
        ),
        error => error,
    })
}

/// Fails if a token rotates one of its own creators, or a token of another creator: the successor
/// would leave the tree of tokens that a revocation ends. Also fails if the line of tokens that
/// created each other becomes too long, since the successor descends from the creator.
fn require_own_tree(tx: &mut Tx<'_>, creator: &Token, old: &Token) -> Result<(), Error> {
    if old
        .made_by_token
        .as_ref()
        .is_some_and(|id| *id != creator.id)
    {
        return Err(Error::Conflict(
            "The token was created with another token. Rotate it with that one, with itself, or in the console.",
        ));
    }
    let ancestors = ancestors(tx, creator)?;
    if ancestors.contains(&old.id) {
        return Err(Error::Conflict(
            "The calling token was created with this one. Rotate it with itself or in the console.",
        ));
    }
    // The creator and the successor come between.
    let line = ancestors.len() + 2 + store::descendants::longest_line(tx.conn, &old.id)?;
    match line > LONGEST_LINE {
        true => Err(Error::Conflict(
            "The line of tokens that created each other would be too long. Rotate the token with itself or in the console.",
        )),
        false => Ok(()),
    }
}
