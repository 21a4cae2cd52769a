//! Token rotation: a successor with the same attributes, and an overlap in which both are active.

use super::policy_check::PolicyCheck;
use super::prepared::{insert, prepared};
use super::{NewToken, OwnerRef, WRITE, find_within, lock_creator};
use crate::access::{Caller, Denial};
use crate::access::{earlier, end_of};
use crate::idempotency::IdempotencyRecord;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Fault;
use domain::audit::Action;
use domain::token::{State, Token};
use serde_json::json;

/// Default overlap, in which the old token stays active.
pub const DEFAULT_OVERLAP: Duration = Duration::hours(24);

/// Maximum overlap.
pub const LONGEST_OVERLAP: Duration = Duration::days(30);

/// Rotates an active token. The old token ends after the overlap, or earlier at its own expiry. A
/// token has one successor: a second rotation fails with [`Error::Conflict`].
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
            owner_ref.lock(conn, &caller)?;
            let authority = caller.lock_authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let old = find_within(conn, &visible, &id)?;
            // A token gains nothing from its own successor, even if a scope is inactive now.
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
                    "The token has ended: create a new one instead.",
                ));
            }
            let longest = end_of(handle.config().tokens.max_expiry, now);
            let new = prepared.successor(&old, &caller.maker());
            // The policy may have become stricter since the old token was created.
            let new = policy_check.fit(Token {
                // A token obtained through a client must end with that client.
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
                "The token was rotated before. Rotate its successor, or create a new one.",
            ),
            error => error,
        })
}
