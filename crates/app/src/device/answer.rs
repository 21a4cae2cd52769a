//! The answer with the token, for a device that lost it on the way.
//!
//! Until the first use of the token, for a short time, and from the same source, the same device code
//! and client get the same token again. The token is stored encrypted, under a key derived from the
//! device code, which is not stored. The first use of the token deletes it. If the code is sent again
//! and the token is not used, the device does not have it, and it is revoked.

use crate::token::{self, NewToken};
use crate::tx::Tx;
use crate::{App, Error, Request};
use chrono::Duration;
use domain::Instant;
use domain::audit::Action;
use domain::device::{ANSWER_KEPT, Grant, State};
use domain::network;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::Secret;
use domain::token::{Token, TokenOwner};
use serde_json::json;
use store::device::{DeviceAnswer, SealedAnswer};

/// How long a repetition needs no other write after one.
const FRESH: Duration = Duration::seconds(5);

/// Tokens revoked at once; few, to keep other writes from waiting.
const AT_ONCE: i64 = 100;

/// Keeps the answer with a new token.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    grant: &Grant,
    new: &NewToken,
    device_code: &Secret,
) -> Result<(), Error> {
    let salt: SealSalt = tx.random();
    let key = SealKey::derive(&salt, &[device_code]);
    let sealed = SealedAnswer {
        salt: hex::encode(salt),
        text: key.seal(0, &bound(tx, grant), new.secret.expose()),
    };
    let answer = DeviceAnswer {
        token_id: new.token.id.clone(),
        sealed: Some(sealed),
        kept_until: tx.now + ANSWER_KEPT,
        revoked_from: None,
        expires_at: grant.expires_at + code_lifetime(tx.app()),
    };
    Ok(store::device::insert_answer(tx.conn, &answer)?)
}

/// What an answer is bound to: its grant and client, and the source of the request.
fn bound(tx: &Tx<'_>, grant: &Grant) -> String {
    let source = network::source(tx.context().source());
    format!("{} {} {source}", grant.id, grant.client_id)
}

/// Device grants are known for one lifetime after their expiry.
fn code_lifetime(app: &App) -> Duration {
    let lifetime = app.config().device.code_lifetime;
    Duration::from_std(lifetime).unwrap_or(Duration::zero())
}

/// What a code that was sent again means, without a write.
pub(super) enum Repetition {
    /// The same token again. When it must be used was stored a moment ago.
    Given(Box<NewToken>),
    /// The token was not used yet: [`repeat`] decides.
    Possible,
    /// The token was used.
    Over,
}

/// Looks at a code that was sent again.
pub(super) async fn look(
    req: &Request,
    grant: &Grant,
    device_code: &Secret,
) -> Result<Repetition, Error> {
    let (grant, device_code) = (grant.clone(), device_code.clone());
    req.read(move |tx| {
        let Some(answer) = find(tx, &grant)? else {
            return Ok(Repetition::Over);
        };
        let is_fresh = |at: Instant| at > tx.now + ANSWER_KEPT - FRESH;
        if answer.kept_until <= tx.now || !answer.revoked_from.is_some_and(is_fresh) {
            return Ok(Repetition::Possible);
        }
        let given = open(tx, &grant, &answer, &device_code)?;
        Ok(given.map_or(Repetition::Possible, |new| Repetition::Given(Box::new(new))))
    })
    .await
}

/// The answer of a grant, unless its token was used.
fn find(tx: &mut Tx<'_>, grant: &Grant) -> Result<Option<DeviceAnswer>, Error> {
    let State::Redeemed { token_id } = &grant.state else {
        return Ok(None);
    };
    if tx.app().uses().is_first_noted(token_id) {
        return Ok(None);
    }
    Ok(store::device::find_answer(tx.conn, token_id)?)
}

