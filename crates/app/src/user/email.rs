//! Email addresses of users: verification by a mailed link, and change.
//!
//! A link verifies an address only in a session of the user who requested it. Otherwise a user
//! could enter the address of another, who confirms it by mistake.

use super::password::verify_current;
use super::{link, signs_in_with_password};
use crate::access::recent;
use crate::mail::{self, MailSlot};
use crate::session::SignedIn;
use crate::tx::Tx;
use crate::{Error, Request, throttle};
use domain::account_link::{AccountLink, LinkPurpose};
use domain::audit::Action;
use domain::secret::Secret;
use domain::user::{self, Standing, User};
use domain::{Fault, Instant};
use serde_json::json;

/// A message about an email address, to be sent once its change is committed.
pub struct Letter {
    to: String,
    content: Content,
    slot: MailSlot,
}

enum Content {
    /// A link that verifies the current address or a new one.
    Link(LinkPurpose, Secret, Instant),
    /// Another user tried to use the address of this one.
    Taken,
    /// The address of the user with this id has changed from this one.
    Changed(String),
}

impl Letter {
    fn with_link(new: link::NewLink, slot: MailSlot) -> Self {
        let link = new.link;
        Self {
            slot,
            to: link.email,
            content: Content::Link(link.purpose, new.secret, link.expires_at),
        }
    }
}

/// Takes the place in the queue for a message of a user. Fails with [`Error::Busy`] if too many wait.
fn slot(tx: &Tx<'_>, user: &User) -> Result<MailSlot, Error> {
    mail::reserve(tx.app(), user.id.as_str()).ok_or(Error::Busy)
}

/// Sends a message; `url_of` makes the complete link of a secret.
pub fn send_letter(
    req: &Request,
    letter: &Letter,
    url_of: impl Fn(LinkPurpose, &Secret) -> String,
) {
    let (app, to, slot) = (&req.app, letter.to.as_str(), letter.slot.clone());
    let letter = match &letter.content {
        Content::Link(purpose, secret, expires_at) => {
            let url = &url_of(*purpose, secret);
            mail::address_link(app, to, url, *expires_at)
        }
        Content::Taken => mail::address_taken(app, to),
        Content::Changed(user_id) => mail::address_changed(app, to, user_id),
    };
    mail::send(app, slot, letter);
}

const NO_MAIL: &str =
    "This server sends no mail. Ask its operator to change or verify the address.";

/// Marks the current address of a user as verified, with the audit record.
pub(crate) fn mark_verified(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    if !store::user::mark_email_verified(tx.conn, &user.id, &user.email, tx.now)? {
        return Err(Error::NotFound);
    }
    store::account_link::delete_links(tx.conn, &user.id, Some(LinkPurpose::Verify))?;
    tx.record_as(Action::EmailVerified, Some(user.id.as_str()), json!({}))
}

/// Creates the link that verifies the current address of a user, and its message.
fn verification(tx: &mut Tx<'_>, user: &User) -> Result<Letter, Error> {
    throttle::address_letter(tx.app().key(), &user.email, &user.id).count(tx.conn, tx.now)?;
    let slot = slot(tx, user)?;
    let new = link::make(tx, &user.id, LinkPurpose::Verify, &user.email)?;
    record_link(tx, user)?;
    Ok(Letter::with_link(new, slot))
}

/// Records that a link was requested. The record is the same whether or not an address is taken.
fn record_link(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    tx.record_as(
        Action::EmailLinkRequested,
        Some(user.id.as_str()),
        json!({}),
    )
}

/// Creates a link that verifies the address of the signed-in user. Fails with [`Error::Throttled`]
/// after too many in a day, and with [`Error::Conflict`] if the address is verified already.
pub async fn request_verification(req: &Request) -> Result<Letter, Error> {
    if !mail::is_configured(&req.app) {
        return Err(Error::Conflict(NO_MAIL));
    }
    req.change(Action::EmailLinkRequested, move |tx| {
        let user = lock_current(tx)?;
        match user.email_verified_at {
            Some(_) => Err(Error::Conflict(
                "Your email address is verified already. You need not do anything.",
            )),
            None => verification(tx, &user),
        }
    })
    .await
}

/// The signed-in user as stored now.
fn current(tx: &mut Tx<'_>) -> Result<User, Error> {
    let SignedIn { user, .. } = tx.caller().signed_in()?;
    store::user::find_user(tx.conn, &user.id)?
        .filter(|user| user.standing == Standing::Active)
        .ok_or(Error::Unauthenticated)
}

/// Locks the signed-in user, before any of their links.
fn lock_current(tx: &mut Tx<'_>) -> Result<User, Error> {
    let id = &tx.caller().signed_in()?.user.id;
    store::user::lock_user_exclusive(tx.conn, id)?;
    current(tx)
}

/// Whether a link belongs to a user and verifies their current address.
fn is_of(link: &AccountLink, user: &User) -> bool {
    user.id == link.user_id && user.email == link.email
}

/// The address that a link verifies for the signed-in user. Fails with [`Error::NotFound`] if the
/// link is wrong, expired, used, or that of another user.
pub async fn find_verification(req: &Request, secret: &Secret) -> Result<String, Error> {
    let secret = secret.clone();
    req.read(move |tx| {
        let user = current(tx)?;
        let link = link::find(tx, &secret, LinkPurpose::Verify)?;
        match is_of(&link, &user) {
            true => Ok(user.email),
            false => Err(Error::NotFound),
        }
    })
    .await
}

