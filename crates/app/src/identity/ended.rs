//! The end of access that a provider decides: back-channel logout, and a check at the provider.

use super::claims::{self, leeway};
use super::fetch::{self, Metadata};
use super::jose::Claims;
use super::oidc;
use super::{Arrived, Failed, enter, find, note, refresh, rules};
use crate::access::Caller;
use crate::tx::Tx;
use crate::{App, Error, Request, token};
use config::{LogoutEnds, Oidc, Protocol, Provider};
use domain::audit::Action;
use domain::id::UserId;
use domain::identity::{Identity, LinkedIdentity, SealedRefresh};
use domain::secret::Secret;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::Standing;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::device::Approvals;
use store::identity::{DueIdentity, ProviderSessions};
use store::token_filter::TokenFilter;

/// The event of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Users of a provider who are checked in one run of the task.
const MOST_AT_ONCE: i64 = 200;

/// Delay before a failed check is repeated: longer than another server needs to finish it.
fn again_after() -> chrono::Duration {
    chrono::Duration::minutes(5)
}

/// Ends sessions by a logout token of a provider, and tokens if the settings say so. Fails with
/// [`Failed::Invalid`] for a token that is not of the provider, or was used.
pub async fn log_out(req: &Request, provider: &str, logout_token: &str) -> Result<(), Failed> {
    let ended = end_by_token(req, provider, logout_token).await;
    ended.map_err(|failed| note(req, failed))
}

async fn end_by_token(req: &Request, provider: &str, logout_token: &str) -> Result<(), Failed> {
    let provider = find(req, provider)?;
    let Protocol::Oidc(oidc) = &provider.protocol else {
        return Err(Error::NotFound.into());
    };
    let app = &req.app;
    let metadata = Metadata::of(app, provider).await?;
    let keys = metadata.endpoint("jwks_uri")?;
    let (claims, _) = fetch::verify(app, logout_token, &keys, None).await?;
    let expires = claims::check(&claims, provider, &oidc.client_id, app.now());
    let expires = expires.map_err(Failed::Invalid)?;
    let id = check_event(&claims).map_err(Failed::Invalid)?;
    // The digest of issuer and id: ids of two issuers may be equal.
    let used = Secret::new(format!("{} logout {id}", provider.issuer)).digest();
    let claim = |name| claims::text(&claims, name).map(str::to_owned);
    let (subject, session) = (claim("sub"), claim("sid"));
    let (provider, ends) = (provider.clone(), oidc.logout_ends);
    let is_first = req
        .with_caller(Caller::System)
        .change(Action::SignedOut, move |tx| {
            // Stored until the token expires, which needs no record.
            tx.needs_no_record();
            if !store::identity::use_assertion(tx.conn, &used, expires + leeway())? {
                return Ok(false);
            }
            let identity = subject.clone().map(|subject| Identity {
                issuer: provider.issuer.clone(),
                subject,
            });
            end(tx, (&provider, ends), identity.as_ref(), session.as_deref())?;
            Ok(true)
        })
        .await?;
    match is_first {
        true => Ok(()),
        false => Err(Failed::Invalid("replayed_logout")),
    }
}

/// Checks that the claims are those of a logout token, not of an ID token; returns its id.
fn check_event(claims: &Claims) -> Result<&str, claims::Reason> {
    let events = claims.get("events").and_then(Value::as_object);
    let is_logout = events.is_some_and(|events| events.get(LOGOUT).is_some_and(Value::is_object));
    let names_user = claims::text(claims, "sub").is_some() || claims::text(claims, "sid").is_some();
    if !is_logout || claims.contains_key("nonce") || !names_user {
        return Err("no_logout_token");
    }
    claims::text(claims, "jti").ok_or("no_logout_token")
}