/// The same token again, for a code that was sent again; `None` if it is a replay. From now on the
/// token must be used in time, or it is revoked; after the time of the answer, at once.
pub(super) fn repeat(
    tx: &mut Tx<'_>,
    grant: &Grant,
    device_code: &Secret,
) -> Result<Option<NewToken>, Error> {
    let Some(answer) = find(tx, grant)? else {
        return Ok(None);
    };
    let token_id = &answer.token_id;
    if answer.kept_until <= tx.now {
        token::revoke_unused(tx, token_id)?;
        return Ok(None);
    }
    tx.needs_no_record();
    // `false` if another server has seen the first use.
    if !store::device::mark_repeated(tx.conn, token_id, tx.now + ANSWER_KEPT)? {
        return Ok(None);
    }
    let Some(new) = open(tx, grant, &answer, device_code)? else {
        return Ok(None);
    };
    if store::device::mark_given_again(tx.conn, token_id, tx.now)? {
        let detail = json!({"token": token_id.as_str()});
        tx.record_as(Action::DeviceRepeated, Some(grant.id.as_str()), detail)?;
    }
    Ok(Some(new))
}

/// The token of an answer, unless the request comes from elsewhere or the token has ended.
fn open(
    tx: &mut Tx<'_>,
    grant: &Grant,
    answer: &DeviceAnswer,
    device_code: &Secret,
) -> Result<Option<NewToken>, Error> {
    // Two unknown sources are not the same one.
    if network::is_unknown(tx.context().source()) {
        return Ok(None);
    }
    let token = store::token::find_token(tx.conn, &answer.token_id)?;
    let is_live = |token: &Token| token.state(tx.now) == domain::token::State::Live;
    let (Some(token), Some(sealed)) = (token.filter(is_live), &answer.sealed) else {
        return Ok(None);
    };
    let salt = hex::decode(&sealed.salt).ok();
    let salt = salt.and_then(|salt| SealSalt::try_from(salt).ok());
    let text = salt.and_then(|salt| {
        SealKey::derive(&salt, &[device_code]).open(&bound(tx, grant), &sealed.text)
    });
    Ok(text.map(|text| NewToken {
        token,
        secret: Secret::new(text),
    }))
}

/// Notes the use of an active token. Only the first use of a token that a device fetched lately deletes
/// its answer, outside of the request. For all others this is a comparison of what is loaded already.
pub(crate) fn note_use(app: &App, token: &Token) {
    let is_fetched = token.last_use.is_none()
        && token.client_id.is_some()
        && token.made_by_token.is_none()
        && token.replaces.is_none()
        && matches!(token.owner, TokenOwner::User(_));
    if !is_fetched || !is_recent(app, token, app.now()) {
        return;
    }
    if app.uses().note_first(&token.id) {
        let handle = app.clone();
        app.background().spawn(async move {
            // After an error it stays buffered for the next flush.
            drop(crate::uses::flush_first(&handle).await);
        });
    }
}

/// Whether the device grant of a token may still be known.
fn is_recent(app: &App, token: &Token, now: Instant) -> bool {
    let known = code_lifetime(app) * 2;
    now < token.created_at.checked_add_signed(known).unwrap_or(now)
}

/// Deletes answers whose time is over, and revokes the tokens that devices did not receive.
pub async fn end_unused(app: &App) -> Result<(), Error> {
    let now = app.now();
    let is_any = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::device::is_any_answer_over(conn, now)?));
    // With a wrong clock, tokens would end too early.
    if !is_any.await? || app.is_clock_wrong() {
        return Ok(());
    }
    // What was used here is not unused.
    crate::uses::flush_first(app).await?;
    app.store()
        .write(move |conn| Ok::<_, Error>(store::device::clear_answers(conn, now)?))
        .await?;
    Request::system(app)
        .change(Action::TokenRevoked, |tx| {
            tx.needs_no_record();
            for id in store::device::list_unused(tx.conn, tx.now, AT_ONCE)? {
                token::revoke_unused(tx, &id)?;
            }
            Ok(())
        })
        .await
}
