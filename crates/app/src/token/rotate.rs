//! Rotating tokens: a successor with the same attributes, and an overlap in which both work.

use super::policy_check::PolicyCheck;
use super::prepared::{insert, prepared};
use super::{NewToken, OwnerRef, WRITE, earlier, end_of, find_within, lock_creator};
use crate::caller::{Caller, Denial};
use crate::idempotency::IdempotencyRecord;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Fault;
use domain::audit::Action;
use domain::token::{State, Token};
use serde_json::json;

/// How long the old token lives on if nobody says.
pub const DEFAULT_OVERLAP: Duration = Duration::hours(24);

/// How long it may live on at the most.
pub const LONGEST_OVERLAP: Duration = Duration::days(30);

/// Rotates a token that can be used. The old one ends after the overlap, or when it would have
/// ended anyway. A token has one successor: trying again is a [`Error::Conflict`].
pub async fn rotate(
    app: &App,
    context: &Context,
    caller: &Caller,
    owner_ref: &OwnerRef,
    id: &str,
    overlap: Duration,
    idempotency: IdempotencyRecord<NewToken>,
) -> Result<NewToken, Error> {
    if overlap < Duration::zero() || overlap > LONGEST_OVERLAP {
        return Err(Fault::new("overlap", "Choose an overlap of up to 30 days.").into());
    }
    let prepared = prepared(app);
    let (rotated, created) = (
        app.event(context, caller.actor(), Action::TokenRotated),
        app.event(context, caller.actor(), Action::TokenCreated),
    );
    let (handle, caller, owner_ref, id) = (
        app.clone(),
        caller.clone(),
        owner_ref.clone(),
        id.to_owned(),
    );
    app.store()
        .write(move |conn| {
            let now = rotated.at;
            owner_ref.hold(conn, &caller)?;
            let authority = caller.lock_authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let old = find_within(conn, &visible, &id)?;
            // By its own successor a token gains nothing, also where a scope of it sleeps.
            if let Caller::Token(active) = &caller
                && active.token.id != old.id
                && !old
                    .scopes
                    .is_subset(&authority.scopes().unwrap_or_default())
            {
                return Err(Denial::BeyondToken.into());
            }
            let policy_check = PolicyCheck::load(conn, &old.owner, &old.limits)?;
            lock_creator(conn, &caller, now)?;
            let is_live = |token: &Token| token.state(now) == State::Live;
            if !store::token::lock_token(conn, &old.id)?.is_some_and(|old| is_live(&old)) {
                return Err(Error::Conflict(
                    "The token has ended: make a new one instead.",
                ));
            }
            let longest = end_of(handle.config().tokens.max_expiry, now);
            let new = prepared.successor(&old, &caller.maker());
            // The policy may be tighter than when the old token was made.
            let new = policy_check.fit(Token {
                // Whoever gets it by a client must lose it with the client.
                client_id: caller.client_id().map(str::to_owned).or(new.client_id),
                expires_at: earlier(new.expires_at, longest),
                ..new
            })?;
            policy_check.bound(&new, &authority)?;
            insert(conn, &created, &new, &prepared.secret.digest())?;
            store::token::shorten(conn, &old.id, now + overlap)?;
            rotated.write_in(
                conn,
                old.organization(),
                Some(old.id.as_str()),
                json!({
                    "successor": new.id.as_str(),
                    "overlap_seconds": overlap.num_seconds(),
                }),
            )?;
            let new = NewToken {
                token: new,
                secret: prepared.secret.clone(),
            };
            idempotency.file(conn, &new)?;
            Ok(new)
        })
        .await
        .map_err(|error| match error {
            Error::Store(store::Error::Duplicate) => Error::Conflict(
                "The token was rotated before. Rotate its successor, or make a new one.",
            ),
            error => error,
        })
}
