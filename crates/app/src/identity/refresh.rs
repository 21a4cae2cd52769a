//! Refresh tokens, with which users are checked at their provider between their sign-ins.

use super::claims::Arrived;
use crate::tx::Tx;
use crate::{App, Error};
use config::{Oidc, Protocol, Provider};
use domain::Instant;
use domain::identity::{Identity, SealedRefresh};
use domain::sealed::{SealKey, SealSalt};
use domain::secret::Secret;

/// Stores the refresh token of a sign-in, or removes an earlier one if the provider issued none
/// that outlasts the session there.
pub(super) fn keep(tx: &mut Tx<'_>, provider: &Provider, arrived: &Arrived) -> Result<(), Error> {
    let Protocol::Oidc(oidc) = &provider.protocol else {
        return Ok(());
    };
    let identity = arrived.identity();
    let token = arrived.refresh_token.as_deref();
    let token = token.filter(|_| oidc.has_offline_access());
    let sealed = token.map(|token| seal(tx, (oidc, &identity), token));
    Ok(store::identity::update_refresh(
        tx.conn,
        &identity,
        sealed.as_ref(),
    )?)
}

/// Encrypts a refresh token for its identity.
pub(super) fn seal(
    tx: &mut Tx<'_>,
    (oidc, identity): (&Oidc, &Identity),
    token: &str,
) -> SealedRefresh {
    let salt: SealSalt = tx.random();
    SealedRefresh {
        salt: hex::encode(salt),
        text: key(tx.app(), &salt).seal(0, &bound(identity), token),
        check_at: next_check(oidc, tx.now),
    }
}

/// Decrypts the refresh token of an identity; `None` after a change of the server's key.
pub(super) fn open(app: &App, identity: &Identity, sealed: &SealedRefresh) -> Option<Secret> {
    let salt: SealSalt = hex::decode(&sealed.salt).ok()?.try_into().ok()?;
    let token = key(app, &salt).open(&bound(identity), &sealed.text)?;
    Some(Secret::new(token))
}

/// When a user who was checked now is due again.
pub(super) fn next_check(oidc: &Oidc, now: Instant) -> Instant {
    now + chrono::Duration::from_std(oidc.check_every).unwrap_or(chrono::Duration::MAX)
}

fn key(app: &App, salt: &SealSalt) -> SealKey {
    let of_server = app.key().authenticate("identity refresh token", &[]);
    SealKey::derive(salt, &[&Secret::new(of_server.as_str())])
}

fn bound(identity: &Identity) -> String {
    format!("{} {}", identity.subject, identity.issuer)
}
