//! Passwords: changed by their user, or set by the operator until the next sign-in.

use super::directory::{DEACTIVATED, Named};
use super::reset::end_access_of_other;
use super::{check_password, hash};
use crate::access::recent;
use crate::hashing::{Verdict, Waiter};
use crate::session::{self, SessionCookies, SignedIn};
use crate::throttle::{self, PasswordGuess, Target};
use crate::tx::Tx;
use crate::{Error, Request, mail, token};
use domain::Fault;
use domain::account_link::LinkPurpose;
use domain::audit::Action;
use domain::secret::Secret;
use domain::user::{Standing, User};
use serde_json::json;
use store::device::Approvals;

/// The effect of a password change on the user's other sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherSessions {
    /// They stay active.
    Keep,
    /// They end, and so do approvals of devices that have not fetched their token.
    End,
}

/// Changes the signed-in user's password. Requires the current one; wrong attempts of the session
/// are limited. Returns new cookies for the session.
pub async fn change_password(
    req: &Request,
    current: &Secret,
    new: &Secret,
    others: OtherSessions,
) -> Result<SessionCookies, Error> {
    let (app, user) = (&req.app, &req.caller.signed_in()?.user);
    recent::check(app, &req.caller, app.now())?;
    check_password(app, "new_password", new, [&user.name, &user.email])?;
    let PasswordGuess { guess, waiter } = verify_current(req, current).await?;
    let hash = hash(app, new, waiter).await?;
    let cookies = req
        .change(Action::PasswordChanged, move |tx| {
            guess.succeed(tx.conn)?;
            store_password(tx, &hash, others)
        })
        .await?;
    mail::tell_password_changed(app, user);
    Ok(cookies)
}

/// Verifies the current password of the signed-in user. Only the wrong attempts of the session
/// count, so that guesses of others do not lock the user out. Returns the counted guess, which a
/// change with the password clears.
pub(super) async fn verify_current(
    req: &Request,
    current: &Secret,
) -> Result<PasswordGuess, Error> {
    let (app, SignedIn { user, session }) = (&req.app, req.caller.signed_in()?);
    let target = Target::Session(&user.id, &session.id);
    let guess = throttle::count_password(app, target, req.context.source()).await?;
    if session::verify(app, &guess, current, user.password()).await? != Verdict::Wrong {
        return Ok(guess);
    }
    let id = user.id.clone();
    req.change(Action::PasswordRefused, move |tx| {
        tx.record(Some(id.as_str()), json!({}))
    })
    .await?;
    Err(Fault::new("current_password", "This is not your current password.").into())
}

/// Replaces a password that the operator set, and ends the other sessions. Refuses the present
/// one; such attempts of the session are limited. Returns new cookies for the session. Fails with
/// [`Error::Conflict`] if the password need not be changed.
pub async fn replace_password(req: &Request, new: &Secret) -> Result<SessionCookies, Error> {
    let (app, SignedIn { user, session }) = (&req.app, req.caller.signed_in()?);
    if !user.must_change_password {
        return Err(CHANGED);
    }
    check_password(app, "new_password", new, [&user.name, &user.email])?;
    let target = Target::Session(&user.id, &session.id);
    let present = Some(user.password_hash.as_str());
    let counted = throttle::count_password(app, target, req.context.source()).await?;
    // The operator knows the current one.
    if session::verify(app, &counted, new, present).await? != Verdict::Wrong {
        let words = "This is the password that you signed in with. Choose another one.";
        return Err(Fault::new("new_password", words).into());
    }
    let PasswordGuess { guess, waiter } = counted;
    let hash = hash(app, new, waiter).await?;
    let cookies = req
        .change(Action::PasswordChanged, move |tx| {
            guess.succeed(tx.conn)?;
            store_password(tx, &hash, OtherSessions::End)
        })
        .await?;
    mail::tell_password_changed(app, user);
    Ok(cookies)
}

const CHANGED: Error = Error::Conflict(
    "The password was changed elsewhere in the meantime. Reload the page and try again with the new one.",
);

/// Stores a password of the signed-in user, if the current one is still that of the request, and
/// renews the cookies of the session.
fn store_password(
    tx: &mut Tx<'_>,
    hash: &str,
    others: OtherSessions,
) -> Result<SessionCookies, Error> {
    let SignedIn { user, session } = tx.caller().signed_in()?;
    store::user::lock_user_exclusive(tx.conn, &user.id)?;
    let found = store::user::find_user(tx.conn, &user.id)?;
    if found.is_none_or(|found| found.password_hash != user.password_hash) {
        return Err(CHANGED);
    }
    store::user::set_password(tx.conn, &user.id, hash, None)?;
    store::account_link::delete_links(tx.conn, &user.id, Some(LinkPurpose::Reset))?;
    let cookie = Secret::from_random(&tx.random::<32>());
    if !store::session::update_cookie(tx.conn, &session.id, &cookie.digest())? {
        return Err(Error::Unauthenticated);
    }
    if others == OtherSessions::End {
        store::session::delete_sessions(tx.conn, &user.id, Some(&session.id))?;
        token::deny_approved(tx, Approvals::OfUser(&user.id), None)?;
    }
    tx.record(
        Some(user.id.as_str()),
        json!({"ended_other_sessions": others == OtherSessions::End}),
    )?;
    Ok(SessionCookies {
        session: cookie,
        known_as: session::known_as(tx.app(), &user.id, hash),
    })
}

/// Sets a password that the user must change at the next sign-in, for the operator. Ends the
/// user's sessions; tokens stay active if the address is verified; see [`end_access_of_other`].
/// Fails with [`Error::Conflict`] for a deactivated user.
pub async fn set_temporary_password(
    req: &Request,
    named: Named,
    new: &Secret,
) -> Result<User, Error> {
    req.caller.require_operator()?;
    let app = &req.app;
    let found = super::find(req, named).await?;
    check_password(app, "password", new, [&found.name, &found.email])?;
    let hash = hash(app, new, Waiter::Operator).await?;
    let user = req
        .change(Action::PasswordSet, move |tx| {
            store::user::lock_user_exclusive(tx.conn, &found.id)?;
            let user = store::user::find_user(tx.conn, &found.id)?.ok_or(Error::NotFound)?;
            if user.standing == Standing::Deactivated {
                return Err(DEACTIVATED);
            }
            store::user::set_password(tx.conn, &user.id, &hash, Some(tx.now))?;
            store::account_link::delete_links(tx.conn, &user.id, Some(LinkPurpose::Reset))?;
            end_access_of_other(tx, &user)?;
            tx.record(Some(user.id.as_str()), json!({}))?;
            Ok(user)
        })
        .await?;
    mail::tell_password_changed(app, &user);
    Ok(user)
}