/// Ends the session at the provider that has this `sid`, with those of the identity for which it stated
/// none, or all of the identity, and by setting the user's tokens.
fn end(
    tx: &mut Tx<'_>,
    (provider, ends): (&Provider, LogoutEnds),
    identity: Option<&Identity>,
    session: Option<&str>,
) -> Result<(), Error> {
    let named = session.map(|sid| ProviderSessions::One(&provider.issuer, sid));
    let of_identity = identity.map(|identity| match session {
        Some(_) => ProviderSessions::Unnamed(identity),
        None => ProviderSessions::OfIdentity(identity),
    });
    let sessions: Vec<_> = named.into_iter().chain(of_identity).collect();
    let mut users = list_users(tx, &sessions)?;
    if let Some(identity) = identity {
        let linked = store::identity::find_identity(tx.conn, identity)?;
        users.extend(linked.map(|linked| linked.user_id));
    }
    for user_id in &users {
        store::user::lock_user_exclusive(tx.conn, user_id)?;
    }
    // Sessions may have begun or ended until the users were locked.
    let ended = list_users(tx, &sessions)?;
    for one in &sessions {
        store::identity::delete_sessions(tx.conn, one)?;
    }
    for user_id in &users {
        if ended.contains(user_id) {
            let id = user_id.as_str();
            tx.record(Some(id), json!({"issuer": provider.issuer}))?;
        }
        if ends == LogoutEnds::SessionsAndTokens {
            let all = TokenFilter::Owner(TokenOwner::User(user_id.clone()));
            token::end_with_descendants(tx, &all, None, RevocationReason::IdentityEnded)?;
            token::deny_approved(tx, Approvals::OfUser(user_id), None)?;
        }
    }
    Ok(())
}

