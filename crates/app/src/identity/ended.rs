//! The end of access that a provider decides: back-channel logout, and a check at the provider.

use super::claims::{self, leeway};
use super::fetch::{self, Metadata};
use super::jose::Claims;
use super::oidc::{self, Checked};
use super::{Arrived, Failed, enter, find, note, refresh, rules};
use crate::access::Caller;
use crate::tx::Tx;
use crate::{App, Error, Request, token};
use config::{LogoutEnds, Oidc, Protocol, Provider};
use domain::audit::Action;
use domain::id::UserId;
use domain::identity::Identity;
use domain::secret::Secret;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::Standing;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use store::device::Approvals;
use store::identity::{DueIdentity, ProviderSessions};
use store::token_filter::TokenFilter;

/// The event of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Users who are checked in one run of the task.
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

/// Ends the session at the provider that has this `sid`, or all of the identity, and by setting the
/// user's tokens.
fn end(
    tx: &mut Tx<'_>,
    (provider, ends): (&Provider, LogoutEnds),
    identity: Option<&Identity>,
    session: Option<&str>,
) -> Result<(), Error> {
    let sessions = match (session, identity) {
        (Some(sid), _) => ProviderSessions::One(&provider.issuer, sid),
        (None, Some(identity)) => ProviderSessions::OfIdentity(identity),
        (None, None) => return Ok(()),
    };
    let mut users: BTreeSet<UserId> = store::identity::list_session_users(tx.conn, &sessions)?
        .into_iter()
        .collect();
    if let Some(identity) = identity {
        let linked = store::identity::find_identity(tx.conn, identity)?;
        users.extend(linked.map(|linked| linked.user_id));
    }
    for user_id in &users {
        store::user::lock_user_exclusive(tx.conn, user_id)?;
    }
    store::identity::delete_sessions(tx.conn, &sessions)?;
    for user_id in &users {
        let id = user_id.as_str();
        tx.record(Some(id), json!({"issuer": provider.issuer}))?;
        if ends == LogoutEnds::SessionsAndTokens {
            let all = TokenFilter::Owner(TokenOwner::User(user_id.clone()));
            token::end_with_descendants(tx, &all, None, RevocationReason::IdentityEnded)?;
            token::deny_approved(tx, Approvals::OfUser(user_id), None)?;
        }
    }
    Ok(())
}

/// Checks the users who are due at their providers. If a provider does not answer, the check is
/// repeated later, and its users stay signed in.
pub async fn check_due(app: &App) -> Result<(), Error> {
    let app = app.current();
    let providers: Vec<_> = app
        .config()
        .sign_in
        .enabled_providers()
        .filter_map(|provider| match &provider.protocol {
            Protocol::Oidc(oidc) if oidc.has_offline_access() => Some((provider, oidc)),
            _ => None,
        })
        .collect();
    if providers.is_empty() {
        return Ok(());
    }
    let issuers: Vec<_> = providers
        .iter()
        .map(|(provider, _)| provider.issuer.clone())
        .collect();
    let req = Request::system(&app);
    let due = req
        .read(move |tx| {
            let now = tx.now;
            Ok(store::identity::list_due(
                tx.conn,
                &issuers,
                now,
                MOST_AT_ONCE,
            )?)
        })
        .await?;
    let mut silent: HashSet<&str> = HashSet::new();
    for due in due {
        let issuer = &due.linked.identity.issuer;
        let provider = providers.iter().find(|(one, _)| one.issuer == *issuer);
        let Some((provider, oidc)) = provider.filter(|_| !silent.contains(issuer.as_str())) else {
            continue;
        };
        match check_one(&req, (provider, oidc), due).await {
            Ok(()) => {}
            Err(Failed::Error(error @ Error::Outside(_))) => {
                tracing::warn!(?error, provider = provider.id, "users could not be checked");
                silent.insert(&provider.issuer);
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
    due: DueIdentity,
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
    let identity = due.linked.identity;
    let opened = refresh::open(app, &identity, &due.refresh);
    let checked = match &opened {
        Some(token) => oidc::check(app, (provider, oidc), &identity.subject, token).await?,
        // The key of the server was replaced. The next sign-in stores another token.
        None => return forget(req, identity).await,
    };
    let (arrived, refreshed) = match checked {
        Checked::Known(arrived, refreshed) => (arrived, refreshed),
        Checked::Refused => return refuse(req, (provider, oidc), identity, false).await,
    };
    let is_admitted = arrived
        .as_ref()
        .is_none_or(|arrived| arrived.check_entry(&provider.entry).is_ok());
    if !is_admitted {
        return refuse(req, (provider, oidc), identity, true).await;
    }
    // A provider that issues no other token accepts the same again.
    let next = refreshed.or(opened.map(|token| token.expose().to_owned()));
    store_checked(req, (provider, oidc), identity, (arrived, next)).await
}

async fn store_checked(
    req: &Request,
    (provider, oidc): (&Provider, &Oidc),
    identity: Identity,
    (arrived, next): (Option<Box<Arrived>>, Option<String>),
) -> Result<(), Failed> {
    let (provider, oidc) = (provider.clone(), oidc.clone());
    req.change(Action::SignedIn, move |tx| {
        // The check is a part of the sign-in, which has its record.
        tx.needs_no_record();
        let Some(linked) = store::identity::find_identity(tx.conn, &identity)? else {
            return Ok(());
        };
        store::user::lock_user_exclusive(tx.conn, &linked.user_id)?;
        let user = store::user::find_user(tx.conn, &linked.user_id)?;
        let user = user.filter(|user| user.standing == Standing::Active);
        if let (Some(user), Some(arrived)) = (user, &arrived) {
            enter::settle(tx, &provider, &user, arrived)?;
        }
        let sealed = next
            .as_deref()
            .map(|token| refresh::seal(tx, (&oidc, &identity), token));
        Ok(store::identity::update_refresh(
            tx.conn,
            &identity,
            sealed.as_ref(),
        )?)
    })
    .await?;
    Ok(())
}

/// Ends the access of a user whom the provider refuses, and if the user has left its groups also the
/// memberships that they gave.
async fn refuse(
    req: &Request,
    (provider, oidc): (&Provider, &Oidc),
    identity: Identity,
    has_left: bool,
) -> Result<(), Failed> {
    let (provider, ends) = (provider.clone(), oidc.logout_ends);
    req.change(Action::SignedOut, move |tx| {
        store::identity::update_refresh(tx.conn, &identity, None)?;
        end(tx, (&provider, ends), Some(&identity), None)?;
        match store::identity::find_identity(tx.conn, &identity)? {
            Some(linked) if has_left => rules::leave_all(tx, &provider.issuer, &linked.user_id),
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}

async fn forget(req: &Request, identity: Identity) -> Result<(), Failed> {
    req.app
        .store()
        .write(move |conn| Ok::<_, Error>(store::identity::update_refresh(conn, &identity, None)?))
        .await?;
    Ok(())
}
