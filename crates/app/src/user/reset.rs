//! Forgotten passwords: one-time links to set a new one.

use super::directory::{DEACTIVATED, Named};
use super::{check_password, hash, link};
use crate::access::Caller;
use crate::audit::{Event, Target};
use crate::factor::{self, Begun, Proven};
use crate::hashing::Waiter;
use crate::identity;
use crate::mail::{self, MailSlot};
use crate::throttle::{self, ResetSender};
use crate::tx::Tx;
use crate::{App, Error, Request, token};
use domain::Instant;
use domain::account_link::LinkPurpose;
use domain::audit::{Action, Actor};
use domain::network;
use domain::secret::Secret;
use domain::token::{RevocationReason, TokenOwner};
use domain::user::{self, Standing, User};
use serde_json::json;
use store::device::Approvals;
use store::token_filter::TokenFilter;

/// A new link to reset a password, with its secret, which is shown or mailed once.
#[derive(Clone)]
pub struct NewReset {
    /// The secret of the link.
    pub link: Secret,
    /// The user's email address.
    pub email: String,
    /// When the link expires.
    pub expires_at: Instant,
    /// Name of the organization of the admin who created the link, for the message.
    pub organization: Option<String>,
}

/// Creates a link to reset a user's password, for the operator, who passes it on. Replaces its earlier
/// ones. Fails with [`Error::Conflict`] for a deactivated user, and in the operator console for
/// another operator.
pub async fn create_reset(req: &Request, named: Named) -> Result<NewReset, Error> {
    req.caller.require_operator()?;
    req.change(Action::PasswordResetRequested, move |tx| {
        let user = lock_active(tx, &named)?;
        // The link would let one user of the console act as another.
        if user.is_operator && matches!(tx.caller(), Caller::Console(_)) {
            return Err(OPERATOR);
        }
        make_reset(tx, &user, Some(user.id.as_str()).into())
    })
    .await
}

/// The same link, to be mailed to the user. Fails with [`Error::Conflict`] for a deactivated user, for
/// one without a verified address and without a mail server, and with [`Error::Busy`] if too many
/// messages wait.
pub async fn create_mailed_reset(
    req: &Request,
    named: Named,
) -> Result<(NewReset, MailSlot), Error> {
    req.caller.require_operator()?;
    req.change(Action::PasswordResetRequested, move |tx| {
        let user = lock_active(tx, &named)?;
        if !is_reachable(&user) || !mail::is_configured(tx.app()) {
            return Err(Error::Conflict(
                "No message can be sent to the user. Pass the link on yourself.",
            ));
        }
        let slot = mail::reserve(tx.app(), tx.caller().actor().kind()).ok_or(Error::Busy)?;
        Ok((make_reset(tx, &user, Some(user.id.as_str()).into())?, slot))
    })
    .await
}

const OPERATOR: Error = Error::Conflict(
    "This user is an operator too, and gets reset links by mail only. On the server, use \
     `doorcode user reset-password`.",
);

/// Locks a user who must be active.
fn lock_active(tx: &mut Tx<'_>, named: &Named) -> Result<User, Error> {
    let id = named.find(tx.conn)?.id;
    let user = store::user::lock_user_shared(tx.conn, &id)?.ok_or(Error::NotFound)?;
    match user.standing {
        Standing::Active => Ok(user),
        Standing::Deactivated => Err(DEACTIVATED),
    }
}

/// Creates a link for a user that the transaction has locked, with the audit record of the request.
pub(crate) fn make_reset(
    tx: &mut Tx<'_>,
    user: &User,
    target: Target<'_>,
) -> Result<NewReset, Error> {
    let new = link::make(tx, &user.id, LinkPurpose::Reset, &user.email)?;
    tx.record(target, json!({"link": "created"}))?;
    Ok(NewReset {
        link: new.secret,
        email: new.link.email,
        expires_at: new.link.expires_at,
        organization: None,
    })
}

/// Mails a link to a visitor who forgot the password; `url` returns the complete link. The visitor
/// must not learn whether the address is that of a user, so that is only found out in the
/// background: the request does the same work for every address.
/// Fails with [`Error::Throttled`] after too many requests from one source, or from all.
pub async fn request_reset(
    req: &Request,
    email: &str,
    url: fn(&App, &NewReset) -> String,
) -> Result<(), Error> {
    let email = user::email(email)?;
    let req = req.with_caller(Caller::Anonymous);
    if !mail::is_configured(&req.app) || !req.app.config().sign_in.has_passwords() {
        return Ok(());
    }
    throttle::count(&req.app, &throttle::reset_source(req.context.source())).await?;
    let app = req.app.clone();
    app.background().spawn(async move {
        match make_requested(&req, email).await {
            Ok(Some(new)) => send_reset(&req, &new, &url(&req.app, &new.0)),
            Ok(None) => {}
            Err(error) => {
                let request_id = &*req.context.request_id;
                tracing::error!(request_id, ?error, "no reset link was created");
            }
        }
    });
    Ok(())
}

