//! Mails with a link of an invitation: with the invitation, and again if they are lost.
//!
//! Only the link in the newest mail works. Each mail counts against the limits of its sender and of
//! its recipient.

use super::WRITE;
use super::acceptance::require_backed;
use crate::access::{Caller, LoadedOwner};
use crate::audit::Target;
use crate::mail::{self, MailSlot};
use crate::throttle::Guess;
use crate::tx::Tx;
use crate::{App, Error, Request, throttle};
use domain::audit::Action;
use domain::id::{InvitationId, TokenId, UserId};
use domain::org::{Invitation, Organization};
use domain::role::Role;
use domain::secret::Secret;
use serde_json::json;
use store::Conn;

/// A mail with a link of an invitation. Using the link verifies the address.
#[derive(Clone)]
pub struct InvitationLetter {
    /// The invitation.
    pub invitation: Invitation,
    to: String,
    /// Name of the organization.
    organization: String,
    /// Name of the inviter; `None` if the operator invited.
    inviter: Option<String>,
    link: Secret,
    slot: MailSlot,
}

impl InvitationLetter {
    /// The mail to an address, in a reserved place of the queue. Its link replaces the one that was
    /// mailed before, and limits the invitation to the address.
    pub(super) fn make(
        tx: &mut Tx<'_>,
        (invitation, organization): (&Invitation, &Organization),
        to: &str,
        slot: MailSlot,
    ) -> Result<Self, Error> {
        let link = Secret::from_random(&tx.random::<32>());
        limit(tx, invitation, to, Some(&link))?;
        Ok(Self {
            inviter: inviter(tx.conn, invitation, organization)?,
            organization: mail::organization_name(organization).to_owned(),
            invitation: invitation.clone(),
            to: to.to_owned(),
            link,
            slot,
        })
    }
}

/// Limits an invitation to an address, with the link that is mailed to it.
pub(super) fn limit(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    email: &str,
    mailed_link: Option<&Secret>,
) -> Result<(), Error> {
    let digest = mailed_link.map(Secret::digest);
    match store::invitation::set_recipient(tx.conn, &invitation.id, email, digest.as_ref())? {
        true => Ok(()),
        // Another request has limited it in the meantime.
        false => Err(store::Error::Collision.into()),
    }
}

/// The name of the inviter in a mail; `None` if the operator invited.
fn inviter(
    conn: &mut Conn,
    invitation: &Invitation,
    organization: &Organization,
) -> Result<Option<String>, Error> {
    let organization = mail::organization_name(organization);
    if let Some(id) = UserId::parse(&invitation.invited_by) {
        let user = store::user::find_user(conn, &id)?;
        return Ok(user.map(|user| mail::admin_name(&user, organization)));
    }
    let is_token = TokenId::parse(&invitation.invited_by).is_some();
    Ok(is_token.then(|| organization.to_owned()))
}

/// The name of the caller in a message about an organization.
pub(super) fn sender_name(req: &Request, organization: &Organization) -> String {
    let organization = mail::organization_name(organization);
    match &req.caller {
        Caller::User(signed_in) => mail::admin_name(&signed_in.user, organization),
        Caller::Token(active) => match &active.loaded_owner {
            LoadedOwner::User(owner) => mail::admin_name(&owner.user, organization),
            LoadedOwner::Organization(owner) => mail::organization_name(owner).to_owned(),
        },
        Caller::Operator(_)
        | Caller::Console(_)
        | Caller::Client(_)
        | Caller::Anonymous
        | Caller::System => req.app.config().branding.name.clone(),
    }
}

/// [`reserve_for`] a mail to the address of an invitation.
pub(super) fn reserve(
    tx: &mut Tx<'_>,
    to: &str,
    organization: &Organization,
) -> Result<MailSlot, Error> {
    let letter = throttle::invitation_letter(tx.app().key(), to, organization);
    reserve_for(tx, letter, organization)
}

/// Counts a mail, which `letter` counts, that a member or token of the organization sends, and takes
/// its place in the queue. Fails with [`Error::Throttled`] or [`Error::Busy`], then nothing is
/// counted.
pub(super) fn reserve_for(
    tx: &mut Tx<'_>,
    letter: Guess,
    organization: &Organization,
) -> Result<MailSlot, Error> {
    let maker = tx.caller().maker();
    let sender = throttle::counted_as(&maker, &organization.id);
    let letters = [letter, throttle::letters_of(sender)];
    for letter in &letters {
        letter.check(tx.conn, tx.now)?;
    }
    let slot = mail::reserve(tx.app(), sender).ok_or(Error::Busy)?;
    for letter in &letters {
        letter.count(tx.conn, tx.now)?;
    }
    Ok(slot)
}

/// The place of a mail; `None` if a limit is reached, which does not keep the rest of the change from
/// being made.
pub(super) fn unless_limited(slot: Result<MailSlot, Error>) -> Result<Option<MailSlot>, Error> {
    match slot {
        Ok(slot) => Ok(Some(slot)),
        Err(Error::Throttled(_) | Error::Busy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Mails an open invitation again, with a new link. Fails with [`Error::Conflict`] if it has no
/// address or the server sends no mail, and with [`Error::Throttled`] or [`Error::Busy`] beyond a
/// limit; then the link that was mailed before still works.
pub async fn invite_again(
    req: &Request,
    named: &str,
    id: &InvitationId,
) -> Result<InvitationLetter, Error> {
    let (named, id) = (named.to_owned(), id.clone());
    req.change(Action::InvitationMailed, move |tx| {
        let organization = tx.lock_organization(&named, WRITE, Role::Admin)?;
        let found =
            store::invitation::find_invitation_by_id(tx.conn, &organization.id, &id, tx.now)?;
        let invitation = found.ok_or(Error::NotFound)?;
        require_backed(tx.conn, &invitation, tx.now)?;
        let Some(to) = &invitation.email else {
            return Err(Error::Conflict(
                "This invitation has no email address. Create one with the address, or send the link yourself.",
            ));
        };
        if !mail::is_configured(tx.app()) {
            return Err(Error::Conflict(
                "This server sends no mail. Create another invitation and send its link yourself.",
            ));
        }
        let slot = reserve(tx, to, &organization)?;
        let letter = InvitationLetter::make(tx, (&invitation, &organization), to, slot)?;
        tx.record(Target::within(&organization.id, id.as_str()), json!({}))?;
        Ok(letter)
    })
    .await
}

/// Mails an invitation; `url_of` makes the complete link of a secret.
pub fn send_invitation(app: &App, letter: &InvitationLetter, url_of: impl Fn(&Secret) -> String) {
    let brand = &app.config().branding.name;
    let text = mail::Invitation {
        brand,
        organization: &letter.organization,
        inviter: letter.inviter.as_deref().unwrap_or(brand),
        role: letter.invitation.role,
        url: &url_of(&letter.link),
        expires_at: letter.invitation.expires_at,
    };
    mail::send(app, letter.slot.clone(), text.message(&letter.to));
}