/// Verifies the address of the signed-in user with a link, once. Fails like [`find_verification`].
pub async fn verify_email(req: &Request, secret: &Secret) -> Result<(), Error> {
    let secret = secret.clone();
    req.change(Action::EmailVerified, move |tx| {
        let user = lock_current(tx)?;
        let link = link::take(tx, &secret, LinkPurpose::Verify)?;
        match is_of(&link, &user) {
            true => mark_verified(tx, &user),
            false => Err(Error::NotFound),
        }
    })
    .await
}

/// Creates a link with which the signed-in user changes their address to a new one, and the message
/// to it. If another user has the address and does not yield it, the message goes to that user, and
/// the result is the same. Requires a recent sign-in, and of a user who signs in with a password also
/// the current one; wrong ones count like failed sign-ins.
pub async fn request_email_change(
    req: &Request,
    new: &str,
    current: &Secret,
) -> Result<Letter, Error> {
    if !mail::is_configured(&req.app) {
        return Err(Error::Conflict(NO_MAIL));
    }
    recent::check(&req.app, &req.caller, req.app.now())?;
    let new = user::email(new).map_err(|fault| Fault {
        field: "new_email",
        ..fault
    })?;
    if new == req.caller.signed_in()?.user.email {
        let message = "This is your current email address. Enter another address.";
        return Err(Fault::new("new_email", message).into());
    }
    let guess = match signs_in_with_password(&req.app, &req.caller.signed_in()?.user) {
        true => Some(verify_current(req, current).await?.guess),
        false => None,
    };
    let right = guess.clone();
    let letter = req.change(Action::EmailLinkRequested, move |tx| {
        let user = lock_current(tx)?;
        if let Some(right) = &right {
            right.succeed(tx.conn)?;
        }
        throttle::address_letter(tx.app().key(), &new, &user.id).count(tx.conn, tx.now)?;
        record_link(tx, &user)?;
        let slot = slot(tx, &user)?;
        // Replaces earlier links in either case, so that it does not show whether the address is
        // taken. The secret of a link to a taken address is dropped.
        let link = link::make(tx, &user.id, LinkPurpose::Change, &new)?;
        let found = store::user::find_user_by_email(tx.conn, &new)?;
        Ok(match found.is_some_and(|user| !user.yields_address()) {
            true => Letter {
                to: new.clone(),
                content: Content::Taken,
                slot,
            },
            false => Letter::with_link(link, slot),
        })
    });
    let letter = letter.await;
    if let (Err(Error::Throttled(_) | Error::Busy), Some(guess)) = (&letter, &guess) {
        // Too many messages; the password was right.
        throttle::undo(&req.app, guess).await?;
    }
    letter
}

/// The new address of the signed-in user that a link confirms. Fails with [`Error::NotFound`] if
/// the link is wrong, expired, used, or that of another user.
pub async fn find_email_change(req: &Request, secret: &Secret) -> Result<String, Error> {
    let secret = secret.clone();
    req.read(move |tx| {
        let link = link::find(tx, &secret, LinkPurpose::Change)?;
        match current(tx)?.id == link.user_id {
            true => Ok(link.email),
            false => Err(Error::NotFound),
        }
    })
    .await
}

/// Takes an address that is about to be proven from the user who has it unverified, if there is one:
/// replaces it with a placeholder, and ends the sessions and links of that user.
pub(crate) fn take_address(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    let Some(user) = lock_yielding(tx, email)? else {
        return Ok(());
    };
    let changed = User {
        email: user.placeholder(),
        ..user
    };
    store::user::update_profile(tx.conn, &changed)?;
    store::session::delete_sessions(tx.conn, &changed.id, None)?;
    store::account_link::delete_links(tx.conn, &changed.id, None)?;
    let detail = json!({"reason": "proven_by_another_user"});
    tx.record_as(Action::EmailChanged, Some(changed.id.as_str()), detail)
}

/// Locks the user who has an address unverified and yields it; `None` if there is none.
pub(super) fn lock_yielding(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>, Error> {
    let Some(found) = store::user::find_user_by_email(tx.conn, email)? else {
        return Ok(None);
    };
    store::user::lock_user_exclusive(tx.conn, &found.id)?;
    let user = store::user::find_user(tx.conn, &found.id)?;
    Ok(user.filter(|user| user.email == email && user.yields_address()))
}

/// Changes the address of the signed-in user with a link, once. Ends all links of the user, so that
/// none that was sent to the old address works. If another user has the address unverified, that
/// user loses it. Fails like [`find_email_change`], and with
/// [`Error::Conflict`] if the address has been taken since. Returns the message to the old
/// address, unless too many wait.
pub async fn change_email(req: &Request, secret: &Secret) -> Result<Option<Letter>, Error> {
    let secret = secret.clone();
    req.change(Action::EmailChanged, move |tx| {
        let user = lock_current(tx)?;
        let link = link::take(tx, &secret, LinkPurpose::Change)?;
        if link.user_id != user.id {
            return Err(Error::NotFound);
        }
        take_address(tx, &link.email)?;
        let changed = User {
            email: link.email,
            email_verified_at: Some(tx.now),
            ..user.clone()
        };
        store::user::update_profile(tx.conn, &changed).map_err(|error| match error {
            store::Error::Duplicate => {
                Error::Conflict("This address cannot be used any more. Enter another address.")
            }
            error => error.into(),
        })?;
        store::account_link::delete_links(tx.conn, &user.id, None)?;
        tx.record(Some(user.id.as_str()), json!({}))?;
        // A full queue does not stop the change.
        Ok(slot(tx, &user).ok().map(|slot| Letter {
            to: user.email,
            content: Content::Changed(user.id.to_string()),
            slot,
        }))
    })
    .await
}