fn list_users(
    tx: &mut Tx<'_>,
    sessions: &[ProviderSessions<'_>],
) -> Result<BTreeSet<UserId>, Error> {
    let mut users = BTreeSet::new();
    for one in sessions {
        users.extend(store::identity::list_session_users(tx.conn, one)?);
    }
    Ok(users)
}

/// Checks the users who are due at their providers. If a provider does not answer, the check is
/// repeated later, and its users stay signed in.
pub async fn check_due(app: &App) -> Result<(), Error> {
    let app = app.current();
    let req = Request::system(&app);
    for provider in app.config().sign_in.enabled_providers() {
        match &provider.protocol {
            Protocol::Oidc(oidc) if oidc.has_offline_access() => {
                check_all(&req, (provider, oidc)).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks the users of one provider who are due, until it does not answer.
async fn check_all(req: &Request, (provider, oidc): (&Provider, &Oidc)) -> Result<(), Error> {
    let issuer = provider.issuer.clone();
    let due = req
        .read(move |tx| {
            let now = tx.now;
            let most = MOST_AT_ONCE;
            Ok(store::identity::list_due(tx.conn, &issuer, now, most)?)
        })
        .await?;
    for due in due {
        match check_one(req, (provider, oidc), due).await {
            Ok(()) => {}
            Err(Failed::Error(error @ Error::Outside(_))) => {
                tracing::warn!(?error, provider = provider.id, "users could not be checked");
                return Ok(());
            }
            Err(Failed::Error(error)) => return Err(error),
            Err(failed) => {
                tracing::warn!(
                    ?failed,
                    provider = provider.id,
                    "a user could not be checked"
                );
            }
        }
    }
    Ok(())
}

async fn check_one(
    req: &Request,
    (provider, oidc): (&Provider, &Oidc),
    mut due: DueIdentity,
) -> Result<(), Failed> {
    let app = &req.app;
    let until = app.now() + again_after();
    let claimed = due.clone();
    // Only one of several servers checks: most providers accept a refresh token only once.
    let is_ours = app
        .store()
        .write(move |conn| Ok::<_, Error>(store::identity::postpone_check(conn, &claimed, until)?))
        .await?;
    if !is_ours {
        return Ok(());
    }
    due.refresh.check_at = until;
    let identity = due.linked.identity.clone();
    // The key of the server was replaced. The next sign-in stores another token.
    let Some(token) = refresh::open(app, &identity, &due.refresh) else {
        return forget(req, due).await;
    };
    let Some(refreshed) = oidc::refresh(app, (provider, oidc), &token).await? else {
        return refuse(req, (provider, oidc), due, false).await;
    };
    if let Some(next) = refreshed.next() {
        // First, since the previous token may not work again, and the rest may fail.
        due = match store_next(req, oidc, due, next.to_owned()).await? {
            Some(due) => due,
            None => return Ok(()),
        };
    }
    let mut arrived = refreshed
        .user(app, (provider, oidc), &identity.subject)
        .await?;
    if let Some(arrived) = arrived.as_mut().filter(|arrived| arrived.groups.is_none()) {
        // Many providers state groups only at a sign-in.
        tracing::debug!(provider = provider.id, "a check states no groups");
        arrived.are_groups_unknown = true;
    }
    let is_refused = |arrived: &Arrived| arrived.is_refused(&provider.entry);
    if arrived.as_ref().is_some_and(is_refused) {
        return refuse(req, (provider, oidc), due, true).await;
    }
    store_checked(req, (provider, oidc), due, arrived).await
}

/// Stores the refresh token that replaces the one of a check; `None` if a sign-in has stored another
/// since.
async fn store_next(
    req: &Request,
    oidc: &Oidc,
    due: DueIdentity,
    next: String,
) -> Result<Option<DueIdentity>, Failed> {
    let oidc = oidc.clone();
    let stored = req.change(Action::SignedIn, move |tx| {
        tx.needs_no_record();
        let sealed = refresh::seal(tx, (&oidc, &due.linked.identity), &next);
        let sealed = SealedRefresh {
            check_at: due.refresh.check_at,
            ..sealed
        };
        let is_ours = store::identity::replace_refresh(tx.conn, &due, Some(&sealed))?;
        Ok(is_ours.then(|| DueIdentity {
            refresh: sealed,
            ..due.clone()
        }))
    });
    Ok(stored.await?)
}

async fn store_checked(
    req: &Request,
    (provider, oidc): (&Provider, &Oidc),
    due: DueIdentity,
    arrived: Option<Arrived>,
) -> Result<(), Failed> {
    let (provider, oidc) = (provider.clone(), oidc.clone());
    req.change(Action::SignedIn, move |tx| {
        // The check is a part of the sign-in, which has its record.
        tx.needs_no_record();
        let user_id = &due.linked.user_id;
        store::user::lock_user_exclusive(tx.conn, user_id)?;
        let next = SealedRefresh {
            check_at: refresh::next_check(&oidc, tx.now),
            ..due.refresh.clone()
        };
        if !store::identity::replace_refresh(tx.conn, &due, Some(&next))? {
            return Ok(());
        }
        let user = store::user::find_user(tx.conn, user_id)?;
        let user = user.filter(|user| user.standing == Standing::Active);
        match (user, &arrived) {
            (Some(user), Some(arrived)) => enter::settle(tx, &provider, &user, arrived),
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}

/// Ends the access of a user whom the provider refuses, and if the user has left its groups also the
/// memberships that they gave. A user who has signed in since the check began keeps it.
async fn refuse(
    req: &Request,
    (provider, oidc): (&Provider, &Oidc),
    due: DueIdentity,
    has_left: bool,
) -> Result<(), Failed> {
    let (provider, ends) = (provider.clone(), oidc.logout_ends);
    req.change(Action::SignedOut, move |tx| {
        // What ends has its record, the refresh token needs none.
        tx.needs_no_record();
        let LinkedIdentity {
            user_id, identity, ..
        } = &due.linked;
        store::user::lock_user_exclusive(tx.conn, user_id)?;
        if !store::identity::replace_refresh(tx.conn, &due, None)? {
            return Ok(());
        }
        end(tx, (&provider, ends), Some(identity), None)?;
        match has_left {
            true => rules::leave_all(tx, &provider.issuer, user_id),
            false => Ok(()),
        }
    })
    .await?;
    Ok(())
}

async fn forget(req: &Request, due: DueIdentity) -> Result<(), Failed> {
    req.app
        .store()
        .write(move |conn| {
            store::identity::replace_refresh(conn, &due, None)?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(())
}
