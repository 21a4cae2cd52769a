//! The members of an organization.

use super::filters;
use super::invitation::{Delivery, InvitationRow};
use super::org::{Departure, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use domain::role::Role;

/// `/o/{org}/members`. Posts to `/o/{org}/members/{user}/role` the field `role`, and to
/// `/o/{org}/invitations` the fields `email`, `role`.
#[derive(Debug, Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its members.
    pub members: Vec<MemberRow>,
    /// URL of the next page.
    pub next: Option<String>,
    /// The searched text.
    pub text: String,
    /// The roles to filter by, one of them selected.
    pub role: Vec<Choice>,
    /// The form for users who may invite; `None` for others.
    pub invite: Option<InviteForm>,
    /// The notice of the last action.
    pub notice: Option<MembersNotice>,
    /// Form errors; fields `email`, `role`. Errors of a row have no field.
    pub errors: FieldErrors,
}

impl MembersPage {
    /// Whether the reader can do something about a member, besides changing the role.
    fn has_actions(&self, member: &MemberRow) -> bool {
        self.can_view_tokens() || member.can_leave() || member.can_remove()
    }

    /// Whether the reader can view the tokens of members: admins can.
    fn can_view_tokens(&self) -> bool {
        self.org.can_manage()
    }
}

/// The roles to filter members by; an empty value stands for all.
pub fn role_filter(selected: &str) -> Vec<Choice> {
    let all = [
        ("", "All roles"),
        ("owner", "Owners"),
        ("admin", "Admins"),
        ("member", "Members"),
    ];
    Choice::of(&all, selected)
}

/// A member in the list.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The user's id, for the URL.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// The email for sign-in.
    pub email: String,
    /// Whether the email is verified. Shown to users who may invite.
    pub is_email_verified: bool,
    /// The user's role.
    pub role: Role,
    /// When the user joined.
    pub since: Moment,
    /// The last activity in this organization; `None` if unknown.
    pub last_active: Option<Moment>,
    /// Whether the row is about the reader.
    pub who: Who,
    /// Whether the reader can mail the member a reset link.
    pub reset: PasswordReset,
    /// The possible actions on the member.
    pub control: MemberControl,
}

impl MemberRow {
    /// Whether the row is about the signed-in user.
    fn is_you(&self) -> bool {
        self.who == Who::You
    }

    /// Whether the row is about the reader, who is not the last owner.
    fn can_leave(&self) -> bool {
        self.is_you() && self.control != MemberControl::LastOwner
    }

    /// Whether the reader can remove the member.
    fn can_remove(&self) -> bool {
        !self.is_you() && matches!(self.control, MemberControl::Change(_))
    }

    /// Whether the row has the button for a reset link.
    fn can_reset(&self) -> bool {
        self.reset == PasswordReset::Offered
    }
}

/// Whether the reader of a row can mail the member a link to reset the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordReset {
    /// The row has the button.
    Offered,
    /// The member has another role or no verified address, or the server sends no mail.
    NotOffered,
}

/// Whether a row is about the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The signed-in user.
    You,
    /// Another user.
    Other,
}

/// The possible actions on a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberControl {
    /// None: the user may not manage the member.
    Nothing,
    /// None: an organization keeps one owner.
    LastOwner,
    /// The role can be changed to one of these, and the member can be removed.
    Change(Vec<Choice>),
}

/// Open invitations, and the form for a new one.
#[derive(Debug, Clone)]
pub struct InviteForm {
    /// The open invitations, newest first.
    pub open: Vec<InvitationRow>,
    /// URL of their next page.
    pub next: Option<String>,
    /// The typed addresses.
    pub email: String,
    /// The maximum number of addresses.
    pub most: usize,
    /// The roles that this user can grant, one of them selected.
    pub roles: Vec<Choice>,
    /// How the link is delivered.
    pub delivery: Delivery,
    /// The form nonce: one invitation, however often the form is sent.
    pub form_nonce: String,
}

/// The last action on the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembersNotice {
    /// The role of the user with this name was changed.
    RoleChanged(String, Role),
    /// A member was removed.
    Removed,
    /// A member was mailed a reset link.
    ResetSent,
    /// An invitation was mailed again.
    InvitationMailed,
    /// An invitation was withdrawn.
    Withdrawn,
}

/// `GET /o/{org}/members/{user}/remove`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "member_remove.html")]
pub struct RemoveMemberPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The user's id, for the URL.
    pub member_id: String,
    /// The user's name.
    pub member: String,
    /// The email for sign-in.
    pub email: String,
    /// The user's role.
    pub role: Role,
    /// The tokens that would end.
    pub departure: Departure,
}

/// The roles up to `highest`; `selected` is selected.
pub fn role_choices(highest: Role, selected: Role) -> Vec<Choice> {
    Role::ALL
        .into_iter()
        .filter(|role| *role <= highest)
        .map(|role| {
            let mut label = role.as_str().to_owned();
            label[..1].make_ascii_uppercase();
            Choice {
                value: role.as_str().to_owned(),
                label,
                selected: role == selected,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_limited_to_the_highest() {
        let values = |highest| {
            let choices = role_choices(highest, Role::Member);
            assert!(choices[0].selected);
            choices.into_iter().map(|c| c.value).collect::<Vec<_>>()
        };
        assert_eq!(values(Role::Admin), ["member", "admin"]);
        assert_eq!(values(Role::Owner), ["member", "admin", "owner"]);
    }
}
