//! Invitations to an organization: create, withdraw, accept.

use super::filters;
use super::org::OrganizationHead;
use super::{Chrome, FieldErrors, Moment};
use app::mail::MailStatus;
use app::org::NewUser;
use askama::Template;
use domain::role::Role;

/// An open invitation.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Its id, for the URL; not the secret of its link.
    pub id: String,
    /// The invited email, if one is named.
    pub email: Option<String>,
    /// The role that it grants.
    pub role: Role,
    /// The user who created it, if any.
    pub inviter: Option<String>,
    /// When its link expires.
    pub expires: Moment,
    /// Whether the reader can have it mailed again.
    pub can_send: bool,
}

/// The one page that shows an invitation's link, right after its creation.
#[derive(Template)]
#[template(path = "invitation_created.html")]
pub struct InvitationCreatedPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The invitation's id.
    pub id: String,
    /// The absolute URL of the one-time link; `None` if it was shown before.
    pub url: Option<String>,
    /// The invited email, if one is named.
    pub email: Option<String>,
    /// The role that it grants.
    pub role: Role,
    /// When it expires.
    pub expires: Moment,
    /// Whether the invitation is also mailed; `None` without an email or a mail server.
    pub mail: Option<MailStatus>,
    /// Whether a user can be created with it.
    pub may_create_user: bool,
}

impl InvitationCreatedPage {
    /// The address that the invitation is mailed to, if any, and whether it is sent.
    fn addressee(&self) -> Option<(&str, bool)> {
        let status = self.mail?;
        Some((self.email.as_deref()?, status == MailStatus::Sent))
    }
}

/// `GET /o/{org}/invitations/{id}/sent`: the result for several addresses, shown once.
#[derive(Template)]
#[template(path = "invitations_sent.html")]
pub struct InvitationsSentPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The result for each address; `None` if it was shown before.
    pub results: Option<Vec<InvitedRow>>,
}

impl InvitationsSentPage {
    /// Number of invitations that are mailed.
    fn sent(&self) -> usize {
        let rows = self.results.iter().flatten();
        rows.filter(|row| row.result == InvitedResult::Sent).count()
    }

    /// Whether a link must be copied now.
    fn has_links(&self) -> bool {
        let mut rows = self.results.iter().flatten();
        rows.any(|row| matches!(row.result, InvitedResult::NotSent { .. }))
    }
}

/// The result for one address.
pub struct InvitedRow {
    /// The address, as it was entered.
    pub address: String,
    /// The result.
    pub result: InvitedResult,
}

/// What became of an address.
#[derive(PartialEq, Eq)]
pub enum InvitedResult {
    /// The invitation is mailed.
    Sent,
    /// The invitation was created, and not mailed.
    NotSent {
        /// The absolute URL of its link.
        url: String,
        /// Whether a user can be created with it.
        may_create_user: bool,
    },
    /// It is the address of a member.
    AlreadyMember,
    /// It is no email address.
    Invalid,
}

/// How an invitation's link is delivered.
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
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The invitation that would be withdrawn.
    pub invitation: InvitationRow,
}

/// The content of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name of the organization.
    pub organization: String,
    /// The role in it.
    pub role: Role,
    /// The user who created the invitation, if any.
    pub inviter: Option<String>,
    /// The email of the only user who can accept it, if one is named.
    pub email: Option<String>,
    /// When its link expires.
    pub expires: Moment,
}

/// `/invite?link=…` with a signed-in user. Posts to `/invite` the field `link`.
#[derive(Template)]
#[template(path = "invite.html")]
pub struct InvitePage {
    /// The page frame; its user is the one who joins.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// The invitation.
    pub offer: Offer,
    /// The local path to return to after `Use another user`.
    pub return_to: String,
    /// Form errors; without fields.
    pub errors: FieldErrors,
}

/// `/invite?link=…` without a signed-in user. Posts to `/invite/account` the fields `link`,
/// `name`, `email`, `password`.
#[derive(Template)]
#[template(path = "invite_account.html")]
pub struct InviteUserPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The secret of the one-time link, sent back by the form.
    pub link: String,
    /// The invitation.
    pub offer: Offer,
    /// The path of the sign-in that returns to this page.
    pub login_path: String,
    /// Whether there is a form for a new account.
    pub new_user: NewUser,
    /// Whether the link was just mailed.
    pub is_mailed: bool,
    /// The typed name.
    pub name: String,
    /// The typed email; initially the invited one.
    pub email: String,
    /// Form errors; fields `name`, `email`, `password`.
    pub errors: FieldErrors,
}

impl InviteUserPage {
    /// Whether the form on the page creates the account.
    fn creates_account(&self) -> bool {
        matches!(self.new_user, NewUser::Joins | NewUser::SignsIn)
    }
}

/// `/invite` without a valid link.
#[derive(Debug, Template)]
#[template(path = "invite_closed.html")]
pub struct InviteClosedPage {
    /// The page frame.
    pub chrome: Chrome,
    /// Why there is no form.
    pub reason: InviteClosed,
}

/// Why an invitation cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteClosed {
    /// The link is wrong or expired, or its invitation was accepted or withdrawn.
    BadLink,
    /// The user is already a member of this organization.
    AlreadyMember {
        /// The organization's name in URLs.
        slug: String,
        /// Its name.
        name: String,
    },
}