/// Creates a link for a visitor, to be mailed. `None` if the address is not the verified one of an
/// active user or has reached its daily limit of messages, or if too many messages wait.
async fn make_requested(
    req: &Request,
    email: String,
) -> Result<Option<(NewReset, MailSlot)>, Error> {
    let sender = network::source(req.context.source()).to_string();
    req.change(Action::PasswordResetRequested, move |tx| {
        let found = match store::user::find_user_by_email(tx.conn, &email)? {
            Some(found) => store::user::lock_user_shared(tx.conn, &found.id)?,
            None => None,
        };
        let target = found.as_ref().map(|user| user.id.as_str());
        match &found {
            Some(user) if is_reachable(user) && may_send(tx, user)? => {
                if let Some(slot) = mail::reserve(tx.app(), &sender) {
                    let new = make_reset(tx, user, target.into())?;
                    return Ok(Some((new, slot)));
                }
            }
            _ => {}
        }
        tx.record(target, json!({"link": "refused"}))?;
        Ok(None)
    })
    .await
}

/// Counts a message that a visitor requests; `false` if the user has reached the daily limit.
fn may_send(tx: &mut Tx<'_>, user: &User) -> Result<bool, Error> {
    let letter = throttle::reset_letter(ResetSender::Anyone, &user.id);
    match letter.count(tx.conn, tx.now) {
        Ok(_) => Ok(true),
        Err(Error::Throttled(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a message with a link may be sent to the user's address.
pub fn is_reachable(user: &User) -> bool {
    user.standing == Standing::Active && user.email_verified_at.is_some()
}

/// Mails a link; `url` is the complete link.
pub fn send_reset(req: &Request, (new, slot): &(NewReset, MailSlot), url: &str) {
    let by = match (&req.caller, &new.organization) {
        (Caller::User(signed_in), Some(organization)) => {
            Some(mail::admin_name(&signed_in.user, organization))
        }
        _ => None,
    };
    let letter = mail::PasswordReset {
        brand: &req.app.config().branding.name,
        by: by.as_deref(),
        url,
        expires_at: new.expires_at,
    };
    mail::send(&req.app, slot.clone(), letter.message(&new.email));
}

/// The user whose password a link resets; the link stays usable. Fails with [`Error::NotFound`]
/// for a wrong, expired or used link.
pub async fn find_reset(req: &Request, link: &Secret) -> Result<User, Error> {
    let link = link.clone();
    req.read(move |tx| {
        let found = link::find(tx, &link, LinkPurpose::Reset)?;
        let user = store::user::find_user(tx.conn, &found.user_id)?;
        user.filter(|user| user.standing == Standing::Active)
            .ok_or(Error::NotFound)
    })
    .await
}

/// Ends the access that an attacker may have to a user that is recovered: the sessions, the approved
/// device grants and, if the address is unverified, the tokens with what was created with them, the
/// identities at providers, and the second factors. An attacker may have registered the address of
/// another. The transaction has locked the user.
pub(super) fn end_access_of_other(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    store::session::delete_sessions(tx.conn, &user.id, None)?;
    if user.email_verified_at.is_some() {
        return token::deny_approved(tx, Approvals::OfUser(&user.id), None);
    }
    let all = TokenFilter::Owner(TokenOwner::User(user.id.clone()));
    token::end_with_descendants(tx, &all, None, RevocationReason::Recovered)?;
    identity::disconnect_all(tx, &user.id)?;
    match store::factor::is_any(tx.conn, &user.id)? {
        true => factor::remove_all(tx, &user.id),
        false => Ok(()),
    }
}

/// Sets a new password with a link, ends all sessions of the user, and signs the user in, or asks for
/// a second factor: the link replaces only the password. Without passwords, the link replaces the
/// sign-in with a provider. Tokens stay active if the address is verified; see
/// [`end_access_of_other`]. Fails with [`Error::NotFound`] for a wrong, expired or used link.
pub async fn reset(req: &Request, link: &Secret, new: &Secret) -> Result<Begun, Error> {
    let app = &req.app;
    // A wrong link must not cost a password hash.
    let user = find_reset(req, link).await?;
    let hash = match app.config().sign_in.has_passwords() {
        true => {
            check_password(app, "new_password", new, [&user.name, &user.email])?;
            Some(hash(app, new, Waiter::User(user.id.clone())).await?)
        }
        false => None,
    };
    let sets_password = hash.is_some();
    let link = link.clone();
    let req = req.with_caller(Caller::Anonymous);
    let begun = req
        .change(Action::PasswordReset, move |tx| {
            let found = link::find(tx, &link, LinkPurpose::Reset)?;
            // Lock the user first, in the same order as the creation of a link.
            store::user::lock_user_exclusive(tx.conn, &found.user_id)?;
            let user = store::user::find_user(tx.conn, &found.user_id)?
                .filter(|user| user.standing == Standing::Active)
                .ok_or(Error::NotFound)?;
            link::take(tx, &link, LinkPurpose::Reset)?;
            if let Some(hash) = &hash {
                store::user::set_password(tx.conn, &user.id, hash, None)?;
                // The wrong values of a second factor came from those who knew the old password.
                let of_user = throttle::Target::User(&user.id);
                throttle::factor(tx.app().key(), of_user)
                    .0
                    .succeed(tx.conn)?;
            }
            store::account_link::delete_links(tx.conn, &user.id, Some(LinkPurpose::Reset))?;
            end_access_of_other(tx, &user)?;
            // Only the user has the link.
            let record = Event {
                actor: Actor::User(user.id.clone()),
                ..tx.event(Action::PasswordReset)
            };
            record.write(tx.conn, Some(user.id.as_str()), json!({}))?;
            factor::begin(tx, &user, None, Proven::One)
        })
        .await?;
    if sets_password {
        mail::tell_password_changed(app, &user);
    }
    Ok(begun)
}
