//! Invitations to an organization: making, withdrawing and accepting one.

use super::org::OrganizationHead;
use super::{Chrome, FieldErrors, Moment};
use askama::Template;
use domain::org::Role;

/// An invitation that nobody has used yet.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Its id, for the URL; not the secret of its link.
    pub id: String,
    /// Whom it is for, if that was said.
    pub email: Option<String>,
    /// The role that it gives.
    pub role: Role,
    /// Who made it, if that was a person.
    pub inviter: Option<String>,
    /// Until when its link works.
    pub expires: Moment,
}

/// The one page that shows an invitation's link, right after it was made.
#[derive(Template)]
#[template(path = "invitation_created.html")]
pub struct InvitationCreatedPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The absolute URL of the one-time link.
    pub url: String,
    /// Whom it is for, if that was said.
    pub email: Option<String>,
    /// The role that it gives.
    pub role: Role,
    /// Until when it works.
    pub expires: Moment,
    /// Whether it was sent, too.
    pub delivery: Delivery,
}

impl InvitationCreatedPage {
    /// Where it was sent, if it was.
    fn addressee(&self) -> Option<&str> {
        match self.delivery {
            Delivery::Mail => self.email.as_deref(),
            Delivery::ByHand => None,
        }
    }
}

/// What becomes of an invitation's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent if an email is given, and shown once.
    Mail,
    /// It is shown once; no mail server is configured.
    ByHand,
}

/// `GET /o/{org}/invitations/{id}/withdraw`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "invitation_withdraw.html")]
pub struct WithdrawPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The invitation that would be withdrawn.
    pub invitation: InvitationRow,
}

/// What an invitation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name of the organization.
    pub organization: String,
    /// The role in it.
    pub role: Role,
    /// Who made the invitation, if that was a person.
    pub inviter: Option<String>,
    /// The email of the only account that can accept it, if one was named.
    pub email: Option<String>,
    /// Until when its link works.
    pub expires: Moment,
}

/// `/invite?link=…` for someone who is signed in. Posts to `/invite` the field `link`.
#[derive(Template)]
#[template(path = "invite.html")]
pub struct InvitePage {
    /// What is around the content; its account is the one that joins.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// What the invitation offers.
    pub offer: Offer,
    /// The local path to come back to after `Use another user`.
    pub return_to: String,
    /// What is wrong; no field.
    pub errors: FieldErrors,
}

/// `/invite?link=…` for someone who is not signed in. Posts to `/invite/account` the fields
/// `link`, `name`, `email`, `password`.
#[derive(Template)]
#[template(path = "invite_account.html")]
pub struct InviteUserPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// What the invitation offers.
    pub offer: Offer,
    /// The path of the sign-in that leads back here.
    pub login_path: String,
    /// What was typed as the name.
    pub name: String,
    /// What was typed as the email; at first whom the invitation is for.
    pub email: String,
    /// What is wrong; fields `name`, `email`, `password`.
    pub errors: FieldErrors,
}

/// `/invite` without a link that works.
#[derive(Debug, Template)]
#[template(path = "invite_closed.html")]
pub struct InviteClosedPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Why there is no form.
    pub reason: InviteClosed,
}

/// Why an invitation cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteClosed {
    /// The link is wrong or old, or its invitation was accepted or withdrawn.
    BadLink,
    /// The person is a member of this organization already.
    AlreadyMember(OrganizationHead),
}
