//! Users that invitations create.
//!
//! Only a mailed link proves that its visitor has the address, so only there a new user joins at
//! once. With any other link the answer is the same whether or not a user has the address, since
//! anyone may have the link. It limits the invitation to the address; and then, where the server
//! sends mail, the address receives a link of its own; without mail, the visitor signs in, as the
//! new user or as the one who has the address.

use super::acceptance::{NewUser, Offer, accept_as, accept_taken_over, find_offer, new_users};
use super::letter::{InvitationLetter, limit};
use super::look_at;
use crate::access::Caller;
use crate::audit::Target;
use crate::hashing::Waiter;
use crate::mail;
use crate::session::{self, NewSession};
use crate::tx::Tx;
use crate::user::{self, CreateUser, ValidUser};
use crate::{Error, Request, throttle};
use domain::Fault;
use domain::audit::Action;
use domain::network;
use domain::org::Invitation;
use domain::secret::{Digest, Secret};
use serde_json::json;

/// What a visitor without a login does next.
pub enum Entered {
    /// The new user has joined and is signed in.
    Joined(Box<NewSession>),
    /// The visitor signs in, and then accepts the invitation.
    SignIn,
    /// The visitor opens the link that was mailed to the address.
    Mailed(Box<InvitationLetter>),
}

/// Enters an organization with an invitation as a new user. Fails with [`Error::Throttled`] after
/// too many attempts with this invitation or from this source, or too many links to the address.
pub async fn enter(req: &Request, link: &Secret, new: CreateUser) -> Result<Entered, Error> {
    let offer = look_at(&req.app, link).await?;
    match offer.new_user {
        NewUser::ReceivesLink => mail_link(req, link, &new.email).await,
        _ => create(req, link, offer, new).await,
    }
}

/// Limits an invitation to an address, and makes the mail with a link that is sent to it. An earlier
/// mail may have been lost, so a limited invitation is mailed again.
async fn mail_link(req: &Request, link: &Secret, email: &str) -> Result<Entered, Error> {
    let email = domain::user::email(email)?;
    let (source, link) = (req.context.source(), link.digest());
    let req = req.with_caller(Caller::Anonymous);
    req.change(Action::InvitationMailed, move |tx| {
        let offer = find_offer(tx.app(), tx.conn, &link, tx.now)?;
        offer.check_email(&email)?;
        offer.new_user.require()?;
        let (invitation, organization) = (&offer.invitation, &offer.organization);
        throttle::invited_user(&invitation.id, source).count(tx.conn, tx.now)?;
        // Counted whether or not a user has the address.
        let key = tx.app().key();
        throttle::requested_invitation_letter(key, &email, organization).count(tx.conn, tx.now)?;
        let sender = network::source(source).to_string();
        let slot = mail::reserve(tx.app(), &sender).ok_or(Error::Busy)?;
        let letter = InvitationLetter::make(tx, (invitation, organization), &email, slot)?;
        tx.record(target(invitation), json!({"requested_by": "recipient"}))?;
        Ok(Entered::Mailed(Box::new(letter)))
    })
    .await
}

fn target(invitation: &Invitation) -> Target<'_> {
    Target::within(&invitation.organization_id, invitation.id.as_str())
}

/// The fault for an address that is taken, for the user of the address, who alone has the mailed
/// link.
fn has_user() -> Fault {
    let message = "You have an account with this email address. Sign in.";
    Fault::new("email", message)
}

/// Creates a user.
async fn create(
    req: &Request,
    link: &Secret,
    offer: Offer,
    new: CreateUser,
) -> Result<Entered, Error> {
    let app = &req.app;
    let new = user::check(app, new)?;
    offer.check_email(&new.email)?;
    offer.new_user.require()?;
    let source = req.context.source();
    let guess = throttle::invited_user(&offer.invitation.id, source);
    throttle::count(app, &guess).await?;
    if offer.proves_email() {
        // Only the user of the address has this link, and learns that it has a user. Only an
        // attempt that can succeed costs a password hash.
        let email = new.email.clone();
        let find = move |conn: &mut _| store::user::find_user_by_email(conn, &email);
        let taken = app.store().read_one(find).await?;
        if taken.is_some_and(|user| !user.yields_address()) {
            return Err(has_user().into());
        }
    }
    // Otherwise the hash is computed in any case: the time must not reveal the user.
    let new = new.hash(app, Waiter::Stranger(source)).await;
    if matches!(new, Err(Error::Busy)) {
        throttle::undo(app, &guess).await?;
    }
    let (new, link) = (new?, link.digest());
    let req = req.with_caller(Caller::Anonymous);
    if offer.proves_email() {
        return req
            .change(Action::InvitationAccepted, move |tx| {
                let session = join(tx, &link, &new)?;
                guess.succeed(tx.conn)?;
                Ok(Entered::Joined(Box::new(session)))
            })
            .await;
    }
    req.change(Action::InvitationLimited, move |tx| {
        let offer = find_offer(tx.app(), tx.conn, &link, tx.now)?;
        offer.check_email(&new.email)?;
        // Also counts an address that is taken: the limit must not reveal the user.
        count_new_user(tx, &offer)?;
        limit(tx, &offer.invitation, &new.email, None)?;
        tx.record(target(&offer.invitation), json!({}))?;
        if store::user::find_user_by_email(tx.conn, &new.email)?.is_none() {
            user::insert(tx, &new, None).map_err(|error| match error {
                // Another request created the user in the meantime. The retry finds it.
                Error::Invalid(_) => store::Error::Collision.into(),
                error => error,
            })?;
        }
        Ok(Entered::SignIn)
    })
    .await
}

/// Creates the user whose address a mailed link proves, or takes over the one who has it
/// unverified, and begins a session.
fn join(tx: &mut Tx<'_>, link: &Digest, new: &ValidUser) -> Result<NewSession, Error> {
    let offer = find_offer(tx.app(), tx.conn, link, tx.now)?;
    count_new_user(tx, &offer)?;
    let user = match user::take_over(tx, new)? {
        Some(user) => {
            accept_taken_over(tx, &offer, &user)?;
            user
        }
        None => {
            let created = user::insert(tx, new, None).map_err(|error| match error {
                // Another request created the user in the meantime.
                Error::Invalid(_) => has_user().into(),
                error => error,
            })?;
            accept_as(tx, &offer, &created.user)?;
            created.user
        }
    };
    // A user who is taken over has no second factor any more.
    session::begin(tx, &user, None, None)
}

/// Counts a user that an invitation creates.
fn count_new_user(tx: &mut Tx<'_>, offer: &Offer) -> Result<(), Error> {
    offer.new_user.require()?;
    let counted =
        new_users(tx.app(), &offer.invitation, &offer.organization).count(tx.conn, tx.now);
    counted.map(drop).map_err(|error| match error {
        Error::Throttled(_) => NewUser::TooMany.require().err().unwrap_or(error),
        error => error,
    })
}
